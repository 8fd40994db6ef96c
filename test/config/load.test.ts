/** A configuration comes from a file, from a Redis URL, or from nothing. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { describe, test } from 'node:test';
import { loadConfig } from '../../src/config/load.ts';
import { describeRedis } from '../../src/config/redis-url.ts';
import { UsageError } from '../../src/errors.ts';
import { cpuTimeOf } from '../support/cpu-time.ts';
import { load, problemsOf, REDIS, saidBy } from './support.ts';

const SHORT = `redis: redis://127.0.0.1:6379
channels:
  prices: {}
  alerts: {pubsub: "app:alerts", format: envelope}
  sensors: {pattern: "sensor:*", event: "{feed}"}
  chat.{room}: {pubsub: "chat:{room}", replay: 50}
  lobby: {memory: true}
allow: {subscribe: [prices, "chat.*"]}
`;

const TEN_LINES = `redis: redis://127.0.0.1:6379        # shorthand for one source, named redis
channels:
  prices: {}                         # PUBLISH prices 42
  alerts: {pubsub: "app:alerts", format: envelope}
  sensors: {pattern: "sensor:*", event: "{feed}"}
  chat.{room}: {stream: "chat:{room}", replay: 50}
  answer.{id}: {stream: "answer:{id}", replay: all}
  price: {key: current_price, max_rate: 10/s}
  lobby: {memory: true}
allow: {subscribe: [prices, "chat.*"]}
`;

describe('without a file', () => {
  test('every name is a channel in memory, on loopback', async () => {
    const config = await loadConfig({ env: {} });
    assert.equal(config.origin, 'none');
    assert.deepEqual(config.server.listen, { kind: 'tcp', host: '127.0.0.1', port: 8080 });
    assert.deepEqual(config.channels.resolve('anything')?.feed, { kind: 'memory' });
    assert.equal(config.channels.resolve('anything')?.channel.source, 'memory');
    assert.equal(config.channels.resolve('__redis'), undefined);
    assert.equal(config.sources.size, 0);
    assert.deepEqual(config.allow, {});
  });

  test('and with a Redis URL every pub/sub channel of it is a channel', async () => {
    const config = await loadConfig({
      redis: 'redis://:secret@redis.example.com/3',
      listen: 'unix:/run/x.sock',
      env: {},
    });
    assert.equal(config.origin, 'none');
    assert.deepEqual(config.server.listen, { kind: 'unix', path: '/run/x.sock' });
    assert.deepEqual(config.channels.resolve('prices')?.feed, { kind: 'pubsub', name: 'prices' });
    const source = config.sources.get(config.channels.resolve('prices')?.channel.source ?? '');
    assert.equal(source && describeRedis(source.redis), 'redis://***@redis.example.com:6379/3');
  });

  test('an address that others reach is refused', async () => {
    for (const redis of [undefined, 'redis://127.0.0.1']) {
      assert.deepEqual(await saidBy(loadConfig({ listen: '0.0.0.0:8080', redis, env: {} }), ''), [
        '--listen: 0.0.0.0:8080 can be reached by other machines, and nothing says who may subscribe (start with --config FILE; in it, add what everybody may read, or [] for nobody, as a line of its own: allow: {subscribe: ["public.*"]})',
      ]);
    }
  });

  test('the YAML library is not loaded', () => {
    const script = `
      import { registerHooks } from 'node:module';
      registerHooks({ resolve: (name, context, next) => { if (name === 'yaml') throw new Error('yaml was loaded'); return next(name, context); } });
      const { loadConfig } = await import('./src/config/load.ts');
      await loadConfig({ env: {} });
      await loadConfig({ redis: 'redis://127.0.0.1', env: {} });
      await loadConfig({ file: 'config.example.yaml', env: {} }).catch((error) => console.log(error.message));`;
    const cwd = new URL('../..', import.meta.url);
    const output = execFileSync(process.execPath, ['--input-type=module', '-e', script], { cwd, encoding: 'utf8' });
    assert.equal(output, 'yaml was loaded\n');
  });
});

describe('on the command line', () => {
  test('a bad --redis or --listen is a usage error, and shows no password', async () => {
    const bad = [
      { listen: '8080' },
      { listen: 'a:b' },
      { redis: 'x' },
      { redis: 'redis://:hunter2@' },
      { redis: 'redis://hunter2@x' },
    ];
    for (const options of [...bad, { redis: 'redis://x', file: 'x.yaml' }]) {
      await assert.rejects(loadConfig({ ...options, env: {} }), (error) => {
        assert.ok(error instanceof UsageError);
        assert.doesNotMatch(`${error.message} ${error.hint}`, /hunter2/);
        return true;
      });
    }
  });
});

describe('a file', () => {
  test('of ten lines is all that is needed', async () => {
    const config = await load(SHORT);
    assert.equal(config.origin, 'file');
    assert.deepEqual(config.sources.get('redis'), {
      name: 'redis',
      redis: { host: '127.0.0.1', port: 6379, db: 0, tls: false },
      file: undefined,
      prefix: '',
    });
    assert.deepEqual(config.allow, { subscribe: ['prices', 'chat.*'] });
    const feeds = ['prices', 'alerts', 'sensors', 'chat.lobby', 'lobby', 'other'].map(
      (name) => config.channels.resolve(name)?.feed,
    );
    assert.deepEqual(feeds, [
      { kind: 'pubsub', name: 'prices' },
      { kind: 'pubsub', name: 'app:alerts' },
      { kind: 'pattern', name: 'sensor:*' },
      { kind: 'pubsub', name: 'chat:lobby' },
      { kind: 'memory' },
      undefined,
    ]);
  });

  test('of ten lines has streams and keys too', async () => {
    const config = await load(TEN_LINES);
    const feeds = ['chat.lobby', 'answer.7', 'price'].map((name) => config.channels.resolve(name)?.feed);
    assert.deepEqual(feeds, [
      { kind: 'stream', name: 'chat:lobby' },
      { kind: 'stream', name: 'answer:7' },
      { kind: 'key', name: 'current_price' },
    ]);
    assert.equal(config.channels.resolve('price')?.channel.maxRate, 10);
    assert.deepEqual(config.channels.resolve('answer.7')?.channel.replay, { kind: 'all' });
    assert.deepEqual(config.warnings, []);
  });

  test('says every key', async () => {
    const config = await load(`
server:
  listen: "[::1]:0"
  base_path: /sse/
  hosts: [App.Example.com, "[::1]", "::1", bücher.example]
  heartbeat: 10s
  retry: 500ms
  max_connection_age: 1h
  drain: {window: 0, retry: 3s}
  trusted_proxies: [10.0.0.0/8, loopback, unix, "2001:DB8::1"]
  reuse_port: true
log: {level: silent}
limits:
  channels: 5
  channels_per_connection: 2
  event_size: 64KiB
  connections: 5000
  connections_per_ip: 10
  client_stall: 1s
  buffered_total: 1MiB
  history_total: 2MiB
  window: 512KiB
  publish_rate: 20
cors: {origins: [HTTPS://App.Example.com:443, "http://localhost:3000"], credentials: true}
sources:
  one: {redis: redis://one, prefix: "app:"}
  two: {redis: rediss://two:7000/1}
channels:
  a:
    source: two
    pubsub: x
    format: envelope
    encode: base64
    event: tick {feed}
    history: {events: 9, age: 1m, bytes: 1MiB}
    replay: 9
    ids: publisher
    linger: 2s
    follow: always
  b: {memory: true, history: {bytes: 256KiB}, replay: all, end_after: 90s, publish: {idempotency: 1h}}
  c: {source: one, pattern: "c[ab]*", history: {bytes: 256KiB}}
allow: {subscribe: [], publish: ["*"], admin: true}
`);
    assert.deepEqual(config.server, {
      listen: { kind: 'tcp', host: '::1', port: 0 },
      base_path: '/sse',
      hosts: ['app.example.com', '[::1]', '[::1]', 'xn--bcher-kva.example'],
      heartbeat: 10_000,
      retry: 500,
      max_connection_age: 3_600_000,
      drain: { window: 0, retry: 3000 },
      trusted_proxies: [
        { address: [10, 0, 0, 0], prefix: 8 },
        'loopback',
        'unix',
        { address: [0x20, 0x01, 0x0d, 0xb8, ...Array<number>(11).fill(0), 1], prefix: 128 },
      ],
      reuse_port: true,
    });
    assert.deepEqual(config.limits, {
      channels: 5,
      channels_per_connection: 2,
      event_size: 65_536,
      connections: 5000,
      connections_per_ip: 10,
      client_stall: 1000,
      buffered_total: 1_048_576,
      history_total: 2_097_152,
      window: 524_288,
      publish_rate: 20,
    });
    assert.deepEqual(config.channels.resolve('a')?.channel, {
      name: 'a',
      source: 'two',
      feed: { kind: 'pubsub', template: 'x' },
      format: 'envelope',
      encode: 'base64',
      event: 'tick {feed}',
      history: { events: 9, age: 60_000, bytes: 1_048_576 },
      replay: { kind: 'last', count: 9 },
      ids: 'publisher',
      linger: 2000,
      follow: 'always',
      fields: { data: 'data', event: 'event', id: 'id', end: 'end' },
      conflate: false,
      maxRate: undefined,
      endAfter: 0,
      publish: { idempotency: 600_000, maxlen: 10_000, expire: 0 },
    });
    const memory = config.channels.resolve('b')?.channel;
    assert.deepEqual(memory?.feed, { kind: 'memory' });
    assert.deepEqual(memory?.replay, { kind: 'all' });
    assert.equal(memory?.publish.idempotency, 3_600_000);
    assert.equal(memory?.endAfter, 90_000);
    assert.deepEqual(config.channels.resolve('c')?.channel.feed, { kind: 'pattern', template: 'c[ab]*' });
    assert.deepEqual(config.cors, { origins: ['https://app.example.com', 'http://localhost:3000'], credentials: true });
    assert.equal(config.sources.get('one')?.prefix, 'app:');
    assert.deepEqual(config.warnings, []);
    assert.equal(config.sources.get('two')?.redis.tls, true);
    assert.deepEqual(config.allow, { subscribe: [], publish: ['*'], admin: true });
    assert.equal(config.log.level, 'silent');
  });

  test('is overruled by --listen, address rule and all', async () => {
    const options = { file: 'config.example.yaml', env: {} };
    const config = await loadConfig({ ...options, listen: '127.0.0.1:9000' });
    assert.deepEqual(config.server.listen, { kind: 'tcp', host: '127.0.0.1', port: 9000 });
    const said = await saidBy(loadConfig({ ...options, listen: '0.0.0.0:9000' }), '');
    assert.match(said.join('\n'), /server\.listen: 0\.0\.0\.0:9000 can be reached by other machines/);
  });

  test('may be open to others where it says who may subscribe, be it nobody', async () => {
    for (const subscribe of ['[]', '["*"]', '[prices]']) {
      await load(`${REDIS}server: {listen: 0.0.0.0:1}\nchannels: {prices: {}}\nallow: {subscribe: ${subscribe}}\n`);
    }
  });

  test('has all of its problems told at once, in the order of its lines', async () => {
    const said = await problemsOf(`channels:
  a b: {}
  prices: {linger: 1s, source: nowhere}
redis: redis://:hunter2@
server: {heartbeat: 5, lisen: x}
tls: {}
`);
    assert.deepEqual(
      said.map((line) => line.split(': ').slice(0, 2).join(': ')),
      [
        '2:3: channels."a b"',
        '3:12: channels.prices.linger',
        '3:24: channels.prices.source',
        '4:8: redis',
        '5:21: server.heartbeat',
        '5:24: server.lisen',
        '6:1: tls',
      ],
    );
  });

  test('with more than a hundred problems shows the first and counts the rest', async () => {
    const said = await problemsOf(
      `${REDIS}channels:\n${Array.from({ length: 150 }, (_, index) => `  "a ${index}": {}\n`).join('')}`,
    );
    assert.equal(said.length, 101);
    assert.equal(said.at(-1), ' 50 more problems are not shown');
  });

  test('of thousands of channels is read in a second or two', async () => {
    const lines = Array.from({ length: 10_000 }, (_, index) => `  name${index}: {pubsub: "n:${index}"}\n`);
    const took = await cpuTimeOf(async () => {
      assert.equal((await load(`${REDIS}channels:\n${lines.join('')}`)).channels.all.length, 10_000);
    });
    assert.ok(took < 15_000, `${took} ms`);
  });

  test('cannot reach what every object has', async () => {
    const said = await problemsOf(
      `${REDIS}__proto__: {x: 1}\nconstructor: {}\nchannels: {a: {__proto__: {memory: true}, toString: 1}}\n`,
    );
    assert.deepEqual(
      said.map((line) => line.replace(/ \(.*/, '')),
      [
        '2:1: __proto__: unknown key',
        '3:1: constructor: unknown key',
        '4:16: channels.a.__proto__: unknown key',
        '4:43: channels.a.toString: unknown key',
      ],
    );
    const { channels } = await load(`${REDIS}channels: {__proto__: {}, constructor: {}}\n`);
    assert.equal(channels.resolve('__proto__')?.channel.name, '__proto__');
    assert.equal(channels.resolve('toString'), undefined);
  });
});

describe('a key that belongs to a later version', () => {
  test('is refused by name, wherever it stands', async () => {
    const later = [...['server.tls', 'auth', 'admin']];
    for (const path of later) {
      const nested = path.split('.').reduceRight((inner, key) => `{${key}: ${inner}}`, '1');
      const said = await problemsOf(nested);
      assert.ok(
        said.some((line) => line.includes(` ${path}: is not available in this version`)),
        `${path}\n${said.join('\n')}`,
      );
    }
  });
});
