/** Streams that end: every way to say so, who is told, who need not come back, and how they open again. */
import assert from 'node:assert/strict';
import { before, describe, type TestContext, test } from 'node:test';
import {
  addEntry,
  addNumbered,
  assertEnd,
  assertGap,
  atomically,
  dataOf,
  numbers,
  openConfig,
  run,
} from '../support/entries.ts';
import { type Gateway, runCommand } from '../support/gateway.ts';
import { openData, parseObject } from '../support/gateway-events.ts';
import { heard } from '../support/heard.ts';
import { suiteOwner } from '../support/owner.ts';
import { startPair, startReading } from '../support/pair.ts';
import { startRedis } from '../support/redis.ts';
import type { RespClient } from '../support/resp.ts';
import type { SseStream } from '../support/sse-stream.ts';

/** After how long a channel ends for want of a word, in milliseconds: nothing that a test does about it takes as long. */
const IDLE_MS = 5000;

const CHANNELS = [
  's.{n}: {stream: "s:{n}"}',
  'all.{n}: {stream: "all:{n}", replay: all}',
  'env.{n}: {stream: "env:{n}", format: envelope}',
  `idle.{n}: {stream: "idle:{n}", replay: all, end_after: ${IDLE_MS}ms}`,
  'named.{n}: {stream: "named:{n}", fields: {end: done}}',
  'm.{n}: {memory: true}',
];

describe('a stream that ends', () => {
  const owner = suiteOwner();
  let client: RespClient;
  let gateway: Gateway;
  let other: Gateway;
  before(async () => {
    ({ client, gateway, other } = await startPair(owner, CHANNELS));
  });

  /** Asserts that who comes back to `path` behind `cursor` is answered 204 by both gateways. */
  async function needNotComeBack(t: TestContext, path: string, cursor: string | undefined): Promise<void> {
    for (const from of [gateway, other]) {
      const stream = await looked(() => from.stream(t, path, { lastEventId: cursor }));
      assert.equal((await stream.responded()).status, 204, `${path} behind ${cursor}`);
      assert.equal(await stream.ended(), 'complete');
    }
  }

  /** Follows `channel` on both gateways, ends it, and gives the data that came before the end. */
  async function endedBy(t: TestContext, channel: string, end: () => Promise<unknown>): Promise<string[]> {
    const streams = await Promise.all([gateway, other].map((from) => heard(t, from, `/events/${channel}`)));
    await end();
    const seen = await Promise.all(streams.map((stream) => untilEnd(stream, channel)));
    assert.deepEqual(seen[0], seen[1]);
    await needNotComeBack(t, `/events/${channel}`, streams[0]?.lastEventId);
    return seen[0] ?? [];
  }

  test('by a field end of an entry, in each value that counts, with its data or alone', async (t) => {
    for (const [index, value] of ['1', 'true'].entries()) {
      const both = await endedBy(t, `s.field${index}`, () =>
        addEntry(client, `s:field${index}`, 'bye', '*', ['end', value]),
      );
      assert.deepEqual(both, ['bye']);
      const alone = await endedBy(t, `s.alone${index}`, () =>
        client.command('XADD', `s:alone${index}`, '*', 'end', value),
      );
      assert.deepEqual(alone, []);
    }
    const named = await endedBy(t, 'named.a', () => client.command('XADD', 'named:a', '*', 'data', 'x', 'done', '1'));
    assert.deepEqual(named, ['x']);
  });

  test('not by another value of the field, nor by a field of another name', async (t) => {
    const stream = await heard(t, gateway, '/events/s.words');
    for (const value of ['0', 'false', 'yes', '']) await addEntry(client, 's:words', value, '*', ['end', value]);
    await addEntry(client, 's:words', 'done', '*', ['done', '1']);
    assert.deepEqual(dataOf(await stream.take(5)), ['0', 'false', 'yes', '', 'done']);
    assert.equal(stream.end, undefined);
  });

  test('by an envelope on it', async (t) => {
    for (const [index, value] of ['true', '1', '"1"', '"true"'].entries()) {
      const data = `{"data":"bye","end":${value}}`;
      assert.deepEqual(await endedBy(t, `env.${index}`, () => addEntry(client, `env:${index}`, data)), ['bye']);
    }
    assert.deepEqual(await endedBy(t, 'env.alone', () => addEntry(client, 'env:alone', '{"end":true}')), []);
  });

  test('by DELETE, by ?end=true with and without a body, and by publish --end', async (t) => {
    const remove = () => gateway.get('/events/s.remove', { method: 'DELETE' });
    assert.deepEqual(await endedBy(t, 's.remove', remove), []);
    assert.deepEqual(await endedBy(t, 's.body', () => gateway.publish('s.body', 'bye', '?end=true')), ['bye']);
    assert.deepEqual(await endedBy(t, 's.bare', () => gateway.publish('s.bare', '', '?end=true')), []);
    for (const [channel, payload] of [
      ['s.said', ['last words']],
      ['s.silent', []],
    ] as const) {
      const args = ['publish', channel, ...payload, '--end', '--url', gateway.url];
      const command = () => runCommand(t, args, gateway).ends();
      assert.deepEqual(await endedBy(t, channel, command), payload);
    }
  });

  test('answers DELETE with the id of the end, which gateway.end carries', async (t) => {
    const stream = await heard(t, gateway, '/events/s.id');
    const response = await gateway.get('/events/s.id', { method: 'DELETE' });
    const answer = parseObject(await response.text());
    const end = await stream.next();
    assert.deepEqual(answer, { channel: 's.id', id: end.id });
    assert.match(end.id ?? '', /^\d+-\d+$/);
  });

  test('gives who has not everything the rest and the end, then nothing more', async (t) => {
    await addNumbered(client, 's:rest', 1, 4);
    await client.command('XADD', 's:rest', '5-0', 'data', '5', 'end', '1');
    for (const from of [gateway, other]) {
      for (const [cursor, wanted] of [
        ['0-0', numbers(1, 5)],
        ['4-0', ['5']],
        ['^5-0', ['5']],
        ['^3-0', numbers(3, 5)],
      ] as const) {
        const stream = from.stream(t, '/events/s.rest', { lastEventId: cursor });
        assert.equal((await stream.responded()).status, 200);
        assert.deepEqual(await untilEnd(stream, 's.rest'), wanted);
        await needNotComeBack(t, '/events/s.rest', stream.lastEventId);
      }
    }
    await needNotComeBack(t, '/events/s.rest', '5-0');
  });

  test('gives every id on the way exactly the rest', async (t) => {
    await addNumbered(client, 'all:way', 1, 3);
    await client.command('XADD', 'all:way', '4-0', 'data', '4', 'end', 'true');
    const whole = await heard(t, gateway, '/events/all.way');
    assert.deepEqual(await untilEnd(whole, 'all.way'), numbers(1, 4));
    for (const [index, { id, type }] of whole.events.entries()) {
      const rest = dataOf(whole.events.slice(index + 1)).slice(0, -1);
      const stream = await looked(() => other.stream(t, '/events/all.way', { lastEventId: id }));
      await stream.ended();
      if (type === 'gateway.end') assert.equal(stream.head?.status, 204);
      else if (rest.length > 0) assert.deepEqual(dataOf(stream.events).slice(1, -1), rest, `behind ${id}`);
      else assert.ok(stream.head?.status === 204 || stream.events.at(-1)?.type === 'gateway.end');
    }
  });

  test('gives a new client its replay and the end', async (t) => {
    for (const [kind, wanted] of [
      ['s', []],
      ['all', ['1', '2']],
    ] as const) {
      await addNumbered(client, `${kind}:new`, 1, 2);
      await client.command('XADD', `${kind}:new`, '*', 'end', '1');
      const stream = await heard(t, other, `/events/${kind}.new`);
      assert.deepEqual(await untilEnd(stream, `${kind}.new`), wanted);
      await needNotComeBack(t, `/events/${kind}.new`, stream.lastEventId);
    }
  });

  test('is open again when something is published after it', async (t) => {
    const stream = await heard(t, gateway, '/events/s.open');
    await addNumbered(client, 's:open', 1, 1);
    await client.command('XADD', 's:open', '2-0', 'end', '1');
    await untilEnd(stream, 's.open');
    await needNotComeBack(t, '/events/s.open', '2-0');
    await addNumbered(client, 's:open', 3, 3);
    for (const from of [gateway, other]) {
      const back = await heard(t, from, '/events/s.open', { lastEventId: '2-0' });
      assert.equal(openData(await back.opened()).resumed, true);
      assert.equal((await back.next()).data, '3');
      assert.equal(back.end, undefined);
    }
  });

  test('that a gap lies before tells the gap, the rest and the end', async (t) => {
    await addNumbered(client, 's:gap', 1, 9);
    await client.command('XADD', 's:gap', '10-0', 'end', '1');
    await client.command('XTRIM', 's:gap', 'MAXLEN', '3');
    const stream = await heard(t, other, '/events/s.gap', { lastEventId: '2-0' });
    assert.equal((await stream.responded()).status, 200);
    assertGap(stream.gapsBeforeOpen()[0], 's.gap', 'trimmed');
    assert.deepEqual(await untilEnd(stream, 's.gap'), ['8', '9']);
  });

  test('and goes on tells each end in its place, and stays open', async (t) => {
    const live = await heard(t, gateway, '/events/s.middle');
    const entries = [
      ['1-0', 'data', '1'],
      ['2-0', 'data', '2', 'end', '1'],
      ['3-0', 'data', '3'],
      ['4-0', 'end', '1'],
      ['5-0', 'data', '5'],
    ];
    await atomically(
      client,
      entries.map((entry) => ['XADD', 's:middle', ...entry]),
    );
    const told = ['1', '2', 'gateway.end', '3', 'gateway.end', '5'];
    const back = await heard(t, other, '/events/s.middle', { lastEventId: '0-0' });
    for (const stream of [live, back]) {
      const seen = await stream.take(told.length);
      assert.deepEqual(
        seen.map(({ type, data }) => (type === 'message' ? data : type)),
        told,
      );
      assert.equal(stream.end, undefined);
    }
  });

  test('leaves a connection with another open until that has ended too', async (t) => {
    const path = '/events?channel=s.p&channel=m.p';
    const stream = await heard(t, gateway, path);
    await client.command('XADD', 's:p', '1-0', 'data', 'bye', 'end', '1');
    assert.deepEqual(dataOf(await stream.take(1)), ['bye']);
    assertEnd(await stream.next(), 's.p');
    await gateway.publish('m.p', 'still here');
    assert.equal((await stream.next()).data, 'still here');
    const half = await heard(t, gateway, path, { lastEventId: stream.lastEventId });
    assert.equal(openData(await half.opened()).resumed, true);
    await gateway.get('/events/m.p', { method: 'DELETE' });
    for (const each of [stream, half]) {
      await each.until('the end of both', () => each.end);
      assertEnd(each.events.at(-1), 'm.p');
    }
    const again = await looked(() => gateway.stream(t, path, { lastEventId: stream.lastEventId }));
    assert.equal((await again.responded()).status, 204);
  });

  test('of two streams closes at the second end, and 204 is for who has both', async (t) => {
    const path = '/events?channel=s.q&channel=s.r';
    const stream = await heard(t, gateway, path);
    await addNumbered(client, 's:q', 1, 1);
    await client.command('XADD', 's:q', '2-0', 'end', '1');
    await stream.take(1);
    const { id } = await stream.next();
    await client.command('XADD', 's:r', '1-0', 'data', 'bye', 'end', '1');
    assert.equal((await stream.next()).data, 'bye');
    assertEnd(await stream.next(), 's.r');
    assert.equal(await stream.ended(), 'complete');
    await needNotComeBack(t, path, stream.lastEventId);
    const rest = other.stream(t, path, { lastEventId: id });
    assert.equal((await rest.responded()).status, 200);
    assert.equal(await rest.ended(), 'complete');
    assert.ok(dataOf(rest.events).includes('bye'));
    assertEnd(rest.events.at(-1), 's.r');
  });

  test('for want of a word ends as idle, counted from its newest entry, and opens again', async (t) => {
    await addEntry(client, 'idle:a', 'old');
    const stream = await heard(t, gateway, '/events/idle.a');
    assert.equal((await stream.next()).data, 'old');
    const start = performance.now();
    await addEntry(client, 'idle:a', 'new');
    assert.equal((await stream.next()).data, 'new');
    assertEnd(await stream.next(), 'idle.a', 'idle');
    assert.ok(performance.now() - start > IDLE_MS - 50, 'counted from the newest entry');
    assert.equal(await stream.ended(), 'complete');
    await needNotComeBack(t, '/events/idle.a', stream.lastEventId);
    const id = await addEntry(client, 'idle:a', 'again');
    const back = await heard(t, gateway, '/events/idle.a', { lastEventId: stream.lastEventId });
    assert.deepEqual(await back.next(), { type: 'message', data: 'again', id });
    assertEnd(await back.next(), 'idle.a', 'idle');
  });

  test('idle long ago, is told so to a new client behind the replay at a gateway that never followed it', async (t) => {
    await addNumbered(client, 'idle:old', 1, 3);
    const stream = await heard(t, other, '/events/idle.old');
    assert.deepEqual(await untilEnd(stream, 'idle.old', 'idle'), numbers(1, 3));
    await needNotComeBack(t, '/events/idle.old', '3-0');
    const half = other.stream(t, '/events/idle.old', { lastEventId: '1-0' });
    assert.deepEqual(await untilEnd(half, 'idle.old', 'idle'), ['2', '3']);
  });

  test('not idle while no entry is there yet', async (t) => {
    const stream = await heard(t, gateway, '/events/idle.empty');
    const witness = gateway.stream(t, '/events/idle.witness');
    await addEntry(client, 'idle:witness', 'x');
    await witness.until('the end of another', () => witness.end);
    assert.equal(stream.end, undefined);
    await addEntry(client, 'idle:empty', 'first');
    assert.equal((await stream.next()).data, 'first');
    assertEnd(await stream.next(), 'idle.empty', 'idle');
  });
});

test('a client that reads slowly is given everything before the end, be it said or idle', async (t) => {
  const redis = await startRedis(t);
  const client = redis.client();
  const limits = 'limits: {event_size: 64KiB, window: 1MiB, buffered_total: 16MiB, client_stall: 10m}\n';
  const channels = ['said: {stream: said, history: {events: 10}}', `idle: {stream: idle, end_after: ${2 * IDLE_MS}ms}`];
  const gateway = await startReading(t, openConfig(redis, channels, limits), '/events/said');
  const paths = ['/events/said', '/events/idle', '/events/idle?since=start'];
  const steady = await heard(t, gateway, '/events/idle');
  const slow = await Promise.all(paths.map((path) => heard(t, gateway, path)));
  for (const stream of slow) stream.pause();
  for (const key of ['said', 'idle']) {
    for (let first = 1; first <= SLOW_ENTRIES; first += 50) {
      const entries = numbers(first, first + 49).map((number) => ['XADD', key, '*', 'data', number.padEnd(32_000)]);
      await run(client, entries);
    }
  }
  await client.command('XADD', 'said', '*', 'data', `${SLOW_ENTRIES + 1}`, 'end', '1');
  assert.equal(await steady.ended(60_000), 'complete');
  for (const stream of slow) stream.resume();
  for (const [index, stream] of slow.entries()) {
    const seen = await untilEnd(stream, index === 0 ? 'said' : 'idle', index === 0 ? 'ended' : 'idle');
    assert.deepEqual(
      seen.map((data) => data.trim()),
      numbers(1, index === 0 ? SLOW_ENTRIES + 1 : SLOW_ENTRIES),
      paths[index],
    );
  }
});

/** More than the kernel buffers of a loopback connection hold, at 32 kB each. */
const SLOW_ENTRIES = 600;

/**
 * A stream that was answered by somebody who has looked whether all has ended: a gateway that could not find it out in a
 * second, since it was held up itself, answers as if it went on, and is asked again.
 */
async function looked(ask: () => SseStream): Promise<SseStream> {
  for (;;) {
    const asked = performance.now();
    const stream = ask();
    const { status } = await stream.responded();
    if (status !== 200 || performance.now() - asked < GIVEN_UP_MS) return stream;
    stream.cut();
  }
}

/** An answer that takes as long, in milliseconds, was not found out. */
const GIVEN_UP_MS = 900;

/** Settles when the response is complete; gives the data between `gateway.open` and the end of `channel`. */
async function untilEnd(stream: SseStream, channel: string, reason?: string): Promise<string[]> {
  assert.equal(await stream.ended(), 'complete');
  stream.check();
  assertEnd(stream.events.at(-1), channel, reason);
  const open = stream.events.findIndex((event) => event.type === 'gateway.open');
  return dataOf(stream.events.slice(open + 1, -1));
}
