/** The address of a Redis may stand in a file of its own, whose content no message ever shows. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { after, describe, test } from 'node:test';
import { loadConfig } from '../../src/config/load.ts';
import { describeProblem } from '../../src/errors.ts';
import { load, problemsOf } from './support.ts';

const folder = mkdtempSync(join(tmpdir(), 'sse-gateway-secret-'));
after(() => rmSync(folder, { recursive: true }));

const CHANNELS = 'channels: {prices: {}}\n';
const URL_WITH_PASSWORD = 'redis://:hunter2@redis.example.com/3';

describe('a Redis address in a file', () => {
  test('is read without the line end that editors add', async () => {
    for (const end of ['', '\n', '\r\n']) {
      const file = written('url', `${URL_WITH_PASSWORD}${end}`);
      const { sources } = await load(`redis_file: ${file}\n${CHANNELS}`);
      const redis = { host: 'redis.example.com', port: 6379, db: 3, tls: false, password: 'hunter2' };
      assert.deepEqual(sources.get('redis'), { name: 'redis', redis, file, prefix: '' });
    }
  });

  test('serves a named source, by a path from the environment or a link', async () => {
    const file = written('named', 'rediss://two:7000');
    symlinkSync(file, join(folder, 'link'));
    const text = `sources: {main: {redis_file: "\${DIR}/link", prefix: "app:"}}\n${CHANNELS}`;
    const { sources } = await load(text, { DIR: folder });
    assert.equal(sources.get('main')?.redis.tls, true);
    assert.equal(sources.get('main')?.prefix, 'app:');
  });

  test('stands beside the configuration where its path is relative', async () => {
    written('beside', 'redis://beside');
    const file = written('config.yaml', `redis_file: beside\n${CHANNELS}`);
    for (const path of [file, relative(process.cwd(), file)]) {
      const { sources } = await loadConfig({ file: path, env: {} });
      const redis = { host: 'beside', port: 6379, db: 0, tls: false };
      assert.deepEqual(sources.get('redis'), { name: 'redis', redis, file: join(folder, 'beside'), prefix: '' });
    }
  });

  test('that cannot be had is explained', async () => {
    mkdirSync(join(folder, 'directory'));
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    symlinkSync('loop', join(folder, 'loop'));
    assert.match(await saidOf(join(folder, 'missing')), /: there is no such file$/);
    assert.match(await saidOf(join(folder, 'directory')), /: is a directory, not a file$/);
    assert.match(await saidOf(join(folder, 'pipe')), /: is a pipe, not a file$/);
    assert.match(await saidOf(join(folder, 'loop')), /: is a symbolic link that leads back to itself$/);
    assert.match(await saidOf('/dev/zero'), /: is a socket or a device, not a file$/);
    assert.match(await saidOf(written('empty', '')), /: is empty \(write the secret into it\)$/);
    assert.match(await saidOf(written('blank', '\n')), /: is empty/);
    assert.match(await saidOf(written('large', 'x'.repeat(64 * 1024 + 1))), /: is larger than 64 KiB/);
    assert.match(await saidOf(written('latin1', Buffer.from('redis://:é@x', 'latin1'))), /: is no UTF-8 text/);
  });

  test('that is no Redis URL is refused, and nothing of it is shown', async () => {
    const contents = [
      'hunter2',
      'hunter2://x',
      'redis://hunter2@x',
      'redis://:hunter2@',
      'redis://:hun/ter2@x',
      '\n\nhunter2',
    ];
    for (const content of [
      ...contents,
      'redis://x:hunter2',
      'redis://x/hunter2',
      'redis://x?hunter2',
      'redis://a\nhunter2',
    ]) {
      const said = await saidOf(written('bad', content));
      assert.match(said, /^1:1: redis_file: the file does not hold a Redis URL: /, content);
      assert.doesNotMatch(said, /hunter2|ter2/);
    }
  });

  test('is warned of where everybody on the machine may read the password', async () => {
    const file = written('open', URL_WITH_PASSWORD);
    const warned = async () => (await load(`redis_file: ${file}\n${CHANNELS}`)).warnings.map(describeProblem);
    chmodSync(file, 0o644);
    const [said, ...more] = await warned();
    assert.match(
      said ?? '',
      /^c\.yaml:1:1: redis_file: found ".*", a file with a password that every user of this machine may read \(run chmod o-r on it\)$/,
    );
    assert.deepEqual(more, []);
    chmodSync(file, 0o640);
    assert.deepEqual(await warned(), []);
    writeFileSync(file, 'redis://no-password');
    chmodSync(file, 0o644);
    assert.deepEqual(await warned(), []);
  });

  test('cannot stand beside the address itself', async () => {
    const file = written('twice', 'redis://x');
    assert.deepEqual(await problemsOf(`redis: redis://y\nredis_file: ${file}\n${CHANNELS}`), [
      '2:1: redis_file: redis says the address already (keep either redis or redis_file)',
    ]);
    assert.deepEqual(await problemsOf(`redis_file: ${file}\nsources: {redis: {redis: redis://y}}\n${CHANNELS}`), [
      '2:11: sources.redis: the key redis_file: at the top level is the source of this name already (keep one of them)',
    ]);
  });
});

function written(name: string, content: string | Buffer): string {
  const file = join(folder, name);
  writeFileSync(file, content, { mode: 0o600 });
  return file;
}

async function saidOf(file: string): Promise<string> {
  return (await problemsOf(`redis_file: ${file}\n${CHANNELS}`)).join('\n');
}
