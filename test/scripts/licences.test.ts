/** The licence notice that the executable carries. */
import assert from 'node:assert/strict';
import { mkdirSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { licenceNotice } from '../../scripts/licences.ts';
import { scratchFolder } from '../support/scratch.ts';
import { ROOT } from '../support/sources.ts';

const NODE = realpathSync(process.execPath);

test('the notice has the product, Node and every bundled package once, with their terms', () => {
  const inputs = ['yaml/a.js', 'yaml/lib/b.js', '@ioredis/commands/c.js'].map((file) =>
    join(ROOT, 'node_modules', file),
  );
  const notice = licenceNotice(ROOT, [...inputs, join(ROOT, 'src/event.ts')], NODE);
  const titles = notice.split(`${'-'.repeat(80)}\n\n`).map((section) => section.split(/ [\d.v]+\n/, 1)[0]);
  assert.deepEqual(titles, ['sse-gateway', 'Node.js', '@ioredis/commands', 'yaml']);
  assert.match(notice, /Permission to use, copy, modify/);
});

test('a package that says nothing about its licence stops the build', async (t) => {
  const folder = join(await scratchFolder(t), 'node_modules/silent');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{"name":"silent","version":"1.0.0"}');
  assert.throws(() => licenceNotice(ROOT, [join(folder, 'index.js')], NODE), /silent says nothing about its licence/);
});
