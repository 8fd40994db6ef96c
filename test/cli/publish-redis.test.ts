/** `publish` without a gateway: what is in Redis afterwards, and what is said where it cannot be known. */
import assert from 'node:assert/strict';
import { before, describe, type TestContext, test } from 'node:test';
import { stringDigest } from '../../src/source/redis-key-digest.ts';
import { runCommand, startGateway, writeConfig } from '../support/gateway.ts';
import { heard } from '../support/heard.ts';
import { suiteOwner } from '../support/owner.ts';
import { type RedisServer, redisNotStarted, startRedis, subscribersOf } from '../support/redis.ts';
import type { RespClient } from '../support/resp.ts';
import { scratchFolder } from '../support/scratch.ts';
import { waitFor } from '../support/wait.ts';

describe('publish without a gateway', () => {
  const owner = suiteOwner();
  let redis: RedisServer;
  before(async () => {
    redis = await startRedis(owner);
  });

  test('writes to a channel of Redis by its own name with --redis, byte for byte', async (t) => {
    const heard = await hear(t, redis, 'app:any thing');
    const { code, stdout, stderr } = await run(t, ['app:any thing', '--redis', redis.url, '-'], 'a\r\nb\n');
    assert.deepEqual({ code, stdout, stderr }, { code: 0, stdout: 'receivers: 1\n', stderr: '' });
    const { stdout: answer } = await run(t, ['nobody', '', '--redis', redis.url, '--json']);
    assert.deepEqual(JSON.parse(answer), { channel: 'nobody', receivers: 0 });
    assert.deepEqual(await heard(1), ['a\r\nb\n']);
  });

  test('writes as the configuration says with --config: feed, prefix, format', async (t) => {
    const config = await configOf(t, redis.url);
    const heard = await hear(t, redis, 'app:chat:7', 'app:alerts');
    assert.equal((await run(t, ['chat.7', 'hi', '--config', config])).code, 0);
    const flags = ['--event', 'alarm', '--id', '9', '--end', '--json'];
    const { stdout } = await run(t, ['alerts', 'disk "full"', ...flags, '--config', config]);
    assert.deepEqual(JSON.parse(stdout), { channel: 'alerts', receivers: 1 });
    assert.equal((await run(t, ['alerts', '--end', '--config', config])).code, 0);
    const [plain, enveloped = '', end = ''] = await heard(3);
    assert.equal(plain, 'hi');
    assert.deepEqual(JSON.parse(enveloped), { data: 'disk "full"', event: 'alarm', id: '9', end: true });
    assert.deepEqual(JSON.parse(end), { end: true });
  });

  test('is seen by the subscribers of a gateway as an event like any other', async (t) => {
    const text = `redis: ${redis.url}\nchannels: {seen: {pubsub: "e2e:seen", format: envelope}}\n`;
    const gateway = await startGateway(t, { config: text });
    const stream = await heard(t, gateway, '/events/seen');
    const config = await writeConfig(await scratchFolder(t), text);
    await run(t, ['seen', 'x', '--event', 'tick', '--config', config]);
    const { type, data } = await stream.next();
    assert.deepEqual({ type, data }, { type: 'tick', data: 'x' });
  });

  test('adds entries to a stream as the configuration says, and prints their ids', async (t) => {
    const config = await configOf(t, redis.url);
    const client = redis.client(t);
    const { code, stdout, stderr } = await run(t, ['log.7', 'a\r\nb', '--config', config]);
    assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
    assert.match(stdout, /^\d{13}-\d+\n$/);
    const flags = ['--event', 'tick', '--id', '9', '--end', '--json', '--config', config];
    const { stdout: json } = await run(t, ['log.7', 'last', ...flags]);
    const answer: unknown = JSON.parse(json);
    const entries = await client.command('XRANGE', 'app:log:7', '-', '+');
    const [first, last] = Array.isArray(entries) ? entries : [];
    assert.deepEqual(first, [stdout.trim(), ['text', 'a\r\nb']]);
    const id = Array.isArray(last) ? last[0] : undefined;
    assert.deepEqual(answer, { channel: 'log.7', id });
    assert.deepEqual(last, [id, ['text', 'last', 'event', 'tick', 'id', '9', 'end', 'true']]);
    const left = Number(await client.command('PTTL', 'app:log:7'));
    assert.ok(left > 3_000_000 && left <= 3_600_000, `${left}`);
    const lines = Array.from({ length: 3000 }, (_, index) => `line ${index}`).join('\n');
    assert.equal((await run(t, ['log.8', '--lines', '--config', config], lines)).stdout, 'lines: 3000\n');
    const kept = Number(await client.command('XLEN', 'app:log:8'));
    assert.ok(kept >= 100 && kept < 300, `${kept}`);
  });

  test('adds an entry once for each idempotency key, the same as through a gateway', async (t) => {
    const config = await configOf(t, redis.url);
    const client = redis.client(t);
    const once = ['log.9', 'x', '--event', 'e', '--idempotency-key', 'k', '--config', config];
    const first = await run(t, once);
    assert.deepEqual([first.code, first.stderr], [0, '']);
    const again = await run(t, once);
    assert.deepEqual([again.code, again.stdout], [0, first.stdout]);
    assert.match(again.stderr, /published before with this key/);
    const text = `sources: {main: {redis: "${redis.url}", prefix: "app:"}}
channels: {log.9: {stream: "log:9", fields: {data: text}}}
allow: {publish: ["*"]}
`;
    const gateway = await startGateway(t, { config: text });
    const headers = { 'Idempotency-Key': 'k' };
    const response = await fetch(`${gateway.url}/events/log.9?event=e`, { method: 'POST', body: 'x', headers });
    assert.deepEqual(await response.json(), { channel: 'log.9', id: first.stdout.trim(), duplicate: true });
    assert.equal(await client.command('XLEN', 'app:log:9'), 1);
    const other = await run(t, ['log.9', 'y', '--idempotency-key', 'k', '--config', config]);
    assert.equal(other.code, 1);
    assert.match(other.stderr, /was used for another event/);
  });

  test('sets a key, keeps its time to live, and prints the position of its value', async (t) => {
    const config = await configOf(t, redis.url);
    const client = redis.client(t);
    await client.command('SET', 'app:state', 'old', 'EX', '1000');
    const { code, stdout } = await run(t, ['state', 'new', '--config', config]);
    assert.deepEqual([code, stdout], [0, `~${stringDigest(Buffer.from('new'))}\n`]);
    assert.equal(await client.command('GET', 'app:state'), 'new');
    assert.ok(Number(await client.command('TTL', 'app:state')) > 900);
  });

  test('needs no rights but those to write', async (t) => {
    const client = redis.client(t);
    const rules = ['+xadd', '+set', '+publish', '~app:*', '&app:*'];
    await client.command('ACL', 'SETUSER', 'writer', 'on', '>pw', ...rules);
    const config = await configOf(t, redis.url.replace('//', '//writer:pw@'), 'expire: 0');
    for (const channel of ['log.10', 'state', 'chat.10']) {
      const { code, stderr } = await run(t, [channel, 'x', '--config', config]);
      assert.deepEqual([code, stderr], [0, ''], channel);
    }
  });

  test('writes many lines in order', async (t) => {
    const lines = Array.from({ length: 3000 }, (_, index) => `line ${index}`);
    const heard = await hear(t, redis, 'app:chat:lines');
    const config = await configOf(t, redis.url);
    const { code, stdout } = await run(t, ['chat.lines', '--lines', '--config', config], lines.join('\n'));
    assert.deepEqual([code, stdout], [0, 'lines: 3000\n']);
    assert.deepEqual(await heard(3000), lines);
  });

  const mistakes: readonly (readonly [what: string, args: readonly string[], code: number, said: RegExp])[] = [
    ['a type that a text channel cannot carry', ['chat.1', 'x', '--event', 'e'], 2, /format: envelope/],
    ['a key that pub/sub does not know', ['chat.1', 'x', '--idempotency-key', 'k'], 2, /cannot recognise a repeat/],
    ['a key beside a value', ['state', 'x', '--idempotency-key', 'k'], 2, /cannot recognise a repeat/],
    ['a type that a key cannot carry', ['state', 'x', '--event', 'e'], 2, /a key holds data alone/],
    ['the end of a key', ['state', '--end'], 2, /a key holds data alone/],
    ['a pattern', ['sensors', 'x'], 1, /reads a pattern, which cannot be published to\ntry: .*--redis/],
    ['a type that is ours', ['alerts', 'x', '--event', 'gateway.x'], 2, /the gateway's own/],
    ['an event that gateways do not take', ['chat.1', 'x'.repeat(2000)], 1, /larger than 1024 bytes.*event_size/],
  ];
  for (const [what, args, wanted, said] of mistakes) {
    test(`answers ${what} with ${wanted} and writes nothing`, async (t) => {
      const { code, stdout, stderr } = await run(t, [...args, '--config', await configOf(t, redis.url)]);
      assert.deepEqual([code, stdout], [wanted, ''], stderr);
      assert.match(stderr, said);
    });
  }

  test('goes through the gateway of --url and of channels in memory', async (t) => {
    const config = await configOf(t, redis.url);
    const env = { SSE_GATEWAY_URL: 'http://127.0.0.1:1' };
    const memory = runCommand(t, ['publish', 'lobby', 'x', '--config', config], { env });
    assert.equal((await memory.ends()).code, 1);
    assert.match(memory.stderr, /no gateway listens on 127\.0\.0\.1:1\n/);
    const named = runCommand(t, ['publish', 'chat.1', 'x', '--config', config, '--url', 'http://127.0.0.1:2']);
    assert.equal((await named.ends()).code, 1);
    assert.match(named.stderr, /no gateway listens on 127\.0\.0\.1:2\n/);
    const direct = runCommand(t, ['publish', 'chat.1', 'x', '--config', config], { env });
    assert.equal((await direct.ends()).code, 0, direct.stderr);
  });
});

/** Long enough for a connection on a busy machine, of an answer that never comes. */
const PATIENCE = '4s';

describe('a Redis that is not well', () => {
  test('is down: 1, without the password', async (t) => {
    const redis = await redisNotStarted(t);
    const url = redis.url.replace('//', '//me:secret@');
    const { code, stderr } = await run(t, ['a', 'x', '--redis', url, '--timeout', '300ms']);
    assert.equal(code, 1);
    assert.match(stderr, /^error: Redis at redis:\/\/\*\*\*@127\.0\.0\.1:\d+\/0 is down: .*; nothing was published\n$/);
    assert.doesNotMatch(stderr, /secret/);
  });

  test('is waited for while it starts', async (t) => {
    const redis = await redisNotStarted(t);
    const child = runCommand(t, ['publish', 'a', 'x', '--redis', redis.url]);
    await redis.start();
    assert.equal((await child.ends()).code, 0, child.stderr);
  });

  test('refuses the password: 1 at once, and it is not tried again', async (t) => {
    const redis = await startRedis(t, ['--requirepass', 'right']);
    const child = runCommand(t, ['publish', 'a', 'x', '--redis', redis.url.replace('//', '//:wrong@')]);
    assert.equal((await child.ends()).code, 1);
    assert.match(child.stderr, /is down: (WRONGPASS|NOAUTH)/);
    const client = redis.client();
    await client.command('AUTH', 'right');
    assert.match(String(await client.command('INFO', 'commandstats')), /^cmdstat_auth:calls=2,.*failed_calls=1\r$/m);
    const right = runCommand(t, ['publish', 'a', 'x', '--redis', redis.url.replace('//', '//:right@')]);
    assert.equal((await right.ends()).code, 0, right.stderr);
  });

  test('took it perhaps, and does not answer: 75', async (t) => {
    const redis = await startRedis(t);
    await redis.client().command('CLIENT', 'PAUSE', '600000', 'WRITE');
    const { code, stdout, stderr } = await run(t, ['a', 'x', '--redis', redis.url, '--timeout', PATIENCE]);
    assert.deepEqual([code, stdout], [75, '']);
    assert.match(stderr, /^error: Redis at .* did not answer; the event may or may not have been published\ntry: /);
  });

  test('took it perhaps, and knows a repeat: 75, which says so, and the repeat is one entry', async (t) => {
    const redis = await startRedis(t);
    const client = redis.client();
    const config = await configOf(t, redis.url);
    const once = ['log.1', 'x', '--idempotency-key', 'k', '--config', config];
    await client.command('CLIENT', 'PAUSE', '600000', 'WRITE');
    const lost = await run(t, [...once, '--timeout', PATIENCE]);
    assert.equal(lost.code, 75);
    assert.match(lost.stderr, /try: publish it again with the same --idempotency-key/);
    await client.command('CLIENT', 'UNPAUSE');
    assert.equal((await run(t, once)).code, 0);
    assert.equal(await client.command('XLEN', 'app:log:1'), 1);
  });

  test('is killed with lines on their way: 75, and up to where all is published', async (t) => {
    const redis = await startRedis(t);
    await redis.client().command('CLIENT', 'PAUSE', '600000', 'WRITE');
    const child = runCommand(t, ['publish', 'a', '--lines', '--redis', redis.url], { input: '1\n2\n3\n' });
    const client = redis.client();
    await waitFor('the publishing to wait', async () =>
      /\bcmd=publish\b/.test(String(await client.command('CLIENT', 'LIST'))),
    );
    await redis.kill();
    assert.equal((await child.ends()).code, 75);
    assert.match(child.stderr, /no line is acknowledged; lines 1 to 3 may or may not have been published/);
  });

  test('does not allow it: 1', async (t) => {
    const redis = await startRedis(t);
    await redis.client().command('ACL', 'SETUSER', 'me', 'on', '>pw', '+@connection', '+ping', '~*', '&*');
    const { code, stderr } = await run(t, ['a', 'x', '--redis', redis.url.replace('//', '//me:pw@')]);
    assert.equal(code, 1);
    assert.match(stderr, /NOPERM/);
  });
});

function configOf(t: TestContext, url: string, publish = 'maxlen: 100, expire: 1h'): Promise<string> {
  const text = `sources: {main: {redis: "${url}", prefix: "app:"}}
limits: {event_size: 1KiB}
channels:
  chat.{room}: {pubsub: "chat:{room}"}
  alerts: {format: envelope}
  sensors: {pattern: "sensor:*"}
  log.{name}: {stream: "log:{name}", fields: {data: text}, publish: {${publish}}}
  state: {key: state}
  lobby: {memory: true}
`;
  return scratchFolder(t).then((folder) => writeConfig(folder, text));
}

async function run(t: TestContext, args: readonly string[], input = '') {
  const child = runCommand(t, ['publish', ...args], { input });
  const { code } = await child.ends();
  return { code, stdout: child.stdout, stderr: child.stderr };
}

/** Subscribes in Redis itself; what it gives waits for so many messages. */
async function hear(
  t: TestContext,
  redis: RedisServer,
  ...channels: string[]
): Promise<(count: number) => Promise<string[]>> {
  const client = redis.client(t);
  const other = redis.client(t);
  for (const channel of channels) {
    await client.command('SUBSCRIBE', channel);
    assert.equal(await subscribersOf(other, channel), 1);
  }
  return (count) => waitFor(`${count} messages`, () => messagesOf(client, count));
}

function messagesOf({ pushed }: RespClient, count: number): string[] | undefined {
  const messages = pushed.flatMap((push) => (Array.isArray(push) && push[0] === 'message' ? [String(push[2])] : []));
  return messages.length < count ? undefined : messages;
}
