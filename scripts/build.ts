/** Builds `dist/sse-gateway`: one bundle with everything in it, injected into a copy of the Node that runs this. */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { type BuildOptions, build } from 'esbuild';
import { licenceNotice } from './licences.ts';

const ROOT = resolve(import.meta.dirname, '..');
const ENTRY = resolve(process.argv[2] ?? join(ROOT, 'bin/sse-gateway.ts'));
const DIST = resolve(process.argv[3] ?? join(ROOT, 'dist'));
const BUNDLE = join(DIST, 'sse-gateway.cjs');
const EXECUTABLE = join(DIST, 'sse-gateway');
const NODE = realpathSync(process.execPath);

/**
 * The young generation is kept small: thousands of connections that come at once would let it grow to many times what
 * they need, and it hardly shrinks again. Deliveries make little garbage, so they lose nothing by it. The old one grows
 * by half at a time: by default a client that catches up on a long stream made it twice as large as it had to be.
 */
const NODE_FLAGS = ['--max-semi-space-size=4', '--heap-growing-percent=50'];

/** The mark in Node's binary that says whether an application was put in (Node documentation, single executable applications). */
const SENTINEL_FUSE = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';

rmSync(DIST, { recursive: true, force: true });
mkdirSync(DIST, { recursive: true });
await bundle();
prepareNode();
injectBundle();
console.log(`${EXECUTABLE}: ${Math.round(statSync(EXECUTABLE).size / 1e6)} MB`);

/** Bundles twice: the licence notice is made from what the first bundle turned out to hold. */
async function bundle(): Promise<void> {
  const first = await build({ ...bundleOptions(''), write: false, sourcemap: false, metafile: true });
  const inputs = Object.keys(first.metafile.inputs).map((file) => resolve(ROOT, file));
  await build(bundleOptions(licenceNotice(ROOT, inputs, NODE)));
}

function bundleOptions(notice: string): BuildOptions {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
  return {
    absWorkingDir: ROOT,
    entryPoints: [ENTRY],
    outfile: BUNDLE,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: `node${process.versions.node}`,
    // Whitespace stays: Node prints the source line of an uncaught error, and that line would be the whole bundle.
    minifySyntax: true,
    // Kept beside the executable: inside it a map is not applied and costs memory.
    sourcemap: 'external',
    legalComments: 'none',
    logLevel: 'warning',
    banner: { js: "const bundleUrl = require('node:url').pathToFileURL(__filename).href;" },
    define: {
      'import.meta.url': 'bundleUrl',
      EMBEDDED_VERSION: JSON.stringify(version),
      EMBEDDED_CONSOLE_PAGE: JSON.stringify(readFileSync(join(ROOT, 'console/index.html'), 'utf8')),
      EMBEDDED_LICENCES: JSON.stringify(notice),
    },
  };
}

/** Copies Node and strips the copy: before the injection, because a binary that is stripped after it crashes. */
function prepareNode(): void {
  copyFileSync(NODE, EXECUTABLE);
  chmodSync(EXECUTABLE, 0o755);
  const { error } = spawnSync('strip', [EXECUTABLE], { stdio: 'inherit' });
  if (error !== undefined) console.warn('strip (binutils) is not installed: the executable will be about 18 MB larger');
}

function injectBundle(): void {
  const blob = join(DIST, 'sse-gateway.blob');
  const config = join(DIST, 'sea.json');
  const options = {
    main: BUNDLE,
    output: blob,
    disableExperimentalSEAWarning: true,
    useSnapshot: false,
    useCodeCache: true,
    execArgv: NODE_FLAGS,
  };
  writeFileSync(config, JSON.stringify(options));
  // With the flags it runs with: V8 rejects a code cache that was made with others.
  run(NODE, [...NODE_FLAGS, '--experimental-sea-config', config]);
  run(NODE, [
    join(ROOT, 'node_modules/.bin/postject'),
    EXECUTABLE,
    'NODE_SEA_BLOB',
    blob,
    '--sentinel-fuse',
    SENTINEL_FUSE,
  ]);
  rmSync(blob);
  rmSync(config);
}

/** Runs a tool of the build; what it prints is shown only where it fails. */
function run(command: string, args: readonly string[]): void {
  const { status, error, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  if (status === 0) return;
  throw new Error(`${command} ${args.join(' ')} failed\n${stdout}${stderr}`, { cause: error });
}
