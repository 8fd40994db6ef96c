/** Names find their channel: exact before template before catch-all. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { channelDefaults, fieldsDefaults, publishDefaults } from '../../src/config/channel-schema.ts';
import { channelTable } from '../../src/config/channels.ts';
import { cpuTimeOf } from '../support/cpu-time.ts';
import { load, REDIS } from './support.ts';

describe('the channels of a configuration', () => {
  test('are found by exact name first, then by template, then by the catch-all', async () => {
    const { channels } = await load(
      `${REDIS}channels: {"*": {}, "chat.{room}": {pubsub: "room:{room}"}, chat.lobby: {pubsub: hall}, own: {memory: true}}`,
    );
    assert.deepEqual(channels.resolve('chat.lobby')?.feed, { kind: 'pubsub', name: 'hall' });
    assert.deepEqual(channels.resolve('chat.other')?.feed, { kind: 'pubsub', name: 'room:other' });
    assert.deepEqual(channels.resolve('chat.a.b')?.feed, { kind: 'pubsub', name: 'chat.a.b' });
    assert.deepEqual(channels.resolve('own')?.feed, { kind: 'memory' });
    assert.deepEqual(
      channels.all.map(({ name }) => name),
      ['*', 'chat.{room}', 'chat.lobby', 'own'],
    );
  });

  test('come with the variables of the template and its configuration', async () => {
    const { channels } = await load(`${REDIS}channels: {"chat.{room}": {linger: 9s}}`);
    const resolved = channels.resolve('chat.lobby');
    assert.equal(resolved?.channel.name, 'chat.{room}');
    assert.equal(resolved?.channel.source, 'redis');
    assert.equal(resolved?.channel.linger, 9000);
    assert.deepEqual([...(resolved?.variables ?? [])], [['room', 'lobby']]);
    assert.deepEqual(resolved?.feed, { kind: 'pubsub', name: 'chat.lobby' });
  });

  test('read a Redis pattern, in which the variables of a template stand', async () => {
    const { channels } = await load(
      `${REDIS}channels: {sensors: {pattern: "sensor:*"}, "floor.{n}": {pattern: "sensor:{n}:[a-c]?"}}`,
    );
    assert.deepEqual(channels.resolve('sensors')?.feed, { kind: 'pattern', name: 'sensor:*' });
    assert.deepEqual(channels.resolve('floor.7')?.feed, { kind: 'pattern', name: 'sensor:7:[a-c]?' });
    for (const typed of ['*', '?', '[a]', '\\']) assert.equal(channels.resolve(`floor.${typed}`), undefined);
  });

  test('read a Redis stream or key, in which the variables of a template stand', async () => {
    const { channels } = await load(
      `${REDIS}channels: {price: {key: current_price}, "chat.{room}": {stream: "chat:{room}"}, "*": {stream: "*"}}`,
    );
    assert.deepEqual(channels.resolve('price')?.feed, { kind: 'key', name: 'current_price' });
    assert.deepEqual(channels.resolve('chat.a')?.feed, { kind: 'stream', name: 'chat:a' });
    assert.deepEqual(channels.resolve('any:thing')?.feed, { kind: 'stream', name: 'any:thing' });
    for (const typed of ['*', '?', '[a]', '\\']) assert.equal(channels.resolve(`chat.${typed}`), undefined);
  });

  test('say how a stream is read and written', async () => {
    const { channels } = await load(`${REDIS}channels:
  usual: {stream: a}
  other: {stream: b, fields: {data: body, end: done}, end_after: 1m, publish: {maxlen: 0, expire: 1h}, replay: 5000}
`);
    const usual = channels.resolve('usual')?.channel;
    assert.deepEqual(usual?.fields, { data: 'data', event: 'event', id: 'id', end: 'end' });
    assert.deepEqual(usual?.publish, { maxlen: 10_000, expire: 0, idempotency: 600_000 });
    assert.deepEqual(
      [usual?.replay, usual?.conflate, usual?.maxRate, usual?.endAfter],
      [{ kind: 'none' }, false, undefined, 0],
    );
    const other = channels.resolve('other')?.channel;
    assert.deepEqual(other?.fields, { data: 'body', event: 'event', id: 'id', end: 'done' });
    assert.deepEqual(other?.publish, { maxlen: 0, expire: 3_600_000, idempotency: 600_000 });
    assert.deepEqual([other?.replay, other?.endAfter], [{ kind: 'last', count: 5000 }, 60_000]);
  });

  test('give a newcomer the value of a key, and all that a conflated channel keeps', async () => {
    const { channels } = await load(`${REDIS}channels:
  key: {key: a, max_rate: 0.5/s}
  said: {key: b, replay: all, conflate: true, follow: always}
  newest: {conflate: true}
  each: {memory: true, conflate: {key: symbol}, max_rate: 10/s}
  few: {stream: c, conflate: {key: symbol, max_keys: 5}, replay: none}
`);
    const kept = (name: string) => {
      const { replay, conflate, maxRate } = channels.resolve(name)?.channel ?? {};
      return [replay, conflate, maxRate];
    };
    assert.deepEqual(kept('key'), [{ kind: 'last', count: 1 }, true, 0.5]);
    assert.deepEqual(kept('said'), [{ kind: 'all' }, true, undefined]);
    assert.deepEqual(kept('newest'), [{ kind: 'all' }, true, undefined]);
    assert.deepEqual(kept('each'), [{ kind: 'all' }, { key: 'symbol', maxKeys: 10_000 }, 10]);
    assert.deepEqual(kept('few'), [{ kind: 'none' }, { key: 'symbol', maxKeys: 5 }, undefined]);
  });

  test('give messages that bring no type the one of the channel', async () => {
    const { channels } = await load(`${REDIS}channels:
  none: {}
  fixed: {event: tick}
  sensors: {pattern: "sensor:*", event: "{feed}"}
  chat.{room}: {pubsub: "chat:{room}", event: "{room}/{feed}"}
  "logs.{path*}": {event: "log {path}"}
  lobby: {memory: true, event: "{feed}!"}
  "*": {event: "any:{feed}"}
`);
    const typeOf = (name: string, from: string) => channels.resolve(name)?.typeOf?.(from);
    assert.equal(channels.resolve('none')?.typeOf, undefined);
    assert.equal(typeOf('fixed', 'fixed'), 'tick');
    assert.equal(typeOf('sensors', 'sensor:kitchen'), 'sensor:kitchen');
    assert.equal(typeOf('chat.blue', 'chat:blue'), 'blue/chat:blue');
    assert.equal(typeOf('logs.a.b', 'logs.a.b'), 'log a.b');
    assert.equal(typeOf('lobby', 'lobby'), 'lobby!');
    assert.equal(typeOf('other', 'other'), 'any:other');
  });

  test('give the name {feed} and a variable their values as they are', async () => {
    const { channels } = await load(`${REDIS}channels: {"a.{room}": {event: "{room} {feed}"}, "*": {event: "{feed}"}}`);
    assert.equal(channels.resolve('a.x')?.typeOf?.('{room}'), 'x {room}');
    assert.equal(channels.resolve('y')?.typeOf?.('$& {feed}'), '$& {feed}');
  });

  test('are not found by what no template matches, or what is no name', async () => {
    const { channels } = await load(`${REDIS}channels: {prices: {}, "chat.{room}": {}}`);
    for (const name of ['', 'other', 'chat.', 'chat.*', 'chat.a b', '__proto__', 'constructor', '*', 'chat.{room}']) {
      assert.equal(channels.resolve(name), undefined, name);
    }
  });

  test('leave names that begin with __ to Redis, unless they are written out', async () => {
    const { channels } = await load(`${REDIS}channels: {"*": {}, "__mine": {}, "{a}.{b}": {}}`);
    assert.equal(channels.resolve('__keyspace@0__:x'), undefined);
    assert.equal(channels.resolve('__a.b'), undefined);
    assert.equal(channels.resolve('__mine')?.channel.name, '__mine');
    assert.equal(channels.resolve('_a')?.channel.name, '*');
  });

  test('are found without looking at each of them, among a thousand templates', async () => {
    const lines = Array.from(
      { length: 500 },
      (_, index) => `  "{user}.topic${index}": {}\n  "tenant${index}:{x}": {}\n`,
    );
    const { channels } = await load(`${REDIS}channels:\n${lines.join('')}`);
    const took = await cpuTimeOf(() => {
      for (let round = 0; round < 10_000; round += 1) {
        assert.ok(channels.resolve(round % 2 === 0 ? `u${round}.topic499` : `tenant499:u${round}`));
      }
    });
    assert.ok(took < 2000, `${took} ms`);
  });

  test('cannot be built from a malformed template', () => {
    const given = {
      source: 'redis',
      publish: publishDefaults,
      fields: fieldsDefaults,
      maxRate: undefined,
      endAfter: 0,
    };
    const channel = { ...channelDefaults, ...given };
    const feed = { kind: 'pubsub', template: 'x' } as const;
    assert.throws(() => channelTable([{ ...channel, name: '{a}{b}', feed }]), RangeError);
    assert.throws(() => channelTable([{ ...channel, name: 'chat.{room}', feed }]), RangeError);
    assert.throws(() => channelTable([{ ...channel, name: 'x', feed, event: '{room}' }]), RangeError);
    assert.throws(() => channelTable([{ ...channel, name: '*', feed, event: '{room}' }]), RangeError);
  });
});
