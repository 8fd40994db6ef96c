/** Stream channels over a real Redis: positions, resuming anywhere, and history joined to what comes live. */
import assert from 'node:assert/strict';
import { before, describe, type TestContext, test } from 'node:test';
import {
  addEntry,
  addNumbered,
  assertGap,
  commandCalls,
  dataOf,
  numbers,
  openConfig,
  run,
} from '../support/entries.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { isPublished, openData, parseObject } from '../support/gateway-events.ts';
import { heard } from '../support/heard.ts';
import { suiteOwner } from '../support/owner.ts';
import { startPair, startReading } from '../support/pair.ts';
import { redisNotStarted, startRedis } from '../support/redis.ts';
import type { RespClient } from '../support/resp.ts';
import type { SseStream } from '../support/sse-stream.ts';
import { DEADLINE_MS, waitFor } from '../support/wait.ts';

const CHANNELS = [
  's.{n}: {stream: "s:{n}"}',
  'all.{n}: {stream: "all:{n}", replay: all}',
  'three.{n}: {stream: "three:{n}", replay: 3}',
  'short.{n}: {stream: "short:{n}", replay: all, history: {events: 1}}',
  'typed.{n}: {stream: "typed:{n}", event: "of {n}", fields: {data: d, event: e, id: i}}',
];

/** So many changes that few reads are told from one for each, however long everything takes. */
const UNHEARD = 100;

/** More than the kernel buffers of a loopback connection hold. */
const FLOOD_ENTRIES = 800;
const FLOOD_BYTES = 32 * 1024;

describe('a stream channel', () => {
  const owner = suiteOwner();
  let client: RespClient;
  let gateway: Gateway;
  let other: Gateway;
  before(async () => {
    ({ client, gateway, other } = await startPair(owner, CHANNELS));
  });

  /** The data of the next `count` events of a stream that was opened without a gap. */
  async function seenBy(
    t: TestContext,
    from: Gateway,
    path: string,
    count: number,
    cursor?: string,
  ): Promise<string[]> {
    const stream = await heard(t, from, path, { lastEventId: cursor });
    const open = await stream.opened();
    assert.deepEqual(stream.gapsBeforeOpen(), [], path);
    assert.equal(openData(open).resumed, cursor !== undefined, path);
    const seen = await stream.take(count);
    stream.cut();
    return dataOf(seen);
  }

  test('brings entries in order under their own ids', async (t) => {
    const stream = await heard(t, gateway, '/events/s.order');
    await addNumbered(client, 's:order', 1, 100);
    const events = await stream.take(100);
    assert.deepEqual(dataOf(events), numbers(1, 100));
    assert.deepEqual(
      events.map((event) => event.id),
      numbers(1, 100).map((number) => `${number}-0`),
    );
    const id = await addEntry(client, 's:order', 'timed');
    assert.deepEqual(await stream.next(), { type: 'message', data: 'timed', id });
  });

  test('takes type and id from the fields of an entry, and sends an entry without data whole', async (t) => {
    const stream = await heard(t, gateway, '/events/s.fields?envelope=1');
    const renamed = await heard(t, gateway, '/events/typed.fields');
    await addEntry(client, 's:fields', 'x', '1-0', ['event', 'tick', 'id', 'mine', 'more', 'y']);
    await client.command('XADD', 's:fields', '2-0', 'b', '1', 'a', '"two"');
    await addEntry(client, 's:fields', 'z', '3-0', ['event', 'gateway.open']);
    const [first, second, third] = await stream.take(3);
    assert.equal(first?.type, 'tick');
    assert.deepEqual(parseObject(first?.data ?? ''), { channel: 's.fields', event: 'tick', id: 'mine', data: 'x' });
    assert.equal(parseObject(second?.data ?? '')['data'], '{"b":"1","a":"\\"two\\""}');
    assert.equal(third?.type, 'message');
    await client.command('XADD', 'typed:fields', '1-0', 'd', 'x', 'e', 'tock', 'i', 'mine');
    await client.command('XADD', 'typed:fields', '2-0', 'd', 'y', 'event', 'no type');
    assert.deepEqual(await renamed.take(2), [
      { type: 'tock', data: 'x', id: '1-0' },
      { type: 'of fields', data: 'y', id: '2-0' },
    ]);
  });

  test('opens with the last id that the stream gave, or 0-0 where there is none', async (t) => {
    await addNumbered(client, 's:head', 1, 5);
    await addNumbered(client, 's:drained', 1, 5);
    await client.command('XTRIM', 's:drained', 'MAXLEN', '0');
    for (const [name, id] of [
      ['head', '5-0'],
      ['drained', '5-0'],
      ['missing', '0-0'],
    ] as const) {
      const stream = await heard(t, gateway, `/events/s.${name}`);
      const open = await stream.opened();
      assert.equal(open.id, id, name);
      assert.deepEqual(openData(open), { channels: [`s.${name}`], resumed: false, pending: [] });
      await addNumbered(client, `s:${name}`, 6, 7);
      assert.deepEqual(dataOf(await stream.take(2)), ['6', '7'], name);
    }
  });

  test('resumes after a position, before one that is marked, and from the start', async (t) => {
    await addNumbered(client, 's:forms', 1, 5);
    for (const from of [gateway, other]) {
      assert.deepEqual(await seenBy(t, from, '/events/s.forms', 3, '2-0'), numbers(3, 5));
      assert.deepEqual(await seenBy(t, from, '/events/s.forms', 4, '^2-0'), numbers(2, 5));
      assert.deepEqual(await seenBy(t, from, '/events/s.forms', 5, '^1-0'), numbers(1, 5));
      assert.deepEqual(await seenBy(t, from, '/events/s.forms', 5, '0-0'), numbers(1, 5));
      assert.deepEqual(await seenBy(t, from, '/events/s.forms?lastEventId=4-0', 1, '4-0'), ['5']);
    }
  });

  test('every id on the way, that of gateway.open too, resumes with exactly the rest', async (t) => {
    await addNumbered(client, 'all:rest', 1, 6);
    for (const query of ['', '?last=4', '?since=start']) {
      const whole = await heard(t, gateway, `/events/all.rest${query}`);
      await whole.until('the last entry', () => whole.events.some((event) => event.data === '6'));
      for (const [index, { id }] of whole.events.slice(0, -1).entries()) {
        const rest = dataOf(whole.events.slice(index + 1));
        for (const from of [gateway, other]) {
          assert.deepEqual(await seenBy(t, from, '/events/all.rest', rest.length, id), rest, `${id}${query}`);
        }
      }
    }
  });

  test('opens a resumed stream with a position that nothing is lost behind', async (t) => {
    await addNumbered(client, 's:reopen', 1, 3);
    for (const cursor of ['1-0', '^2-0']) {
      const stream = await heard(t, gateway, '/events/s.reopen', { lastEventId: cursor });
      const open = await stream.opened();
      stream.cut();
      assert.deepEqual(await seenBy(t, gateway, '/events/s.reopen', 2, open.id), ['2', '3'], cursor);
    }
  });

  test('an id that nobody could have is a gap and then the head', async (t) => {
    await addNumbered(client, 's:odd', 1, 3);
    for (const cursor of ['nonsense', '1-', '01-0', '^^1-0', '18446744073709551616-0', '1-0,s.odd=x']) {
      const stream = await heard(t, gateway, '/events/s.odd', { lastEventId: cursor });
      const open = await stream.opened();
      assert.equal(open.id, '3-0', cursor);
      assert.equal(openData(open).resumed, false, cursor);
      assert.equal(stream.gapsBeforeOpen().length, 1, cursor);
      assertGap(stream.gapsBeforeOpen()[0], 's.odd', 'unknown-position');
      stream.cut();
    }
  });

  test('takes ids as large as Redis has them', async (t) => {
    const large = '18446744073709551615-18446744073709551614';
    await addEntry(client, 's:large', 'large', large);
    await addEntry(client, 's:large', 'largest', '18446744073709551615-18446744073709551615');
    assert.deepEqual(await seenBy(t, gateway, '/events/s.large', 1, large), ['largest']);
    const stream = await heard(t, gateway, '/events/s.large', {
      lastEventId: '18446744073709551615-18446744073709551615',
    });
    assert.equal(openData(await stream.opened()).resumed, true);
  });

  test('replays nothing, the newest or all, as configured or as asked for', async (t) => {
    const cases = [
      ['s', '', []],
      ['all', '', numbers(1, 5)],
      ['three', '', numbers(3, 5)],
      ['short', '', numbers(1, 5)],
      ['s', '?last=2', ['4', '5']],
      ['all', '?last=2', ['4', '5']],
      ['s', '?last=5', numbers(1, 5)],
      ['s', '?last=99', numbers(1, 5)],
      ['three', '?since=start', numbers(1, 5)],
      ['short', '?last=4', numbers(2, 5)],
    ] as const;
    for (const [index, [kind, query, wanted]] of cases.entries()) {
      await addNumbered(client, `${kind}:r${index}`, 1, 5);
      for (const from of [gateway, other]) {
        const stream = await heard(t, from, `/events/${kind}.r${index}${query}`);
        const open = await stream.opened();
        assert.equal(openData(open).resumed, false);
        assert.deepEqual(dataOf(await stream.take(wanted.length)), wanted, `${kind}${query}`);
        stream.cut();
        const again = await seenBy(t, from, `/events/${kind}.r${index}`, wanted.length, open.id);
        assert.deepEqual(again, wanted, `from the id of gateway.open, ${kind}${query}`);
      }
    }
  });

  test('since= goes by the time in the ids, and a cursor wins over it', async (t) => {
    await addNumbered(client, 's:since', 1, 3);
    await addEntry(client, 's:since', 'hour', `${Date.now() - 3_600_000}-0`);
    await addEntry(client, 's:since', 'now');
    assert.deepEqual(await seenBy(t, gateway, '/events/s.since?since=5m', 1), ['now']);
    assert.deepEqual(await seenBy(t, gateway, '/events/s.since?since=2h', 2), ['hour', 'now']);
    assert.deepEqual(await seenBy(t, gateway, '/events/s.since?since=start', 5), ['1', '2', '3', 'hour', 'now']);
    assert.deepEqual(await seenBy(t, gateway, '/events/s.since?since=start&last=1', 3, '2-0'), ['3', 'hour', 'now']);
  });

  test('replays what is left of a stream that was trimmed, without a gap', async (t) => {
    await addNumbered(client, 'all:left', 1, 10);
    await client.command('XTRIM', 'all:left', 'MAXLEN', '3');
    for (const query of ['', '?last=8', '?since=start']) {
      assert.deepEqual(await seenBy(t, gateway, `/events/all.left${query}`, 3), numbers(8, 10), query);
    }
  });

  test('history is joined to what a producer writes meanwhile without loss or repetition', async (t) => {
    const producer = produce(t, client, 's:join', 5);
    await producer.written(30);
    const queries = ['?since=start', '?last=20', '?last=1', '?last=100000', '', '?since=1s', '?since=5m'];
    const openings: Promise<SseStream>[] = [];
    for (let round = 0; round < 5; round += 1) {
      openings.push(...queries.map((query) => heard(t, round % 2 ? gateway : other, `/events/s.join${query}`)));
      await producer.written(10);
    }
    const streams = await Promise.all(openings);
    const last = await producer.stop();
    for (const [index, stream] of streams.entries()) {
      await stream.until('the last entry', () => stream.events.some((event) => event.data === `${last}`));
      const seen = dataOf(stream.events.filter(isPublished));
      assert.deepEqual(seen, numbers(last - seen.length + 1, last), stream.events[0]?.data);
      const query = queries[index % queries.length];
      if (query === '?since=start' || query === '?last=100000') assert.equal(seen.length, last, query);
      if (query === '?last=20') assert.ok(seen.length >= 20);
      assert.equal(stream.events.filter((event) => event.type === 'gateway.gap').length, 0);
    }
  });

  test('10,000 entries of history are joined to 200 a second that come meanwhile', async (t) => {
    const written = Array.from({ length: 10_000 }, (_, index) => `h${index}`.padEnd(100, '.'));
    await run(
      client,
      written.map((data) => ['XADD', 's:long', '*', 'data', data]),
    );
    const producer = produce(t, client, 's:long', 5);
    const streams = await Promise.all(
      ['?since=start', '?last=10000', '?since=1h'].map((query) => heard(t, gateway, `/events/s.long${query}`)),
    );
    await Promise.all(streams.map((stream) => stream.until('half', () => stream.events.length > 5_000)));
    const last = await producer.stop();
    for (const [index, stream] of streams.entries()) {
      await stream.until('the last entry', () => stream.events.some((event) => event.data === `${last}`));
      const seen = dataOf(stream.events.filter(isPublished));
      const wanted = [...written, ...numbers(1, last)];
      assert.deepEqual(seen, index === 1 ? wanted.slice(-seen.length) : wanted);
      assert.ok(seen.length >= 10_000);
    }
  });

  test('a hundred clients who resume in different places each get their rest', async (t) => {
    await addNumbered(client, 's:crowd', 1, 1_000);
    const places = Array.from({ length: 100 }, (_, index) => index * 10);
    const streams = places.map((place) => other.stream(t, '/events/s.crowd', { lastEventId: `${place}-0` }));
    await Promise.all(streams.map((stream) => stream.opened()));
    await addNumbered(client, 's:crowd', 1_001, 1_001);
    for (const [index, stream] of streams.entries()) {
      const place = places[index] ?? 0;
      assert.deepEqual(dataOf(await stream.take(1_001 - place)), numbers(place + 1, 1_001));
    }
  });
});

describe('streams with little room, a short linger or a prefix', () => {
  test('are read no more when nobody has followed them for a while', async (t) => {
    const redis = await startRedis(t);
    const client = redis.client();
    const channels = ['s: {stream: s, linger: 250ms}', 'k: {key: k, linger: 250ms}'];
    const gateway = await startGateway(t, { config: openConfig(redis, channels, 'server: {retry: 100ms}\n') });
    const stream = await heard(t, gateway, '/events?channel=s&channel=k');
    await addNumbered(client, 's', 1, 1);
    await stream.next();
    stream.cut();
    await waitFor('the channels to be left', async () => {
      const answer = parseObject(await (await gateway.get('/channels')).text());
      return JSON.stringify(answer['channels']) === '[]';
    });
    const before = await commandCalls(client);
    for (let number = 2; number <= UNHEARD; number += 1) {
      await addNumbered(client, 's', number, number);
      await client.command('SET', 'k', `${number}`);
    }
    const back = gateway.stream(t, '/events?channel=s&channel=k', { lastEventId: stream.lastEventId });
    const last = () => dataOf(back.events).filter((data) => data === `${UNHEARD}`);
    await back.until('the last of both', () => last().length === 2);
    const after = await commandCalls(client);
    const reads = ['xrange', 'getrange'].map((name) => (after.get(name) ?? 0) - (before.get(name) ?? 0));
    assert.ok(Math.max(...reads) <= UNHEARD / 4, `reads while nobody listens: ${reads.join()}`);
  });

  test('come whole where the tracking table of Redis is too small for them', async (t) => {
    const redis = await startRedis(t, ['--tracking-table-max-keys', '3']);
    const client = redis.client();
    const gateway = await startReading(t, openConfig(redis, CHANNELS));
    const names = Array.from({ length: 40 }, (_, index) => `/events/s.${index}`);
    const streams = await Promise.all(names.map((name) => heard(t, gateway, name)));
    for (let round = 1; round <= 5; round += 1) {
      for (const index of streams.keys()) await addNumbered(client, `s:${index}`, round, round);
    }
    for (const stream of streams) assert.deepEqual(dataOf(await stream.take(5)), numbers(1, 5));
  });

  test('serve several channels that read one stream differently, also on one connection and over HTTP/1.0', async (t) => {
    const redis = await startRedis(t);
    const client = redis.client();
    const channels = [
      'text: {stream: x}',
      'envelope: {stream: x, format: envelope}',
      'newest: {stream: x, conflate: true}',
    ];
    const config = openConfig(redis, channels, 'sources: {main: {redis: "URL", prefix: "app:"}}\n')
      .replace(/^redis: .*\n/, '')
      .replace('URL', redis.url);
    const gateway = await startGateway(t, { config });
    const names = ['text', 'envelope', 'newest'];
    const alone = await Promise.all(names.map((name) => heard(t, gateway, `/events/${name}`)));
    const all = `/events?${names.map((name) => `channel=${name}`).join('&')}`;
    const together = await heard(t, gateway, all, { version: '1.0' });
    await addEntry(client, 'app:x', '{"data":"in"}', '1-0');
    const wanted = ['{"data":"in"}', 'in', '{"data":"in"}'];
    assert.deepEqual(await Promise.all(alone.map(async (stream) => (await stream.next()).data)), wanted);
    assert.deepEqual(dataOf(await together.take(3)).sort(), wanted.toSorted());
    await client.command('PEXPIRE', 'app:x', '10');
    for (const [index, stream] of alone.entries()) assertGap(await stream.next(), names[index] ?? '', 'reset');
    await together.take(3);
    await addEntry(client, 'app:x', 'again', '1-0');
    for (const stream of alone) assert.equal((await stream.next()).data, 'again');
    assert.deepEqual(dataOf(await together.take(3)), ['again', 'again', 'again']);
  });
});

describe('a client of a stream that changes gateways', () => {
  test('loses nothing and sees nothing twice, also when one was killed and came back', async (t) => {
    const redis = await startRedis(t);
    const client = redis.client();
    const config = openConfig(redis, CHANNELS);
    let gateways = await Promise.all([startReading(t, config), startReading(t, config)]);
    const producer = produce(t, client, 's:hop', 5);
    await producer.written(1);
    const seen: string[] = [];
    let cursor = '0-0';
    for (let hop = 0; hop < 12; hop += 1) {
      const [here, there] = gateways;
      if (here === undefined || there === undefined) throw new Error('two gateways');
      const stream = await heard(t, here, '/events/s.hop', { lastEventId: cursor });
      assert.equal(openData(await stream.opened()).resumed, true);
      await stream.take(1 + (hop % 5));
      if (hop === 5) await here.child.kill();
      else stream.cut();
      await stream.ended();
      seen.push(...dataOf(stream.events.filter(isPublished)));
      cursor = stream.lastEventId ?? cursor;
      gateways = hop === 5 ? [there, await startReading(t, config)] : [there, here];
    }
    const last = await producer.stop();
    const rest = await heard(t, gateways[0] ?? assert.fail(), '/events/s.hop', { lastEventId: cursor });
    seen.push(...dataOf(await rest.take(last - seen.length)));
    assert.deepEqual(seen, numbers(1, last));
  });
});

describe('a stream whose client or Redis is slow or away', () => {
  test('brings a client that the window overtakes everything from Redis, without a gap', async (t) => {
    const redis = await startRedis(t);
    const limits = 'limits: {event_size: 64KiB, window: 1MiB, buffered_total: 16MiB, client_stall: 10m}\n';
    const channels = ['s: {stream: s, history: {events: 10}}', 'calm: {memory: true}'];
    const gateway = await startGateway(t, { config: openConfig(redis, channels, limits) });
    const client = redis.client();
    const steady = await heard(t, gateway, '/events/s');
    const slow = [await heard(t, gateway, '/events/s'), await heard(t, gateway, '/events?channel=s&channel=calm')];
    for (const stream of slow) stream.pause();
    for (let first = 1; first <= FLOOD_ENTRIES; first += 50) {
      const numbered = Array.from({ length: 50 }, (_, index) => `${first + index}`.padEnd(FLOOD_BYTES, ' .'));
      await run(
        client,
        numbered.map((data) => ['XADD', 's', '*', 'data', data]),
      );
    }
    await steady.take(FLOOD_ENTRIES);
    await gateway.publish('calm', 'calm');
    for (const stream of slow) stream.resume();
    for (const stream of [steady, ...slow]) {
      const isLast = (data: string) => data.startsWith(`${FLOOD_ENTRIES} `);
      await stream.until('the last entry', () => stream.events.some((event) => isLast(event.data)));
      const seen = stream.events.filter((event) => event.type !== 'gateway.open' && event.data !== 'calm');
      assert.deepEqual(
        seen.map((event) => event.data.split(' ')[0]),
        numbers(1, FLOOD_ENTRIES),
      );
    }
    await slow[1]?.until('the other channel', () => slow[1]?.events.some((event) => event.data === 'calm'));
  });

  test('of a Redis that is down is 200 and pending, and goes on when it is there', async (t) => {
    const redis = await redisNotStarted(t);
    const gateway = await startGateway(t, { config: openConfig(redis, [...CHANNELS, 'news: {memory: true}']) });
    const fresh = gateway.stream(t, '/events/s.a');
    const resumed = gateway.stream(t, '/events/s.b', { lastEventId: '0-0' });
    const mixed = gateway.stream(t, '/events?channel=s.c&channel=news');
    for (const [stream, pending] of [
      [fresh, 's.a'],
      [resumed, 's.b'],
      [mixed, 's.c'],
    ] as const) {
      assert.deepEqual(openData(await stream.opened()).pending, [pending]);
      assert.equal(stream.head?.status, 200);
    }
    await gateway.publish('news', 'here');
    assert.equal((await mixed.next()).data, 'here');
    await redis.start();
    for (const [stream, channel] of [
      [fresh, 's.a'],
      [mixed, 's.c'],
    ] as const) {
      assertGap(await stream.next(), channel, 'source-lost');
    }
    const client = redis.client();
    for (const name of ['a', 'b', 'c']) await addNumbered(client, `s:${name}`, 1, 2);
    for (const stream of [fresh, resumed, mixed]) assert.deepEqual(dataOf(await stream.take(2)), ['1', '2']);
  });

  test('of a Redis that hangs is pending, and is proved whole for who came with a cursor when it answers', async (t) => {
    const redis = await startRedis(t);
    await addNumbered(redis.client(), 's:hung', 1, 5);
    redis.freeze();
    const gateway = await startGateway(t, { config: openConfig(redis, CHANNELS) });
    const stream = gateway.stream(t, '/events/s.hung', { lastEventId: '2-0' });
    assert.deepEqual(openData(await stream.opened()).pending, ['s.hung']);
    const cut = gateway.stream(t, '/events/s.hung', { lastEventId: stream.lastEventId });
    await cut.opened();
    redis.thaw();
    for (const each of [stream, cut]) assert.deepEqual(dataOf(await each.take(3)), numbers(3, 5));
  });

  test('goes on without a gap when its connections are killed while entries come', async (t) => {
    const redis = await startRedis(t);
    const client = redis.client();
    const gateway = await startGateway(t, { config: openConfig(redis, CHANNELS) });
    const stream = await heard(t, gateway, '/events/s.killed');
    for (let round = 0; round < 6; round += 1) {
      await addNumbered(client, 's:killed', round * 20 + 1, round * 20 + 10);
      await client.command('CLIENT', 'KILL', 'TYPE', round % 2 === 0 ? 'pubsub' : 'normal', 'SKIPME', 'yes');
      await addNumbered(client, 's:killed', round * 20 + 11, round * 20 + 20);
      assert.deepEqual(dataOf(await stream.take(20)), numbers(round * 20 + 1, round * 20 + 20));
    }
  });
});

/** Adds the data 1, 2, 3, ... to `stream`, one every `everyMs`. */
function produce(t: TestContext, client: RespClient, stream: string, everyMs: number) {
  let asked = 0;
  let answered = 0;
  const add = async () => {
    asked += 1;
    await addEntry(client, stream, `${asked}`);
    answered += 1;
  };
  const timer = setInterval(() => void add(), everyMs);
  t.after(() => clearInterval(timer));
  return {
    /** Settles when `count` more are written. */
    async written(count: number): Promise<void> {
      const wanted = answered + count;
      await t.waitFor(() => assert.ok(answered >= wanted), { interval: 2, timeout: DEADLINE_MS });
    },
    /** Stops; settles with how many there are. */
    async stop(): Promise<number> {
      clearInterval(timer);
      await t.waitFor(() => assert.equal(answered, asked), { interval: 2, timeout: DEADLINE_MS });
      return asked;
    },
  };
}
