/** Holds the layers: who may import whom, who may touch which package, what the edge alone may read. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { globalsRead, importsOf, readSources, type Source } from './support/sources.ts';

/** Files that lie in `src/` itself and are the shared words. */
const RANK_0 = ['event', 'position', 'cursor', 'ending', 'errors', 'logger', 'log-sink', 'clock', 'embedded'];

/** From the layers table; a file imports from its own folder and from lower ranks only. */
const RANKS: Readonly<Record<string, number>> = {
  ...Object.fromEntries(RANK_0.map((name) => [`src/${name}.ts`, 0])),
  ...{ 'src/config': 1, 'src/sse': 1, 'src/metrics': 1, 'src/client': 1, 'src/load': 1 },
  ...{ 'src/source': 2, 'src/channel': 2, 'src/auth': 2 },
  ...{ 'src/hub': 3, 'src/fanout': 4, 'src/http': 5, 'src/compat': 6, 'src/app.ts': 7, 'src/cli': 8 },
};

/** Who alone may load a package or a part of Node. */
const OWNERS: readonly (readonly [target: RegExp, owner: RegExp])[] = [
  [/^node:(http|https|http2)$/, /^src\/(sse|http)\//],
  [/^ioredis(\/|$)/, /^src\/source\/redis-/],
  [/^yaml(\/|$)/, /^src\/config\/load\.ts$/],
  [/^jose(\/|$)/, /^src\/auth\//],
  [/^commander(\/|$)/, /^src\/cli\//],
  [/^pino(-pretty)?(\/|$)/, /^src\/logger\.ts$/],
  [/^undici(\/|$)/, /^src\/client\//],
  [/^node:(timers|timers\/promises|process)$/, /^src\/(cli\/|clock\.ts$)/],
];

/** What reads the environment or the time; everything below the edge is handed them. */
const EDGE_GLOBALS = ['process.env', 'process.hrtime', 'Date.now', 'performance', 'setTimeout', 'setInterval'];
const EDGE = /^(bin\/|src\/cli\/|src\/(clock|embedded)\.ts$)/;

/** Words that say nothing about what is in a file or folder. */
const EMPTY_NAME = /(^|[/.-])(utils?|types?|common|helpers?|misc|shared|manager|impl)([/.-]|$)|(^|\/)index\.ts$/;

const product = readSources('src', 'bin');

describe('the layers', () => {
  test('every source file has a rank', () => {
    assert.deepEqual(
      offenders(product, (file) => rankOf(file.path) === undefined),
      [],
    );
  });

  test('a file imports from its own folder and from lower ranks only', () => {
    assert.deepEqual(
      offendingImports((file, target) => isOwnFile(target) && !mayImport(file.path, target)),
      [],
    );
  });

  test('no file imports itself by way of others', () => {
    assert.deepEqual(cycles(product), []);
  });

  test('the entry imports the command line and what is embedded only', () => {
    const allowed = /^src\/(cli\/.+|embedded)\.ts$|^node:/;
    assert.deepEqual(
      offendingImports((file, target) => file.path.startsWith('bin/') && !allowed.test(target)),
      [],
    );
  });

  test('each package and protocol is touched where it belongs only', () => {
    const strays = offendingImports((file, target) =>
      OWNERS.some(([what, owner]) => what.test(target) && !owner.test(file.path)),
    );
    assert.deepEqual(strays, []);
  });

  test('nothing below the edge reads the environment, a clock or a timer of its own', () => {
    const reads = product
      .filter((file) => !EDGE.test(file.path))
      .flatMap((file) => readsOfEdge(file.text).map((name) => `${file.path} reads ${name}`));
    assert.deepEqual(reads, []);
  });

  test('nothing that takes long to load is loaded before a command asks for it', () => {
    const heavy = /^(ioredis|pino|pino-pretty|undici|yaml|jose)(\/|$)/;
    const loaded = loadedWith('bin/sse-gateway.ts');
    assert.deepEqual(
      offendingImports((file, target, kind) => kind === 'static' && loaded.has(file.path) && heavy.test(target)),
      [],
    );
  });
});

describe('the files', () => {
  test('no name is a drawer', () => {
    assert.deepEqual(
      offenders([...product, ...readSources('test', 'scripts')], (file) => EMPTY_NAME.test(file.path)),
      [],
    );
  });

  test('every file opens with a sentence that says what it is for', () => {
    const opening = /^(#!.*\n)?\/\*\*\s+(\* )?\S[\s\S]*?[.:;]\s/;
    assert.deepEqual(
      offenders([...product, ...readSources('test', 'scripts')], (file) => !opening.test(file.text)),
      [],
    );
  });
});

describe('the measures of this test', () => {
  test('all forms of import are seen, and none in comments', () => {
    const text = [
      "/** import x from './comment.ts' */",
      "import './effect.ts';",
      "import {\n  a,\n  type B,\n} from '../b/value.ts';",
      "import type { C } from 'package';",
      "export { d } from './reexport.ts';",
      "export const text = 'words';",
      "const later = await import('./later.ts');",
      "type E = import('./e.ts').E;",
    ].join('\n');
    assert.deepEqual(
      importsOf('src/a/file.ts', text).map(({ target, kind }) => `${kind} ${target}`),
      [
        'static src/a/effect.ts',
        'static src/b/value.ts',
        'type package',
        'static src/a/reexport.ts',
        'dynamic src/a/later.ts',
        'type src/a/e.ts',
      ],
    );
  });

  test('reads of the environment and the time are seen, and no names in strings, comments or scopes', () => {
    assert.deepEqual(readsOfEdge("const a = process.env['A']; setTimeout(run, 1); new Date();"), [
      'process.env',
      'setTimeout',
      'new Date()',
    ]);
    assert.deepEqual(
      readsOfEdge("// Date.now()\nconst s = 'setTimeout'; function f(performance: P) { return performance.now(); }"),
      [],
    );
  });

  test('a cycle is found', () => {
    const file = (path: string, target: string): Source => ({ path, text: '', imports: [{ target, kind: 'type' }] });
    assert.deepEqual(cycles([file('a.ts', 'b.ts'), file('b.ts', 'c.ts'), file('c.ts', 'b.ts')]), [
      'b.ts -> c.ts -> b.ts',
    ]);
  });
});

function rankOf(path: string): number | undefined {
  return path.startsWith('bin/') ? Number.POSITIVE_INFINITY : RANKS[layerOf(path)];
}

/** The folder right below `src`, or the file itself where it lies in `src`. */
function layerOf(path: string): string {
  return path.split('/').slice(0, 2).join('/');
}

function isOwnFile(target: string): boolean {
  return /^(src|bin|test|scripts|console)\//.test(target);
}

function mayImport(from: string, to: string): boolean {
  const [ours, theirs] = [rankOf(from), rankOf(to)];
  if (ours === undefined || theirs === undefined) return false;
  return theirs < ours || layerOf(from) === layerOf(to) || (ours === 0 && theirs === 0);
}

function offenders(files: readonly Source[], isWrong: (file: Source) => boolean): string[] {
  return files.filter(isWrong).map((file) => file.path);
}

function offendingImports(isWrong: (file: Source, target: string, kind: string) => boolean): string[] {
  return product.flatMap((file) =>
    file.imports
      .filter(({ target, kind }) => isWrong(file, target, kind))
      .map(({ target }) => `${file.path} imports ${target}`),
  );
}

/** Every cycle once, as `a -> b -> a`, from the first file of it that a walk in order of paths meets. */
function cycles(files: readonly Source[]): string[] {
  const imports = new Map(files.map((file) => [file.path, file.imports.map(({ target }) => target)]));
  const found: string[] = [];
  const done = new Set<string>();
  const walk = (path: string, trail: readonly string[]): void => {
    if (trail.includes(path)) found.push([...trail.slice(trail.indexOf(path)), path].join(' -> '));
    if (trail.includes(path) || done.has(path)) return;
    for (const target of imports.get(path) ?? []) walk(target, [...trail, path]);
    done.add(path);
  };
  for (const path of imports.keys()) walk(path, []);
  return found;
}

/** The files that are loaded together with `entry`. */
function loadedWith(entry: string): Set<string> {
  const loaded = new Set([entry]);
  for (const path of loaded) {
    const imports = product.find((file) => file.path === path)?.imports ?? [];
    for (const { target, kind } of imports) if (kind === 'static') loaded.add(target);
  }
  return loaded;
}

function readsOfEdge(text: string): string[] {
  return [...globalsRead(text, EDGE_GLOBALS), ...(/\bnew Date\(\)/.test(text) ? ['new Date()'] : [])];
}
