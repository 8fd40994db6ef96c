/** Where nobody can listen, and what is said of it. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { ListenError } from '../../src/errors.ts';
import { startListening } from '../../src/http/listening.ts';
import { scratchFolder } from '../support/scratch.ts';

test('a unix socket without a folder, and one in the place of a file, are told apart from what is taken', async (t) => {
  const folder = await scratchFolder(t);
  const file = join(folder, 'file');
  await writeFile(file, '');
  for (const [path, reason] of [
    [join(folder, 'none', 'a.sock'), /there is no folder .*none$/],
    [file, /a file that is no socket is there already$/],
  ] as const) {
    const server = createServer();
    const listening = { listen: { kind: 'unix', path } as const, inherited: undefined, reusePort: false };
    await assert.rejects(startListening(server, listening), (error) => {
      assert.ok(error instanceof ListenError);
      assert.match(error.message, reason);
      return true;
    });
  }
});
