/** Collects what is wrong in a configuration, and words what was found without ever showing a secret. */
import { ConfigError, type ConfigProblem } from '../errors.ts';
import { type ConfigNode, isBoolean, isNothing, type Path, type Place } from './node.ts';

/** For each key of the schema the sections that have it, as a sentence would name them. */
export type Homes = ReadonlyMap<string, readonly string[]>;

/** All problems of one file. */
export class Problems {
  readonly #file: string;
  readonly #found: ConfigProblem[] = [];
  #forgotten = 0;
  readonly #paths = new Set<string>();
  readonly #parents = new Set<string>();
  /** Where keys belong that may stand in the wrong place, by key. */
  readonly homes: Homes;

  constructor(file: string, homes: Homes = new Map()) {
    this.#file = file;
    this.homes = homes;
  }

  /** Notes one problem. No `place` where the file as a whole is meant. */
  add(place: Place | undefined, path: Path, message: string, hint?: string): void {
    if (this.#found.length >= MOST_KEPT) {
      this.#forgotten += 1;
      return;
    }
    const at = { file: this.#file, line: place?.line ?? 0, column: place?.column ?? 0, path: showPath(path) };
    const said = { ...at, message: printable(message) };
    this.#found.push(hint === undefined ? said : { ...said, hint: printable(hint) });
    this.#paths.add(at.path);
    for (let length = 0; length < path.length; length += 1) this.#parents.add(showPath(path.slice(0, length)));
  }

  /** Marks a path that was probably meant where another was written, so that its absence is not reported too. */
  taint(path: Path): void {
    this.#paths.add(showPath(path));
  }

  /** The name of the file in messages. */
  get file(): string {
    return this.#file;
  }

  get any(): boolean {
    return this.#found.length > 0;
  }

  /** True if a problem was noted at `path`, inside it or around it: what depends on it is then not worth a second one. */
  touch(path: Path): boolean {
    if (this.#parents.has(showPath(path))) return true;
    return [path, ...path.map((_, length) => path.slice(0, length))].some((part) => this.#paths.has(showPath(part)));
  }

  /** All of them in the order of the file; of more than a hundred the first, and how many there are. */
  get all(): readonly ConfigProblem[] {
    const sorted = this.#found.toSorted((a, b) => a.line - b.line || a.column - b.column);
    const more = sorted.length + this.#forgotten - MOST_SHOWN;
    const rest = { file: this.#file, line: 0, column: 0, path: '', message: `${more} more problems are not shown` };
    return more > 0 ? [...sorted.slice(0, MOST_SHOWN), rest] : sorted;
  }

  /** The error to throw for them. */
  toError(): ConfigError {
    return new ConfigError(this.all);
  }
}

/** A file that is no configuration at all would otherwise fill the screen. */
const MOST_SHOWN = 100;
/** Of those that are not shown most are only counted. */
const MOST_KEPT = 1000;

/** `channels."chat.{room}".history.age`: dotted, with quotes around names that hold more than letters, digits, `_` and `-`. */
export function showPath(path: Path): string {
  return path.map((name) => (/^[\w-]+$/.test(name) ? name : quote(name))).join('.');
}

/** What stands at a node, for a message: short, printable, without what an environment variable or a URL may hide. */
export function found(node: ConfigNode): string {
  if (node.kind === 'list') return 'a list';
  if (node.kind === 'map') return 'a map';
  if (node.variables.length > 0) return `the value of ${node.variables.map((name) => `\${${name}}`).join(' and ')}`;
  if (isNothing(node)) return 'nothing';
  const bare = node.plain && (isBoolean(node) || /^[\d.+-]+$/.test(node.text));
  return bare && node.text.length <= LONGEST_SHOWN ? node.text : quote(node.text);
}

const LONGEST_SHOWN = 60;

/** Text in double quotes, cut to 60 characters, what cannot be seen escaped, user and password of a URL hidden. */
export function quote(text: string): string {
  const safe = withoutLogin(text);
  return escapeInvisible(JSON.stringify(safe.length > LONGEST_SHOWN ? `${safe.slice(0, LONGEST_SHOWN)}...` : safe));
}

/** Everything between the first `://` and the last `@`: a password may have both in it. */
function withoutLogin(text: string): string {
  const start = text.indexOf('://');
  const end = text.lastIndexOf('@');
  return start >= 0 && end > start ? `${text.slice(0, start)}://***${text.slice(end)}` : text;
}

/** A sentence as it may be printed: hints repeat parts of the file, which may be long or made to deceive a terminal. */
function printable(sentence: string): string {
  const cut = sentence.length > LONGEST_SENTENCE ? `${sentence.slice(0, LONGEST_SENTENCE)}...` : sentence;
  return escapeInvisible(cut);
}

const LONGEST_SENTENCE = 500;

/** The text with what cannot be seen as `\\uXXXX`, which JSON and YAML read back within double quotes. */
export function escapeInvisible(text: string): string {
  return text.replace(INVISIBLE, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Control characters (terminals obey some), direction marks and zero-width characters (they make a text look like another). */
const INVISIBLE = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;
