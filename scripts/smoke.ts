/**
 * Tries the built executable as a stranger would: from an empty folder, with an empty PATH and environment,
 * and, where this runs as root, in a root that holds nothing but the executable and the C and C++ libraries.
 */
import assert from 'node:assert/strict';
import { type ChildProcessByStdio, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { findExecutable } from '../test/support/prerequisites.ts';

const EXECUTABLE = resolve(process.argv[2] ?? join(import.meta.dirname, '../dist/sse-gateway'));

/** The only libraries that the target must have. */
const LIBRARIES = /^(libc|libm|libdl|libpthread|libstdc\+\+|libgcc_s|ld-linux-[a-z0-9-]+)\.so\.\d+$/;

/** Nothing here takes longer, in milliseconds, not even on a busy machine. */
const PATIENCE = 30_000;

/** What `--version` may take beyond the start of Node itself, in milliseconds. */
const STARTUP_LIMIT = 60;

/** A command line that begins with the executable, and the folder it runs in. */
interface Place {
  readonly command: readonly [string, ...string[]];
  readonly cwd: string;
}

type Running = ChildProcessByStdio<null, Readable, Readable>;

assert.ok(existsSync(EXECUTABLE), `${EXECUTABLE} is missing: run \`npm run build\` first`);
const folder = mkdtempSync(join(tmpdir(), 'smoke-'));
try {
  await tryIn('empty folder', emptyFolder(folder));
  const root = emptyRoot(folder);
  if (root === undefined) console.log('smoke: not root, so the empty root is left out');
  else await tryIn('empty root', root);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function tryIn(title: string, place: Place): Promise<void> {
  assert.match(await output(place, ['--version']), /^\d+\.\d+\.\d+\S*\n$/);
  assert.match(await output(place, ['--help']), /serve[\s\S]*publish[\s\S]*tail/);
  const server = start(place, ['serve', '--listen', '127.0.0.1:0']);
  try {
    await roundTrip(place, await firstMatch(server.stderr, /https?:\/\/[\d.:]+(?=[\s/])/));
    server.kill('SIGTERM');
    assert.equal(await exitCode(server), 0, 'SIGTERM ends `serve` with 0');
  } finally {
    server.kill('SIGKILL');
  }
  console.log(
    `smoke: ${title}: --version, --help, serve, publish, tail, SIGTERM are well; --version takes ${startup(place)} ms more than an empty Node`,
  );
}

/** Publishes one event when `gateway.open` says that `tail` follows the channel. */
async function roundTrip(place: Place, url: string): Promise<void> {
  const tail = start(place, ['tail', 'smoke', '--url', url, '--json', '--gateway-events', '--count', '2']);
  const lines = createInterface({ input: tail.stdout })[Symbol.asyncIterator]();
  assert.match((await lines.next()).value ?? '', /gateway\.open/);
  await output(place, ['publish', 'smoke', 'hello', '--url', url]);
  assert.match((await lines.next()).value ?? '', /"hello"/);
  assert.equal(await exitCode(tail), 0, '`tail --count` ends with 0');
}

function start({ command: [program, ...before], cwd }: Place, args: readonly string[]): Running {
  const stdio: ['ignore', 'pipe', 'pipe'] = ['ignore', 'pipe', 'pipe'];
  const child = spawn(program, [...before, ...args], { cwd, env: {}, stdio, timeout: PATIENCE, killSignal: 'SIGKILL' });
  child.stderr.on('data', (chunk: Buffer) => process.stderr.write(chunk));
  return child;
}

async function output(place: Place, args: readonly string[]): Promise<string> {
  const child = start(place, args);
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  assert.equal(await exitCode(child), 0, `\`${args.join(' ')}\` ends with 0`);
  return text;
}

async function exitCode(child: Running): Promise<number | string> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'close');
  return child.exitCode ?? child.signalCode ?? 'unknown';
}

async function firstMatch(stream: Readable, pattern: RegExp): Promise<string> {
  let text = '';
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
    text += String(chunk);
    const match = pattern.exec(text);
    if (match !== null) return match[0];
  }
  throw new Error(`the output ended without ${pattern}`);
}

/** How long `--version` takes beyond the start of Node itself, in milliseconds. */
function startup({ command, cwd }: Place): number {
  const bare = fastest([process.execPath, '-e', '0'], cwd);
  const over = fastest([...command, '--version'], cwd) - bare;
  // On a machine that is busy with other work everything takes longer.
  assert.ok(
    over <= Math.max(STARTUP_LIMIT, 2 * bare),
    `--version takes ${over} ms more than an empty Node; a heavy module is loaded too early`,
  );
  return over;
}

/** The fastest of ten runs: the others measure the machine. */
function fastest([program = '', ...args]: readonly string[], cwd: string): number {
  const times = Array.from({ length: 20 }, () => {
    const begin = performance.now();
    const { stderr } = spawnSync(program, args, { cwd, env: {}, encoding: 'utf8' });
    const took = performance.now() - begin;
    // V8 says here that it has rejected the code cache, and then every start takes ten times as long.
    assert.equal(stderr, '');
    return took;
  });
  return Math.round(Math.min(...times));
}

function emptyFolder(within: string): Place {
  const cwd = join(within, 'folder');
  mkdirSync(cwd);
  return { command: [EXECUTABLE], cwd };
}

/** A root with the executable and its libraries; undefined where this user may not change roots. */
function emptyRoot(within: string): Place | undefined {
  const chroot = findExecutable('chroot');
  if (process.getuid?.() !== 0 || chroot === undefined) return undefined;
  const root = join(within, 'root');
  for (const file of librariesOf(EXECUTABLE)) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    copyFileSync(file, join(root, file));
  }
  copyFileSync(EXECUTABLE, join(root, 'sse-gateway'));
  return { command: [chroot, root, '/sse-gateway'], cwd: within };
}

function librariesOf(executable: string): string[] {
  const { stdout } = spawnSync('ldd', [executable], { encoding: 'utf8' });
  const files = [...stdout.matchAll(/(\/\S+) \(0x/g)].map((match) => match[1] ?? '');
  const foreign = files.filter((file) => !LIBRARIES.test(file.replace(/^.*\//, '')));
  assert.deepEqual(foreign, [], 'the executable needs libc and libstdc++ only');
  assert.ok(files.length > 0, '`ldd` names the libraries');
  return files;
}
