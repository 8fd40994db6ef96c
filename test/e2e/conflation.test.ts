/** Conflated channels: how things stand for whoever comes, and the newest value for whoever is slow. */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { addEntry, assertGap, dataOf, numbers, openConfig, run } from '../support/entries.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { isPublished, openData, parseObject } from '../support/gateway-events.ts';
import { heard } from '../support/heard.ts';
import { suiteOwner } from '../support/owner.ts';
import { type RedisServer, startRedis, subscribersOf } from '../support/redis.ts';
import type { RespClient } from '../support/resp.ts';
import type { ReceivedEvent } from '../support/sse-reader.ts';
import type { SseStream } from '../support/sse-stream.ts';
import { waitFor } from '../support/wait.ts';

const CHANNELS = [
  'one.{n}: {memory: true, conflate: true}',
  'none.{n}: {memory: true, conflate: true, replay: none}',
  'quote.{n}: {memory: true, conflate: {key: symbol}}',
  'inner.{n}: {memory: true, conflate: {key: quote.symbol}}',
  'few.{n}: {memory: true, conflate: {key: symbol, max_keys: 3}}',
  'rated.{n}: {memory: true, conflate: true, max_rate: 0.5/s}',
  'ratedq.{n}: {memory: true, conflate: {key: symbol}, max_rate: 2/s}',
  'p.{n}: {pubsub: "p:{n}", conflate: {key: symbol}}',
  'quotes: {pubsub: quotes, conflate: {key: symbol}, follow: always}',
  'latest: {pubsub: latest, conflate: true, follow: always}',
  's.{n}: {stream: "s:{n}", conflate: {key: symbol}}',
  'sone.{n}: {stream: "sone:{n}", conflate: true}',
  'plain.{n}: {memory: true}',
];

/** Who is slow on purpose is not cut for it, however long the others take. */
const PATIENT = 'limits: {client_stall: 5m}\n';

/** What `max_rate` of `rated.{n}` means, in milliseconds. */
const INTERVAL_MS = 2_000;

describe('a conflated channel', () => {
  const owner = suiteOwner();
  let redis: RedisServer;
  let client: RespClient;
  let gateway: Gateway;
  let config: string;
  before(async () => {
    redis = await startRedis(owner);
    client = redis.client();
    config = openConfig(redis, CHANNELS, PATIENT);
    gateway = await startGateway(owner, { config });
  });

  test('gives a new client its newest event first, unless replay says otherwise', async (t) => {
    for (const data of ['1', '2', '3']) for (const kind of ['one', 'none']) await gateway.publish(`${kind}.new`, data);
    for (const [kind, wanted] of [
      ['one', ['3', '4']],
      ['none', ['4']],
    ] as const) {
      const stream = gateway.stream(t, `/events/${kind}.new`);
      assert.equal(openData(await stream.opened()).resumed, false);
      await gateway.publish(`${kind}.new`, '4');
      assert.deepEqual(dataOf(await stream.take(wanted.length)), wanted);
      stream.cut();
    }
  });

  test('by key gives a new client the newest of each value of it, in the order of their events', async (t) => {
    for (const [symbol, price] of [
      ['A', 1],
      ['B', 1],
      ['A', 2],
      ['C', 1],
      ['A', 3],
      ['B', 2],
    ] as const) {
      await gateway.publish('quote.map', quote(symbol, price));
      await gateway.publish('inner.map', `{"quote":${quote(symbol, price)}}`);
    }
    const stream = gateway.stream(t, '/events/quote.map');
    await stream.opened();
    assert.deepEqual(dataOf(await stream.take(3)), [quote('C', 1), quote('A', 3), quote('B', 2)]);
    const inner = gateway.stream(t, '/events/inner.map');
    await inner.opened();
    assert.deepEqual(
      dataOf(await inner.take(3)),
      [quote('C', 1), quote('A', 3), quote('B', 2)].map((each) => `{"quote":${each}}`),
    );
  });

  test('keeps the newest of at most max_keys values', async (t) => {
    for (const symbol of ['A', 'B', 'C', 'D', 'E']) await gateway.publish('few.keys', quote(symbol, 1));
    const stream = gateway.stream(t, '/events/few.keys');
    await stream.opened();
    assert.deepEqual(
      dataOf(await stream.take(3)),
      ['C', 'D', 'E'].map((symbol) => quote(symbol, 1)),
    );
    await gateway.publish('few.keys', quote('F', 1));
    assert.equal((await stream.next()).data, quote('F', 1));
  });

  test('brings a client that comes back what has changed since, without what was replaced', async (t) => {
    await gateway.publish('quote.back', quote('A', 1));
    const first = gateway.stream(t, '/events/quote.back');
    await first.opened();
    await first.next();
    first.cut();
    for (const [symbol, price] of [
      ['B', 1],
      ['B', 2],
      ['C', 1],
      ['B', 3],
    ] as const) {
      await gateway.publish('quote.back', quote(symbol, price));
    }
    const second = gateway.stream(t, '/events/quote.back', { lastEventId: first.lastEventId });
    assert.equal(openData(await second.opened()).resumed, true);
    assert.deepEqual(dataOf(await second.take(2)), [quote('C', 1), quote('B', 3)]);
    await gateway.publish('quote.back', quote('A', 2));
    assert.equal((await second.next()).data, quote('A', 2));
  });

  test('tells who comes from another process of a restart and then how things stand', async (t) => {
    for (const [symbol, price] of [
      ['A', 1],
      ['B', 1],
      ['A', 2],
    ] as const) {
      await gateway.publish('quote.foreign', quote(symbol, price));
    }
    for (const [cursor, reason] of [
      ['zzzzzzzz-1', 'restarted'],
      ['nonsense', 'unknown-position'],
    ] as const) {
      const stream = gateway.stream(t, '/events/quote.foreign', { lastEventId: cursor });
      await stream.opened();
      assertGap(stream.gapsBeforeOpen()[0], 'quote.foreign', reason);
      assert.deepEqual(dataOf(await stream.take(2)), [quote('B', 1), quote('A', 2)]);
      stream.cut();
    }
  });

  test('skips what was replaced for a slow client, who ends on the newest of each key without a gap', async (t) => {
    const steady = gateway.stream(t, '/events/quote.slow');
    const slow = gateway.stream(t, '/events/quote.slow');
    await Promise.all([steady.opened(), slow.opened()]);
    slow.pause();
    const last = { A: 0, B: 0, C: 0 };
    for (let number = 1; number <= 600; number += 1) {
      const symbol = (['A', 'B', 'C'] as const)[number % 3] ?? 'A';
      last[symbol] = number;
      await gateway.publish('quote.slow', JSON.stringify({ symbol, price: number, pad: 'x'.repeat(32_000) }));
    }
    await gateway.publish('quote.slow', quote('D', 1));
    slow.resume();
    for (const stream of [steady, slow]) {
      await stream.until('the last event', () => stream.events.at(-1)?.data === quote('D', 1));
      assert.ok(stream.events.every((event) => event.type !== 'gateway.gap'));
      const prices = stream.events.filter(isPublished).map((event) => parseObject(event.data));
      for (const [symbol, price] of Object.entries(last)) {
        const seen = prices.filter((each) => each['symbol'] === symbol).map((each) => Number(each['price']));
        assert.equal(seen.at(-1), price);
        assert.deepEqual(
          seen,
          [...new Set(seen)].sort((a, b) => a - b),
        );
      }
    }
    assert.ok(slow.events.length < 601, `${slow.events.length} events, none was skipped`);
  });

  test('with max_rate sends the first at once, what follows at the end of the interval, and always the last', async (t) => {
    await warm(gateway, 'rated.edges');
    const stream = gateway.stream(t, '/events/rated.edges');
    await stream.opened();
    await stream.next();
    const known = stream.events.length;
    const start = performance.now();
    await waitFor('the interval of the first to be over', () => performance.now() - start > INTERVAL_MS + 100);
    const begin = performance.now();
    // Had it to wait for the end of an interval, one of those behind it would take its place.
    for (const data of ['leading', ...numbers(1, 20)]) await gateway.publish('rated.edges', data);
    const published = performance.now() - begin;
    await stream.until('the last', () => stream.events.at(-1)?.data === '20');
    const took = performance.now() - begin;
    const seen = dataOf(stream.events.slice(known));
    assert.equal(seen[0], 'leading');
    assert.ok(took >= (seen.length - 1) * INTERVAL_MS - 50, `${seen} in ${took} ms`);
    if (published < INTERVAL_MS) assert.deepEqual(seen, ['leading', '20']);
  });

  test('with max_rate and a key flushes the newest of each, none of them lost', async (t) => {
    const stream = gateway.stream(t, '/events/ratedq.keys');
    await stream.opened();
    for (let price = 1; price <= 10; price += 1) {
      for (const symbol of ['A', 'B', 'C']) await gateway.publish('ratedq.keys', quote(symbol, price));
    }
    await stream.until('the last of each', () =>
      ['A', 'B', 'C'].every((symbol) => dataOf(stream.events).includes(quote(symbol, 10))),
    );
    const late = gateway.stream(t, '/events/ratedq.keys');
    await late.opened();
    assert.deepEqual(
      dataOf(await late.take(3)).sort(),
      ['A', 'B', 'C'].map((symbol) => quote(symbol, 10)),
    );
  });

  test('of pub/sub that is always followed is a snapshot for the first visitor, and then live', async (t) => {
    const young = await startGateway(t, { config });
    await waitFor('both gateways to follow', async () => (await subscribersOf(client, 'quotes')) === 2);
    await waitFor('both gateways to follow', async () => (await subscribersOf(client, 'latest')) === 2);
    for (const data of ['1', '2', '3']) await client.publish('latest', data);
    for (const [symbol, price] of [
      ['A', 1],
      ['B', 1],
      ['A', 2],
      ['C', 1],
    ] as const) {
      await client.publish('quotes', quote(symbol, price));
    }
    const visitors: SseStream[] = [];
    for (const from of [gateway, young]) {
      // What was published first has come when the last has: Redis gives both channels on one connection.
      await waitFor('a quote of each symbol', async () => (await eventsOf(from, 'quotes')) === 3);
      const stream = from.stream(t, '/events/quotes');
      await stream.opened();
      assert.deepEqual(dataOf(await stream.take(3)), [quote('B', 1), quote('A', 2), quote('C', 1)]);
      const latest = from.stream(t, '/events/latest');
      await latest.opened();
      assert.equal((await latest.next()).data, '3');
      visitors.push(latest);
    }
    for (const data of ['4', '3']) {
      await client.publish('latest', data);
      for (const latest of visitors) assert.equal((await latest.next()).data, data);
    }
  });

  test('of pub/sub announces a lost link and then how things stand', async (t) => {
    const stream = await heard(t, gateway, '/events/p.lost');
    await client.publish('p:lost', quote('A', 1));
    await client.publish('p:lost', quote('B', 1));
    await stream.take(2);
    await client.command('CLIENT', 'KILL', 'TYPE', 'pubsub');
    assertGap(await stream.next(), 'p.lost', 'source-lost');
    await client.publish('p:lost', quote('A', 2));
    await stream.until('the next', () => stream.events.at(-1)?.data === quote('A', 2));
  });

  test('of a stream gives a new client the newest of each key of all that Redis holds', async (t) => {
    for (const [symbol, price] of [
      ['A', 1],
      ['B', 1],
      ['A', 2],
    ] as const) {
      await addEntry(client, 's:map', quote(symbol, price));
      await addEntry(client, 'sone:map', quote(symbol, price));
    }
    const stream = await heard(t, gateway, '/events/s.map');
    assert.deepEqual(dataOf(await stream.take(2)), [quote('B', 1), quote('A', 2)]);
    await addEntry(client, 's:map', quote('C', 1));
    assert.equal((await stream.next()).data, quote('C', 1));
    const again = gateway.stream(t, '/events/s.map', { lastEventId: stream.lastEventId });
    assert.equal(openData(await again.opened()).resumed, true);
    await addEntry(client, 's:map', quote('A', 3));
    for (const each of [stream, again]) assert.equal((await each.next()).data, quote('A', 3));
    const one = await heard(t, gateway, '/events/sone.map');
    assert.equal((await one.next()).data, quote('A', 2));
  });

  test('of a stream says at another gateway that it is one, and how things stand', async (t) => {
    await addEntry(client, 's:hop', quote('A', 1));
    const first = await heard(t, gateway, '/events/s.hop');
    await first.next();
    await addEntry(client, 's:hop', quote('B', 1));
    await first.next();
    const young = await startGateway(t, { config });
    await heard(t, young, '/events/s.hop');
    const second = young.stream(t, '/events/s.hop', { lastEventId: first.lastEventId });
    await second.opened();
    assertGap(second.gapsBeforeOpen()[0], 's.hop', 'restarted');
    assert.deepEqual(dataOf(await second.take(2)), [quote('A', 1), quote('B', 1)]);
  });

  test('of a stream that was trimmed hard announces nothing: what counts is how things stand', async (t) => {
    const stream = await heard(t, gateway, '/events/s.trim');
    await addEntry(client, 's:trim', quote('A', 1));
    await stream.next();
    await run(
      client,
      Array.from({ length: 10 }, (_, index) => ['XADD', 's:trim', 'MAXLEN', '2', '*', 'data', quote('A', index + 2)]),
    );
    await stream.until('the newest', () => stream.events.at(-1)?.data === quote('A', 11));
    assert.ok(stream.events.every((event) => !event.data.includes('trimmed')));
  });

  test('keeps its newest value behind an end, for who comes, who is slow, and who waits for max_rate', async (t) => {
    for (const kind of ['one', 'quote', 'rated', 'ratedq']) {
      const channel = `${kind}.end`;
      const live = gateway.stream(t, `/events/${channel}`);
      await live.opened();
      for (const price of [1, 2, 3]) await gateway.publish(channel, quote('A', price));
      const response = await gateway.get(`/events/${channel}`, { method: 'DELETE' });
      assert.equal(response.status, 200, await response.text());
      assert.equal(await live.ended(), 'complete');
      const fresh = gateway.stream(t, `/events/${channel}`);
      assert.equal(await fresh.ended(), 'complete');
      for (const stream of [live, fresh]) {
        assert.deepEqual(
          stream.events.slice(-2).map(({ type, data }) => (type === 'message' ? data : type)),
          [quote('A', 3), 'gateway.end'],
          channel,
        );
      }
    }
    await addEntry(client, 'sone:end', 'first');
    await addEntry(client, 'sone:end', 'newest');
    await client.command('XADD', 'sone:end', '*', 'end', '1');
    await heard(t, gateway, '/events/sone.end');
    const stream = gateway.stream(t, '/events/sone.end');
    assert.equal(await stream.ended(), 'complete');
    assert.deepEqual(dataOf(stream.events).slice(1, -1), ['newest']);
  });

  test('shares a connection with one that is not', async (t) => {
    await gateway.publish('one.with', '1');
    await gateway.publish('one.with', '2');
    const path = '/events?channel=one.with&channel=plain.with';
    const stream = gateway.stream(t, path);
    await stream.opened();
    await gateway.publish('plain.with', 'a');
    await gateway.publish('one.with', '3');
    await gateway.publish('plain.with', 'b');
    assert.deepEqual(dataOf(await stream.take(4)), ['2', 'a', '3', 'b']);
    const events: readonly ReceivedEvent[] = stream.events;
    for (const [index, { id }] of events.entries()) {
      const again = gateway.stream(t, path, { lastEventId: id });
      assert.equal(openData(await again.opened()).resumed, true);
      const rest = dataOf(events.slice(index + 1)).filter((data) => data !== '2' && (data !== '3' || index < 3));
      if (rest.length > 0) assert.deepEqual(dataOf(await again.take(rest.length)), rest, `behind ${id}`);
      again.cut();
    }
  });
});

/** How many events a gateway holds of a channel. */
async function eventsOf(gateway: Gateway, channel: string): Promise<unknown> {
  return parseObject(await (await gateway.get(`/channels/${channel}`)).text())['events'];
}

function quote(symbol: string, price: number): string {
  return JSON.stringify({ symbol, price });
}

/** Publishes the first event of a channel. */
async function warm(gateway: Gateway, channel: string): Promise<void> {
  await gateway.publish(channel, 'warm');
}
