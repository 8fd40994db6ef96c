/** The code that the documentation shows, taken from the page itself, so that what people copy is what the tests run. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { ROOT } from './sources.ts';

/** A code block; `name` is what follows its language, empty where the block is a fragment. */
export interface Sample {
  readonly language: string;
  readonly name: string;
  readonly code: string;
}

/** All code blocks of a page such as `docs/clients.md`, in order. */
export function samplesOf(page: string): Sample[] {
  const blocks = readFileSync(join(ROOT, page), 'utf8').matchAll(/^```(\w+) ?(\S*)\n([\s\S]*?)^```$/gm);
  return [...blocks].map(([, language = '', name = '', code = '']) => ({ language, name, code }));
}

/** The code of the block with that name. */
export function sample(page: string, name: string): string {
  const found = samplesOf(page).find((each) => each.name === name);
  if (found === undefined) throw new Error(`${page} has no sample named ${name}`);
  return found.code;
}

/** Replaces every one of `values` in a sample; throws where one does not occur, so that no test runs with what it did not mean. */
export function adapted(code: string, values: Readonly<Record<string, string>>): string {
  let text = code;
  for (const [shown, used] of Object.entries(values)) {
    if (!text.includes(shown)) throw new Error(`${JSON.stringify(shown)} does not occur in:\n${code}`);
    text = text.replaceAll(shown, used);
  }
  return text;
}

/** The cells of the first row of a page's tables that begins with that cell. */
export function tableRow(page: string, first: string): readonly string[] {
  const lines = readFileSync(join(ROOT, page), 'utf8').split('\n');
  const rows = lines.map((line) => line.split('|').map((cell) => cell.trim()));
  const row = rows.find(([, cell]) => cell === first);
  if (row === undefined) throw new Error(`${page} has no row for ${first}`);
  return row.slice(1, -1);
}

/** A module with all that it imports as one script, whose exports are members of the global `name`. */
export function pageScript(code: string, name: string): string {
  return bundle(code, { format: 'iife', globalName: name, platform: 'browser' });
}

/** A module with all that it imports, loaded into this process. */
export async function loadModule(code: string): Promise<Readonly<Record<string, unknown>>> {
  const text = bundle(code, { format: 'esm', platform: 'node' });
  return (await import(`data:text/javascript;base64,${Buffer.from(text).toString('base64')}`)) as Record<
    string,
    unknown
  >;
}

function bundle(
  code: string,
  options: { format: 'iife' | 'esm'; globalName?: string; platform: 'browser' | 'node' },
): string {
  const stdin = { contents: code, resolveDir: ROOT, loader: 'js' as const };
  const { outputFiles } = buildSync({
    stdin,
    bundle: true,
    write: false,
    logLevel: 'error',
    target: 'es2022',
    ...options,
  });
  const [file] = outputFiles;
  if (file === undefined) throw new Error('esbuild wrote nothing');
  return file.text;
}
