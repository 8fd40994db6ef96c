/** A configuration whose values are read but not yet held against each other. */
import { type ConfigNode, find, locate, type Path } from './node.ts';
import type { Parsed, Refusal } from './parsed.ts';
import { found, Problems } from './problems.ts';
import type { RawConfig } from './schema.ts';
import type { Secret, SecretFiles } from './secret-file.ts';

/** The values, and where they came from. */
export class Draft {
  readonly raw: RawConfig;
  readonly problems: Problems;
  /** What is allowed and probably not meant. */
  readonly warnings: Problems;
  readonly #root: ConfigNode | undefined;
  readonly #secrets: SecretFiles;

  /** `root` is the tree of the file, absent where there is none; `secrets` the files that it names. */
  constructor(raw: RawConfig, root: ConfigNode | undefined, problems: Problems, secrets: SecretFiles) {
    this.raw = raw;
    this.#root = root;
    this.problems = problems;
    this.warnings = new Problems(problems.file);
    this.#secrets = secrets;
  }

  /** What the file has at `path`; undefined for defaults. */
  written(path: Path): ConfigNode | undefined {
    return find(this.#root, path);
  }

  /** Notes a problem at `path`, or where it would stand. */
  note(path: Path, message: string, hint?: string): void {
    if (this.#root === undefined) {
      const inFile = 'start with --config FILE';
      this.problems.add(undefined, [], message, hint === undefined ? inFile : `${inFile}; in it, ${hint}`);
    } else this.problems.add(locate(this.#root, path), path, message, hint);
  }

  /** Notes that the value at `path` does not fit. What environment variables hold is not shown. */
  noteValue(path: Path, refusal: Refusal): void {
    const node = this.written(path);
    const hidden = node?.kind === 'scalar' && node.variables.length > 0;
    const problem = hidden ? undefined : refusal.problem;
    this.note(path, `${this.foundAt(path)}: ${problem ?? 'it does not fit'}`, hidden ? undefined : refusal.hint);
  }

  /** Warns of what stands at `path`; without a file there is nothing to warn of. */
  warn(path: Path, message: string, hint?: string): void {
    if (this.#root !== undefined) this.warnings.add(locate(this.#root, path), path, message, hint);
  }

  /** The beginning of a sentence about the value at `path`. */
  foundAt(path: Path): string {
    const node = this.written(path);
    return node === undefined ? 'found nothing' : `found ${found(node)}`;
  }

  /** What the secret file at `path` holds, the path as the file writes it. */
  secret(path: string): Parsed<Secret> {
    return this.#secrets.get(path) ?? { problem: 'it was not read' };
  }

  /** The line of the key at `path`, as the end of a sentence; nothing without a file. */
  lineOf(path: Path): string {
    return this.#root === undefined ? '' : ` on line ${locate(this.#root, path).line}`;
  }
}
