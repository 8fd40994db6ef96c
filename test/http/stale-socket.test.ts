/** The file of a unix socket after its gateway was killed. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { removeStaleSocket } from '../../src/http/stale-socket.ts';
import { scratchFolder } from '../support/scratch.ts';

const LEAVE = `require('node:net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))`;

describe('the file of a unix socket', () => {
  test('is removed where nobody listens behind it', async (t) => {
    const path = join(await scratchFolder(t), 'left.sock');
    spawnSync(process.execPath, ['-e', LEAVE, path]);
    assert.ok(existsSync(path));
    await removeStaleSocket(path);
    assert.equal(existsSync(path), false);
  });

  test('stays where somebody listens', async (t) => {
    const path = join(await scratchFolder(t), 'used.sock');
    const server = createServer().listen(path);
    t.after(() => server.close());
    await new Promise((resolve) => server.once('listening', resolve));
    await removeStaleSocket(path);
    assert.ok(existsSync(path));
  });

  test('stays where it is no socket at all', async (t) => {
    const path = join(await scratchFolder(t), 'plain');
    writeFileSync(path, 'x');
    await removeStaleSocket(path);
    assert.ok(existsSync(path));
    await removeStaleSocket(`${path}.none`);
  });
});
