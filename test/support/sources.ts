/** The product's own source files as the tests of its shape see them: paths, text and imports. */
import { globSync, readFileSync } from 'node:fs';
import { join, posix, resolve } from 'node:path';
import { transformSync } from 'esbuild';

/** The folder of the repository, absolute. */
export const ROOT = resolve(import.meta.dirname, '../..');

/** One import of a file. */
export interface Import {
  /** A path from the root of the repository for a file, the bare name for a package or a part of Node. */
  readonly target: string;
  /** `static` is loaded with its importer, `dynamic` when its line runs, `type` never. */
  readonly kind: 'static' | 'dynamic' | 'type';
}

/** A source file; `path` is relative to the root of the repository, with `/`. */
export interface Source {
  readonly path: string;
  readonly text: string;
  readonly imports: readonly Import[];
}

/** All TypeScript files under the given folders, sorted by path. */
export function readSources(...folders: readonly string[]): Source[] {
  const paths = folders.flatMap((folder) => globSync(`${folder}/**/*.ts`, { cwd: ROOT }));
  return paths.sort().map((path) => {
    const text = readFileSync(join(ROOT, path), 'utf8');
    return { path, text, imports: importsOf(path, text) };
  });
}

/** The imports in a source text, in order; re-exports are imports. */
export function importsOf(path: string, text: string): Import[] {
  const statements = [...text.matchAll(/^(?:import|export)\s+(type\s)?(?:[^'";]*?\sfrom\s+)?['"]([^'"]+)['"]/gm)];
  const calls = [...text.matchAll(/(typeof\s+)?\bimport\(\s*['"]([^'"]+)['"]\s*\)(\.[A-Z])?/g)];
  return [
    ...statements.map(
      ([, type, target]) => ({ target: resolved(path, target), kind: type ? 'type' : 'static' }) as const,
    ),
    ...calls.map(
      ([, type, target, member]) =>
        ({ target: resolved(path, target), kind: type || member ? 'type' : 'dynamic' }) as const,
    ),
  ];
}

/**
 * Which of `globals`, such as `process.env` or `setTimeout`, a source text reads.
 * Found in the syntax tree: comments, strings and local variables of the same name do not count.
 */
export function globalsRead(text: string, globals: readonly string[]): string[] {
  const marks = new Map(globals.map((name, index) => [name, `GLOBAL_READ_${index}_`]));
  const { code } = transformSync(text, { loader: 'ts', define: Object.fromEntries(marks) });
  return globals.filter((name) => code.includes(marks.get(name) ?? name));
}

function resolved(from: string, target = ''): string {
  return target.startsWith('.') ? posix.normalize(posix.join(posix.dirname(from), target)) : target;
}
