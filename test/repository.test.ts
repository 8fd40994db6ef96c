/** Holds that the repository depends on no machine: not the one it was written on, and no mirror of a package registry. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { test } from 'node:test';
import { ROOT } from './support/sources.ts';

/** Not part of what is handed on. */
const LEFT_OUT = new Set(['.git', 'node_modules', 'dist']);

const REGISTRY_HOST =
  /\b(registry|npm|pypi|artifactory|nexus|verdaccio)\.[a-z0-9-]+\.[a-z]{2,}\b|\bnpmjs\.(org|com)\b/i;

const files = filesBelow(ROOT).map((path) => ({ path: relative(ROOT, path), text: readFileSync(path, 'latin1') }));

test('no file names the host of a package registry', () => {
  assert.deepEqual(
    linesWith((line) => REGISTRY_HOST.test(line)),
    [],
  );
});

test('no file holds an absolute path of the machine it was written on', () => {
  const own = readdirSync(ROOT).map((name) => `${ROOT}/${name}`);
  const home = /(^|[^\w.~/-])\/(home|Users)\/[a-z]\w*\//;
  assert.deepEqual(
    linesWith((line) => own.some((path) => line.includes(path)) || home.test(line)),
    [],
  );
});

test('the lockfile says what a package is, not where it was fetched', () => {
  const lock = readFileSync(join(ROOT, 'package-lock.json'), 'utf8');
  assert.doesNotMatch(lock, /"resolved"|https?:\/\/[^"]*\.tgz/);
  assert.match(lock, /"integrity"/);
});

test('npm is told no registry and runs no other Node than the pinned one', () => {
  assert.doesNotMatch(readFileSync(join(ROOT, '.npmrc'), 'utf8'), /registry\s*=/);
  const { engines, optionalDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    engines: { node: string };
    optionalDependencies: Record<string, string>;
  };
  const pinned = Object.values(optionalDependencies);
  const [major = '', minor = ''] = pinned[0]?.split('.') ?? [];
  assert.deepEqual(new Set(pinned).size, 1, 'all architectures have the same Node');
  assert.equal(engines.node, `>=${major}.${minor} <${Number(major) + 1}`);
  assert.match(process.versions.node, new RegExp(`^${major}\\.`));
});

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => !LEFT_OUT.has(entry.name) && !entry.name.endsWith('.log'))
    .flatMap((entry) => {
      const path = join(entry.parentPath, entry.name);
      if (entry.isDirectory()) return filesBelow(path);
      return entry.isFile() ? [path] : [];
    });
}

function linesWith(isWrong: (line: string) => boolean): string[] {
  return files.flatMap(({ path, text }) =>
    text
      .split('\n')
      .flatMap((line, index) => (isWrong(line) ? [`${path}:${index + 1}: ${line.trim().slice(0, 120)}`] : [])),
  );
}
