/** What the executable carries, as it is read from source. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { consolePage, licences, version } from '../src/embedded.ts';
import { ROOT } from './support/sources.ts';

test('the version is that of the package', () => {
  const manifest: unknown = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  assert.partialDeepStrictEqual(manifest, { version });
});

test('the console page is a whole document', () => {
  assert.match(consolePage(), /^<!doctype html>[\s\S]*<\/html>\s*$/i);
});

test('from source, the licences are said to be with the packages', () => {
  assert.match(licences(), /node_modules\.\n$/);
});
