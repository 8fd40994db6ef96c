/** The key file of a running `serve`: who can read it, where it lies, when it goes. */
import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { type KeyOwner, keyOfSharer, newLocalKey, readLocalKey, writeLocalKey } from '../../src/auth/local-key.ts';
import { scratchFolder } from '../support/scratch.ts';

const ADDRESS = '127.0.0.1:8080';

describe('the local key', () => {
  test('is fresh each time and fits into a header', () => {
    assert.match(newLocalKey(), /^[A-Za-z0-9_-]{43}$/);
    assert.notEqual(newLocalKey(), newLocalKey());
  });

  test('is read back for exactly the address that it was written for', async (t) => {
    const owner = await someOwner(t);
    const [key, other] = [newLocalKey(), newLocalKey()];
    write(owner, ADDRESS, key);
    write(owner, 'unix:/run/a/b.sock', other);
    assert.equal(readLocalKey(owner, ADDRESS), key);
    assert.equal(readLocalKey(owner, 'unix:/run/a/b.sock'), other);
    for (const address of ['127.0.0.1:8081', 'localhost:8080', '127.0.0.1:80', '', '../../etc/passwd']) {
      assert.equal(readLocalKey(owner, address), undefined, address);
    }
  });

  test('can be read by its owner alone', async (t) => {
    const file = write(await someOwner(t), ADDRESS, newLocalKey());
    assert.equal(lstatSync(file).mode & 0o777, 0o600);
    assert.equal(lstatSync(dirname(file)).mode & 0o777, 0o700);
  });

  test('goes with its gateway, and leaves nothing else behind', async (t) => {
    const owner = await someOwner(t);
    const written = writeLocalKey(owner, ADDRESS, newLocalKey());
    assert.ok(written.kind === 'written');
    written.remove();
    assert.deepEqual(readdirSync(dirname(written.file)), []);
    written.remove();
  });

  test('of gateways that share a port is the same one, in a file for each', async (t) => {
    const owner = await someOwner(t);
    const [key, stale] = [newLocalKey(), newLocalKey()];
    const running = new Set([11, 12]);
    const sharersKey = () => keyOfSharer(owner, ADDRESS, (pid) => running.has(pid));
    assert.equal(sharersKey(), undefined);
    const first = writeLocalKey(owner, ADDRESS, key, 11);
    assert.equal(sharersKey(), key);
    const second = writeLocalKey(owner, ADDRESS, key, 12);
    writeLocalKey(owner, ADDRESS, stale, 13);
    assert.equal(sharersKey(), key);
    assert.ok(first.kind === 'written' && second.kind === 'written');
    assert.equal(readdirSync(dirname(first.file)).length, 2, 'what gateway 13 left is gone');
    first.remove();
    assert.equal(readLocalKey(owner, ADDRESS), key);
    second.remove();
    assert.equal(readLocalKey(owner, ADDRESS), undefined);
    assert.equal(
      keyOfSharer(owner, '127.0.0.1:808', () => true),
      undefined,
    );
  });

  test('stays when another gateway has taken the address over', async (t) => {
    const owner = await someOwner(t);
    const old = writeLocalKey(owner, ADDRESS, newLocalKey());
    const key = newLocalKey();
    write(owner, ADDRESS, key);
    assert.ok(old.kind === 'written');
    old.remove();
    assert.equal(readLocalKey(owner, ADDRESS), key);
  });

  test('lies below the home where there is no runtime folder, and its folders are made', async (t) => {
    const home = await scratchFolder(t);
    const owner = { ...(await someOwner(t)), runtimeFolders: [join(home, 'none')], home };
    assert.equal(dirname(write(owner, ADDRESS, newLocalKey())), join(home, '.local/state/sse-gateway'));
    assert.equal(existsSync(join(home, 'none')), false);
  });

  test('is the newest one where several folders hold one', async (t) => {
    const owner = { ...(await someOwner(t)), home: await scratchFolder(t) };
    const old = write(owner, ADDRESS, newLocalKey());
    utimesSync(old, 1, 1);
    const key = newLocalKey();
    write({ ...owner, runtimeFolders: [] }, ADDRESS, key);
    assert.equal(readLocalKey(owner, ADDRESS), key);
  });

  test('is not written into a folder that others can use', async (t) => {
    const owner = await someOwner(t);
    const folder = join(owner.runtimeFolders[0] ?? '', 'sse-gateway');
    mkdirSync(folder);
    chmodSync(folder, 0o770);
    const written = writeLocalKey(owner, ADDRESS, newLocalKey());
    assert.ok(written.kind === 'failed' && written.reason.includes('chmod 700'), JSON.stringify(written));
    assert.deepEqual(readdirSync(folder), []);
  });

  test('is not written through a link, and a link in its place is replaced', async (t) => {
    const owner = await someOwner(t);
    const elsewhere = await scratchFolder(t);
    const folder = join(owner.runtimeFolders[0] ?? '', 'sse-gateway');
    symlinkSync(elsewhere, folder);
    assert.equal(writeLocalKey(owner, ADDRESS, newLocalKey()).kind, 'failed');

    const second = await someOwner(t);
    const target = join(elsewhere, 'target');
    writeFileSync(target, 'mine');
    const file = write(second, ADDRESS, newLocalKey());
    rmSync(file);
    symlinkSync(target, file);
    assert.equal(readLocalKey(second, ADDRESS), undefined);
    const key = newLocalKey();
    write(second, ADDRESS, key);
    assert.equal(readFileSync(target, 'utf8'), 'mine');
    assert.equal(readLocalKey(second, ADDRESS), key);
  });

  test('is not put into a folder of another user', async (t) => {
    const owner = { ...(await someOwner(t)), uid: 4_000_000 };
    const written = writeLocalKey(owner, ADDRESS, newLocalKey());
    assert.ok(written.kind === 'failed' && written.reason.includes('belongs to another user'));
    assert.deepEqual(readdirSync(owner.runtimeFolders[0] ?? ''), []);
  });

  test('is not believed where others could have written or read it', async (t) => {
    const owner = await someOwner(t);
    const file = write(owner, ADDRESS, newLocalKey());
    chmodSync(file, 0o644);
    assert.equal(readLocalKey(owner, ADDRESS), undefined);
    chmodSync(file, 0o600);
    assert.equal(readLocalKey({ ...owner, uid: 4_000_000 }, ADDRESS), undefined);
    for (const text of ['', 'short', `${'x'.repeat(43)}\r\nHost: evil`, 'x'.repeat(2000)]) {
      writeFileSync(file, text);
      assert.equal(readLocalKey(owner, ADDRESS), undefined, JSON.stringify(text));
    }
  });

  test('is found again for an address that is longer than a file name', async (t) => {
    const owner = await someOwner(t);
    const key = newLocalKey();
    const address = `unix:/${'ü'.repeat(100)}`;
    write(owner, address, key);
    assert.equal(readLocalKey(owner, address), key);
  });

  test('is not written, with a reason, where the user has no folder at all', () => {
    const nobody = { runtimeFolders: [], home: undefined, uid: undefined };
    assert.equal(writeLocalKey(nobody, ADDRESS, newLocalKey()).kind, 'failed');
    assert.equal(writeLocalKey({ ...nobody, runtimeFolders: ['relative'] }, ADDRESS, newLocalKey()).kind, 'failed');
    assert.equal(writeLocalKey({ ...nobody, home: '/dev/null' }, ADDRESS, newLocalKey()).kind, 'failed');
    assert.equal(readLocalKey(nobody, ADDRESS), undefined);
  });
});

/** A user whose only folder is a new one. */
async function someOwner(t: TestContext): Promise<KeyOwner> {
  return { runtimeFolders: [await scratchFolder(t)], home: undefined, uid: process.getuid?.() };
}

function write(owner: KeyOwner, address: string, key: string): string {
  const written = writeLocalKey(owner, address, key);
  assert.ok(written.kind === 'written', JSON.stringify(written));
  return written.file;
}
