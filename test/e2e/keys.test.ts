/** Key channels over a real Redis: the value first, then real changes, and nothing that a client already has. */
import assert from 'node:assert/strict';
import { before, describe, type TestContext, test } from 'node:test';
import { addEntry, assertGap, atomically, commandCalls, dataOf, numbers, openConfig, run } from '../support/entries.ts';
import type { Gateway } from '../support/gateway.ts';
import { isPublished, openData, parseObject } from '../support/gateway-events.ts';
import { heard } from '../support/heard.ts';
import { suiteOwner } from '../support/owner.ts';
import { startPair, startReading } from '../support/pair.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';
import type { RespClient } from '../support/resp.ts';
import type { ReceivedEvent } from '../support/sse-reader.ts';
import { startLink } from './checker/link.ts';

const CHANNELS = [
  'price: {key: current_price}',
  'k.{n}: {key: "k:{n}"}',
  'rated: {key: rated, max_rate: 2/s}',
  'slowly: {key: newest, max_rate: 0.5/s}',
  'at-once: {key: newest}',
  's.{n}: {stream: "s:{n}"}',
];

/** So many changes, one behind the other, would take longer than this, in milliseconds, where each waits for a poll. */
const CHANGES = 25;
const POLLED_MS = 20_000;

/** A handful, and a few a second of the keys of other tests, which are read again now and then. */
const FEW_READS = 100;

describe('a key channel', () => {
  const owner = suiteOwner();
  let redis: RedisServer;
  let client: RespClient;
  let gateway: Gateway;
  let other: Gateway;
  before(async () => {
    ({ redis, client, gateway, other } = await startPair(owner, CHANNELS, 'limits: {event_size: 64KiB}\n'));
  });

  /** The next event behind `cursor`, on both gateways, which must be the same. */
  async function nextOnBoth(t: TestContext, name: string, cursor?: string): Promise<ReceivedEvent> {
    const events = await Promise.all(
      [gateway, other].map(async (from) => {
        const stream = await heard(t, from, `/events/${name}`, { lastEventId: cursor });
        assert.deepEqual(stream.gapsBeforeOpen(), []);
        assert.equal(openData(await stream.opened()).resumed, cursor !== undefined);
        const event = await stream.next();
        stream.cut();
        return event;
      }),
    );
    assert.deepEqual(events[0], events[1]);
    return events[0] ?? assert.fail();
  }

  test('brings the value first and then each change', async (t) => {
    await client.command('SET', 'current_price', '100');
    const first = await nextOnBoth(t, 'price');
    assert.equal(first.data, '100');
    assert.match(first.id ?? '', /^~[A-Za-z0-9_-]+$/);
    const stream = await heard(t, gateway, '/events/price');
    assert.deepEqual(await stream.next(), first);
    const start = performance.now();
    for (const value of numbers(101, 100 + CHANGES)) {
      await client.command('SET', 'current_price', value);
      assert.equal((await stream.next()).data, value);
    }
    assert.ok(performance.now() - start < POLLED_MS, 'by its doorbell, not by a poll');
  });

  test('setting the same value sends nothing, whatever the command', async (t) => {
    await client.command('SET', 'k:same', 'a');
    const stream = await heard(t, gateway, '/events/k.same');
    assert.equal((await stream.next()).data, 'a');
    await client.command('SET', 'k:same', 'a');
    await client.command('SETRANGE', 'k:same', '0', 'a');
    await client.command('EXPIRE', 'k:same', '1000');
    await atomically(client, [
      ['DEL', 'k:same'],
      ['SET', 'k:same', 'a'],
    ]);
    await client.command('APPEND', 'k:same', 'b');
    assert.equal((await stream.next()).data, 'ab');
  });

  test('a client that comes back with the value gets nothing, with another one the newest, at any gateway', async (t) => {
    await client.command('SET', 'k:back', 'a');
    const { id } = await nextOnBoth(t, 'k.back');
    const streams = [
      await heard(t, gateway, '/events/k.back', { lastEventId: id }),
      await heard(t, other, '/events/k.back', { lastEventId: id }),
    ];
    for (const stream of streams) {
      assert.equal(openData(await stream.opened()).resumed, true);
      assert.equal(stream.lastEventId, id);
    }
    await client.command('SET', 'k:back', 'b');
    for (const stream of streams) assert.equal((await stream.next()).data, 'b');
    assert.equal((await nextOnBoth(t, 'k.back', id)).data, 'b');
    await client.command('SET', 'k:back', 'a');
    for (const stream of streams) assert.equal((await stream.next()).id, id);
  });

  test('a restarted gateway knows who has the value', async (t) => {
    await client.command('SET', 'k:restart', 'a');
    const { id } = await nextOnBoth(t, 'k.restart');
    const young = await startReading(t, openConfig(redis, CHANNELS));
    const stream = await heard(t, young, '/events/k.restart', { lastEventId: id });
    assert.equal(openData(await stream.opened()).resumed, true);
    await client.command('SET', 'k:restart', 'b');
    assert.equal((await stream.next()).data, 'b');
  });

  test('replays the value whatever is asked for, since it has no other history', async (t) => {
    await client.command('SET', 'k:asked', 'a');
    for (const query of ['?last=1', '?last=5', '?since=start', '?since=5m']) {
      const stream = await heard(t, gateway, `/events/k.asked${query}`);
      assert.equal((await stream.next()).data, 'a', query);
      stream.cut();
    }
  });

  test('that is deleted, or expires, is gateway.deleted at ~0, once', async (t) => {
    await client.command('SET', 'k:gone', 'a');
    const stream = await heard(t, gateway, '/events/k.gone');
    const { id } = await stream.next();
    const deleted = { type: 'gateway.deleted', data: '{"channel":"k.gone"}', id: '~0' };
    await client.command('DEL', 'k:gone');
    assert.deepEqual(await stream.next(), deleted);
    await client.command('SET', 'k:gone', 'a');
    assert.deepEqual(await stream.next(), { type: 'message', data: 'a', id });
    await client.command('PEXPIRE', 'k:gone', '20');
    assert.deepEqual(await stream.next(), deleted);
    assert.deepEqual(await nextOnBoth(t, 'k.gone', id), deleted);
  });

  test('that does not exist opens at ~0; a client at ~0 gets nothing until it has a value', async (t) => {
    const fresh = await heard(t, gateway, '/events/k.absent');
    const back = await heard(t, other, '/events/k.absent', { lastEventId: '~0' });
    assert.equal(openData(await back.opened()).resumed, true);
    await client.command('SET', 'k:absent', '');
    const events = await Promise.all([
      fresh.until('the value', () => fresh.events.find((event) => event.type === 'message')),
      back.next(),
    ]);
    for (const event of events) {
      assert.equal(event.data, '');
      assert.notEqual(event.id, '~0');
    }
    assert.deepEqual(await nextOnBoth(t, 'k.absent', '~0'), events[1]);
    for (const event of fresh.events.slice(0, -1)) assert.equal(event.id, '~0', JSON.stringify(event));
  });

  test('a cursor that it cannot have had brings the value', async (t) => {
    await client.command('SET', 'k:odd', 'a');
    for (const cursor of ['~00000000', 'nonsense', '1-0', 'zzzzzzzz-5']) {
      const stream = await heard(t, gateway, '/events/k.odd', { lastEventId: cursor });
      assert.equal((await stream.next()).data, 'a', cursor);
      stream.cut();
    }
  });

  test('that holds a hash is a JSON object, and the order of its fields is no change', async (t) => {
    await client.command('HSET', 'k:hash', 'b', '1', 'a', '"x"');
    const stream = await heard(t, gateway, '/events/k.hash');
    const { data, id } = await stream.next();
    assert.deepEqual(parseObject(data), { b: '1', a: '"x"' });
    await atomically(client, [
      ['DEL', 'k:hash'],
      ['HSET', 'k:hash', 'a', '"x"', 'b', '1'],
    ]);
    await client.command('HINCRBY', 'k:hash', 'b', '1');
    assert.deepEqual(parseObject((await stream.next()).data), { b: '2', a: '"x"' });
    await client.command('HINCRBY', 'k:hash', 'b', '-1');
    assert.equal((await stream.next()).id, id);
    await client.command('HDEL', 'k:hash', 'a', 'b');
    assert.equal((await stream.next()).type, 'gateway.deleted');
  });

  for (const [type, command] of [
    ['list', ['RPUSH', 'k:list', 'a', 'b']],
    ['set', ['SADD', 'k:set', 'a', 'b']],
    ['stream', ['XADD', 'k:stream', '*', 'a', 'b']],
  ] as const) {
    test(`that holds a ${type} is a gap, at once and later, and goes on when it is a string again`, async (t) => {
      const path = `/events/k.${type}`;
      await client.command('SET', `k:${type}`, 'before');
      const stream = await heard(t, gateway, path);
      assert.equal((await stream.next()).data, 'before');
      await atomically(client, [['DEL', `k:${type}`], [...command]]);
      assertGap(await stream.next(), `k.${type}`, 'source-error');
      const late = gateway.stream(t, path);
      await late.until('the gap', () => late.events.some((event) => event.type === 'gateway.gap'));
      await client.command('SET', `k:${type}`, 'after');
      for (const each of [stream, late]) {
        await each.until('the value', () => each.events.at(-1)?.data === 'after');
        assert.equal(each.events.filter((event) => event.type === 'gateway.gap').length, 1);
      }
    });
  }

  for (const [how, command] of [
    ['too-large', ['SET', 'k:too-large', 'x'.repeat(70_000)]],
    ['source-error', ['RPUSH', 'k:source-error', 'a']],
  ] as const) {
    test(`that cannot be told any more (${how}) is a gap for who comes back with what it was before, too`, async (t) => {
      const path = `/events/k.${how}`;
      await client.command('SET', `k:${how}`, 'before');
      const watcher = await heard(t, gateway, path);
      const { id } = await watcher.next();
      await atomically(client, [['DEL', `k:${how}`], [...command]]);
      assertGap(await watcher.next(), `k.${how}`, how);
      const back = gateway.stream(t, path, { lastEventId: id });
      assert.equal(openData(await back.opened()).resumed, false);
      assertGap(back.gapsBeforeOpen()[0], `k.${how}`, how);
      await client.command('SET', `k:${how}`, 'after');
      assert.equal((await back.next()).data, 'after');
      const later = gateway.stream(t, path, { lastEventId: back.lastEventId });
      assert.equal(openData(await later.opened()).resumed, true);
    });
  }

  test('does not step back for who has a newer value than its rate lets through', async (t) => {
    await client.command('SET', 'newest', 'first');
    const [slowly, atOnce] = [await heard(t, gateway, '/events/slowly'), await heard(t, gateway, '/events/at-once')];
    assert.equal((await slowly.next()).data, 'first');
    await atOnce.next();
    await client.command('SET', 'newest', 'second');
    await atOnce.next();
    const back = await heard(t, gateway, '/events/slowly', { lastEventId: atOnce.lastEventId });
    await client.command('SET', 'newest', 'third');
    assert.equal((await back.next()).data, 'third');
    assert.equal(dataOf(slowly.events.filter(isPublished))[0], 'first');
  });

  test('does not step back for who comes with a newer value to a gateway that Redis does not answer', async (t) => {
    const link = await startLink(t, () => redis.port);
    const behind = await startReading(t, openConfig(`redis://127.0.0.1:${link.port}`, CHANNELS));
    await client.command('SET', 'k:hop', 'first');
    const [here, there] = [await heard(t, gateway, '/events/k.hop'), await heard(t, behind, '/events/k.hop')];
    for (const stream of [here, there]) assert.equal((await stream.next()).data, 'first');
    link.goDark();
    await client.command('SET', 'k:hop', 'second');
    assert.equal((await here.next()).data, 'second');
    const hopped = behind.stream(t, '/events/k.hop', { lastEventId: here.lastEventId });
    assert.deepEqual(openData(await hopped.opened()).pending, ['k.hop']);
    link.heal();
    await client.command('SET', 'k:hop', 'third');
    for (const stream of [here, hopped]) {
      assert.equal(await stream.until('the third', () => stream.events.some(({ data }) => data === 'third')), true);
    }
    assert.deepEqual(dataOf(hopped.events.filter(isPublished)), ['third']);
  });

  test('whose value is too large is a gap, and the next that is not is sent', async (t) => {
    await client.command('SET', 'k:large', 'a');
    const stream = await heard(t, gateway, '/events/k.large');
    await stream.next();
    await client.command('SET', 'k:large', 'x'.repeat(70_000));
    assertGap(await stream.next(), 'k.large', 'too-large');
    await client.command('SET', 'k:large', 'b');
    assert.equal((await stream.next()).data, 'b');
  });

  test('1,000 SETs in a burst end on the last value and cost few reads', async (t) => {
    await client.command('SET', 'k:burst', '0');
    await heard(t, gateway, '/events/k.burst');
    const streams = Array.from({ length: 20 }, () => gateway.stream(t, '/events/k.burst'));
    await Promise.all(streams.map(async (stream) => (await stream.opened()) && (await stream.next())));
    const before = await commandCalls(client);
    await run(
      client,
      numbers(1, 1_000).map((number) => ['SET', 'k:burst', number]),
    );
    for (const stream of streams) {
      await stream.until('the last value', () => stream.events.at(-1)?.data === '1000');
      const seen = dataOf(stream.events.filter(isPublished)).map(Number);
      assert.deepEqual(
        seen,
        seen.toSorted((a, b) => a - b),
      );
    }
    const after = await commandCalls(client);
    const reads = (after.get('getrange') ?? 0) - (before.get('getrange') ?? 0);
    assert.ok(reads >= 1 && reads <= FEW_READS, `${reads} GETRANGE`);
    const others = ['get', 'hgetall', 'type'].map((name) => (after.get(name) ?? 0) - (before.get(name) ?? 0));
    assert.ok(Math.max(...others) <= FEW_READS, others.join());
  });

  test('with max_rate sends the first change at once, no more than it may, and the last always', async (t) => {
    await client.command('SET', 'rated', '0');
    const stream = await heard(t, gateway, '/events/rated');
    assert.equal((await stream.next()).data, '0');
    const start = performance.now();
    for (const value of numbers(1, 200)) await client.command('SET', 'rated', value);
    await stream.until('the last value', () => stream.events.at(-1)?.data === '200');
    const changes = stream.events.filter(isPublished).length - 1;
    const seconds = (performance.now() - start) / 1_000;
    assert.ok(changes <= 2 + 2 * seconds, `${changes} in ${seconds} s`);
  });

  test('is written by POST, which keeps its expiry', async (t) => {
    await client.command('SET', 'k:posted', 'a', 'EX', '1000');
    const stream = await heard(t, gateway, '/events/k.posted');
    await stream.next();
    const response = await gateway.post('k.posted', 'b');
    const event = await stream.next();
    assert.deepEqual([response.status, event.data], [200, 'b']);
    assert.deepEqual(parseObject(await response.text()), { channel: 'k.posted', id: event.id });
    assert.equal(await client.command('GET', 'k:posted'), 'b');
    assert.ok(Number(await client.command('TTL', 'k:posted')) > 900);
  });
});

test('a key comes through a restart of an empty Redis as deleted, and through lost connections as its value', async (t) => {
  const redis = await startRedis(t);
  const gateway = await startReading(t, openConfig(redis, CHANNELS));
  const client = redis.client();
  await client.command('SET', 'k:a', '1');
  const stream = await heard(t, gateway, '/events/k.a');
  assert.equal((await stream.next()).data, '1');
  for (const [index, type] of ['normal', 'pubsub', 'normal', 'pubsub'].entries()) {
    await client.command('CLIENT', 'KILL', 'TYPE', type, 'SKIPME', 'yes');
    await client.command('SET', 'k:a', `${index + 2}`);
    await stream.until('the value', () => stream.events.at(-1)?.data === `${index + 2}`);
  }
  await redis.kill();
  await redis.start();
  await stream.until('the deletion', () => stream.events.at(-1)?.type === 'gateway.deleted');
  await redis.client().command('SET', 'k:a', 'new');
  assert.equal(
    (await stream.until('the value', () => stream.events.find((event) => event.data === 'new'))).data,
    'new',
  );
  assert.ok(stream.events.every((event) => event.type !== 'gateway.gap'));
});

test('without the right to CLIENT keys are polled and streams still come', async (t) => {
  const redis = await startRedis(t);
  const client = redis.client();
  await client.command('ACL', 'SETUSER', 'poor', 'on', '>secret', '~*', '&*', '+@all', '-client');
  const url = redis.url.replace('redis://', 'redis://poor:secret@');
  const gateway = await startReading(t, openConfig(url, CHANNELS));
  await client.command('SET', 'k:a', '1');
  const key = await heard(t, gateway, '/events/k.a');
  const stream = await heard(t, gateway, '/events/s.a');
  const both = await heard(t, gateway, '/events?channel=k.a&channel=s.a');
  assert.equal((await key.next()).data, '1');
  for (let round = 2; round < 5; round += 1) {
    await client.command('SET', 'k:a', `${round}`);
    const id = await addEntry(client, 's:a', `entry ${round}`);
    assert.deepEqual(await stream.next(), { type: 'message', data: `entry ${round}`, id });
    assert.equal((await key.next()).data, `${round}`);
    for (const data of [`${round}`, `entry ${round}`]) {
      await both.until(data, () => both.events.some((event) => event.data === data));
    }
  }
  await client.command('DEL', 'k:a');
  assert.equal((await key.next()).type, 'gateway.deleted');
});
