/**
 * Runs the tests: `npm test` all, `npm test -- test/hub test/cursor.test.ts` some, `npm test -- --test-name-pattern=resume` by name.
 * `!folder` leaves a folder out. Everything that begins with `-` goes to `node --test`.
 */
import { spawn } from 'node:child_process';
import { globSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { ensurePrerequisites } from '../test/support/prerequisites.ts';

const ROOT = resolve(import.meta.dirname, '..');

/** A single test that takes longer hangs, in milliseconds. */
const TEST_LIMIT = 120_000;

/** All tests together, in milliseconds; at the end of it the runner names what still runs. */
const TOTAL_LIMIT = 15 * 60_000;

const FLAGS = [
  '--test',
  `--test-concurrency=${availableParallelism()}`,
  `--test-timeout=${TEST_LIMIT}`,
  `--import=${join(ROOT, 'test/support/watchdog.ts')}`,
];

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  const flags = args.filter((argument) => argument.startsWith('-'));
  const places = args.filter((argument) => !argument.startsWith('-'));
  const files = testFiles(places);
  if (files.length === 0) return complain(`no test file in ${places.join(' ')}`);
  try {
    ensurePrerequisites();
  } catch (error) {
    return complain(error instanceof Error ? error.message : String(error));
  }
  return await run([...FLAGS, ...flags, ...files]);
}

function testFiles(places: readonly string[]): string[] {
  const wanted = places.filter((place) => !place.startsWith('!'));
  const unwanted = places.filter((place) => place.startsWith('!')).flatMap((place) => filesIn(place.slice(1)));
  const files = (wanted.length === 0 ? ['test'] : wanted).flatMap(filesIn);
  return [...new Set(files)].filter((file) => !unwanted.includes(file)).sort();
}

function filesIn(place: string): string[] {
  const path = resolve(ROOT, place);
  const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
  return globSync(isFolder ? `${path}/**/*.test.ts` : path).map((file) => relative(ROOT, file));
}

async function run(args: readonly string[]): Promise<number> {
  const runner = spawn(process.execPath, args, {
    cwd: ROOT,
    stdio: ['ignore', 'inherit', 'inherit'],
    timeout: TOTAL_LIMIT,
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => runner.kill(signal));
  return await new Promise((done, fail) => {
    runner.on('error', fail);
    runner.on('close', (code) => done(code ?? 1));
  });
}

function complain(message: string): number {
  console.error(message);
  return 1;
}
