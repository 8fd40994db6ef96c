/** Channels of every kind on one connection: one cursor for all of them, and none waits for another. */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { addEntry, addNumbered, assertGap, dataOf, numbers, openConfig, run } from '../support/entries.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { gapData, isPublished, openData, parseObject } from '../support/gateway-events.ts';
import { heard } from '../support/heard.ts';
import { suiteOwner } from '../support/owner.ts';
import { startPair } from '../support/pair.ts';
import { assertProblem } from '../support/problem.ts';
import { dice } from '../support/random.ts';
import { redisNotStarted } from '../support/redis.ts';
import type { RespClient } from '../support/resp.ts';
import type { ReceivedEvent } from '../support/sse-reader.ts';

const CHANNELS = [
  's.{n}: {stream: "s:{n}"}',
  'all.{n}: {stream: "all:{n}", replay: all}',
  'k.{n}: {key: "k:{n}"}',
  'p.{n}: {pubsub: "p:{n}"}',
  'm.{n}: {memory: true}',
  'old.{n}: {memory: true, replay: all}',
  '"odd{rest*}": {stream: "odd{rest}"}',
];

describe('one connection with channels of every kind', () => {
  const owner = suiteOwner();
  let client: RespClient;
  let gateway: Gateway;
  let other: Gateway;
  before(async () => {
    // Nobody is cut for reading slowly.
    ({ client, gateway, other } = await startPair(owner, CHANNELS, 'limits: {client_stall: 5m}\n'));
  });

  test('every id on the way resumes with exactly the rest of each', async (t) => {
    await addNumbered(client, 'all:x', 1, 4);
    await addNumbered(client, 's:x', 1, 2);
    for (const data of ['o1', 'o2', 'o3']) await gateway.publish('old.x', data);
    await client.command('SET', 'k:x', 'v1');
    const names = ['k.x', 's.x', 'old.x', 'p.x', 'all.x', 'm.x'];
    const path = `/events?${names.map((name) => `channel=${name}`).join('&')}&envelope=1`;
    const whole = await heard(t, gateway, path);
    await addNumbered(client, 's:x', 3, 4);
    await client.publish('p:x', 'p1');
    await gateway.publish('m.x', 'm1');
    await addNumbered(client, 'all:x', 5, 6);
    await gateway.publish('old.x', 'o4');
    await client.publish('p:x', 'p2');
    await whole.until('everything', () => whole.events.filter(isPublished).length === 6 + 2 + 4 + 2 + 1 + 1);
    const wanted = { 'k.x': ['v1'], 's.x': ['3', '4'], 'all.x': numbers(1, 6) };
    assert.deepEqual(byChannel(whole.events, names), {
      ...wanted,
      'old.x': ['o1', 'o2', 'o3', 'o4'],
      'p.x': ['p1', 'p2'],
      'm.x': ['m1'],
    });
    for (const [index, { id, type }] of whole.events.entries()) {
      const rest = whole.events.slice(index + 1);
      const stream = await heard(t, gateway, path, { lastEventId: id });
      assert.equal(openData(await stream.opened()).resumed, true, `${type} ${id}`);
      const seen = await stream.take(rest.length);
      assert.deepEqual(byChannel(seen, names), byChannel(rest, names), `behind ${id}`);
      stream.cut();
    }
    await client.command('SET', 'k:x', 'v2');
    await addNumbered(client, 's:x', 5, 5);
    const back = gateway.stream(t, path, { lastEventId: whole.events.at(3)?.id });
    whole.cut();
    await back.until('the new ones', () =>
      [...'5'].every((data) => byChannel(back.events, names)['s.x']?.includes(data)),
    );
    await back.until('the value', () => byChannel(back.events, names)['k.x']?.includes('v2'));
  });

  test('at another gateway streams and keys go on where they were, and only the others have a gap', async (t) => {
    await client.command('SET', 'k:hop', 'v1');
    const path = '/events?channel=s.hop&channel=k.hop&channel=m.hop&channel=p.hop';
    const first = await heard(t, gateway, path);
    await addNumbered(client, 's:hop', 1, 3);
    await gateway.publish('m.hop', 'm1');
    await client.publish('p:hop', 'p1');
    await first.take(6);
    first.cut();
    await addNumbered(client, 's:hop', 4, 5);
    const second = await heard(t, other, path, { lastEventId: first.lastEventId });
    assert.equal(openData(await second.opened()).resumed, false);
    const gaps = second.gapsBeforeOpen().map(gapData);
    assert.deepEqual(gaps.map(({ channel, reason }) => `${channel} ${reason}`).sort(), [
      'm.hop restarted',
      'p.hop restarted',
    ]);
    assert.deepEqual(dataOf(await second.take(2)), ['4', '5']);
    const third = await heard(t, other, path, { lastEventId: second.lastEventId });
    assert.equal(openData(await third.opened()).resumed, true);
    await client.command('SET', 'k:hop', 'v2');
    for (const stream of [second, third]) assert.deepEqual(dataOf(await stream.take(1)), ['v2']);
  });

  test('a gap in one is told by its name and leaves the others as they are', async (t) => {
    await addNumbered(client, 's:torn', 1, 10);
    await addNumbered(client, 's:whole', 1, 5);
    await client.command('XTRIM', 's:torn', 'MAXLEN', '2');
    const path = '/events?channel=s.torn&channel=s.whole&channel=m.torn';
    const stream = await heard(t, gateway, path, { lastEventId: ',s.torn=3-0,s.whole=4-0' });
    const open = await stream.opened();
    assert.equal(openData(open).resumed, false);
    const torn = stream.gapsBeforeOpen().filter((event) => gapData(event).channel === 's.torn');
    assert.equal(torn.length, 1);
    assert.equal(assertGap(torn[0], 's.torn', 'trimmed').after, '3-0');
    assert.ok(stream.gapsBeforeOpen().every((event) => gapData(event).channel !== 's.whole'));
    assert.deepEqual(dataOf(await stream.take(3)).sort(), ['10', '5', '9']);
    const again = await heard(t, gateway, path, { lastEventId: open.id });
    assert.equal(openData(await again.opened()).resumed, true);
    assert.deepEqual(dataOf(await again.take(3)).sort(), ['10', '5', '9']);
  });

  test('a cursor of one channel serves a connection of it and more, and names it does not follow are ignored', async (t) => {
    await addNumbered(client, 's:one', 1, 5);
    await addNumbered(client, 's:two', 1, 5);
    const wide = await heard(t, gateway, '/events?channel=s.one&channel=s.two', {
      lastEventId: ',s.one=3-0,s.two=2-0',
    });
    assert.equal(openData(await wide.opened()).resumed, true);
    assert.deepEqual(dataOf(await wide.take(5)).sort(), ['3', '4', '4', '5', '5']);
    const narrow = await heard(t, gateway, '/events?channel=s.one', { lastEventId: ',s.one=3-0,s.two=2-0,nobody=1-0' });
    assert.equal(openData(await narrow.opened()).resumed, true);
    assert.deepEqual(dataOf(await narrow.take(2)), ['4', '5']);
  });

  test('names are percent-encoded in the cursor, and resume under it', async (t) => {
    const names = ['odd:a@b|c+d=e~f', 'odd:,no'.replace(',', '='), 'odd.-_'];
    const path = `/events?${names.map((name) => `channel=${encodeURIComponent(name)}`).join('&')}&channel=m.odd`;
    const stream = await heard(t, gateway, path);
    for (const name of names) await addNumbered(client, name, 1, 2);
    const events = await stream.take(6);
    for (const { id } of events) assert.match(id ?? '', /^[A-Za-z0-9_.~^=,%-]+$/);
    assert.match(events.at(-1)?.id ?? '', /odd%3Aa%40b%7Cc%2Bd%3De%7Ef=2-0/i);
    const back = await heard(t, gateway, path, { lastEventId: events[1]?.id });
    assert.equal(openData(await back.opened()).resumed, true);
    assert.equal((await back.take(4)).length, 4);
    const unknown = await heard(t, gateway, path, { lastEventId: 'a%2' });
    assert.equal(openData(await unknown.opened()).resumed, false);
  });

  test('a subscription whose cursor could be too long is a 400 that says how long', async (t) => {
    const path = (count: number, length: number) =>
      `/events?${Array.from({ length: count }, (_, index) => `channel=s.${`${index}`.padStart(length, 'n')}`).join('&')}`;
    const text = await assertProblem(await gateway.get(path(20, 240)), 400);
    assert.match(text, /4096|4 KiB/);
    const sums = [...text.matchAll(/\d+/g)].map(([digits]) => Number(digits)).filter((number) => number > 4_096);
    assert.ok(sums.length > 0, text);
    const most = await heard(t, gateway, path(10, 240));
    await addEntry(client, `s:${'9'.padStart(240, 'n')}`, 'x', '18446744073709551615-1');
    const { id = '' } = await most.next();
    assert.ok(Buffer.byteLength(id) <= 4_096);
    const again = await heard(t, gateway, path(10, 240), { lastEventId: id });
    assert.equal(openData(await again.opened()).resumed, true);
    const escaped = `/events?${Array.from({ length: 20 }, (_, index) => `channel=${encodeURIComponent(`odd${'='.repeat(80)}${index}`)}`).join('&')}`;
    await assertProblem(await gateway.get(escaped), 400);
  });

  test('a client that catches up on one is served the others meanwhile', async (t) => {
    const entries = Array.from({ length: 20_000 }, (_, index) => `${index + 1}`.padEnd(1_000, ' '));
    await run(
      client,
      entries.map((data, index) => ['XADD', 's:far', `${index + 1}-0`, 'data', data]),
    );
    const path = '/events?channel=s.far&channel=m.far&channel=s.near&channel=k.far';
    await client.command('SET', 'k:far', 'k0');
    const stream = await heard(t, gateway, path, { lastEventId: ',s.far=0-0,s.near=0-0' });
    let number = 0;
    const isLast = (event: ReceivedEvent) => event.data.startsWith('20000 ');
    const publish = async () => {
      number += 1;
      await gateway.publish('m.far', `m${number}`);
      await addEntry(client, 's:near', `n${number}`, `${number}-0`);
    };
    // All of the long one does not fit into what the kernel holds for a client that does not read: the rest comes later.
    stream.pause();
    await publish();
    stream.resume();
    while (!stream.events.some(isLast)) await publish();
    await stream.until('the last of the others', () => {
      const seen = dataOf(stream.events);
      return seen.includes(`m${number}`) && seen.includes(`n${number}`);
    });
    const published = stream.events.filter(isPublished);
    const pick = (pattern: RegExp) => dataOf(published.filter((event) => pattern.test(event.data)));
    assert.deepEqual(pick(/^\d/), entries);
    assert.deepEqual(
      pick(/^m/),
      numbers(1, number).map((each) => `m${each}`),
    );
    assert.deepEqual(
      pick(/^n/),
      numbers(1, number).map((each) => `n${each}`),
    );
    const end = published.findIndex(isLast);
    assert.ok(published.findIndex((event) => event.data === 'm1') < end, 'memory waited for the stream');
    assert.ok(published.findIndex((event) => event.data === 'n1') < end, 'a stream waited for the other');
    assert.ok(published.findIndex((event) => event.data === 'k0') < end, 'the key waited for the stream');
  });

  test('a client that is cut again and again, anywhere, and changes gateways sees each entry once and the last value', async (t) => {
    const random = dice(4);
    const path = '/events?channel=s.cut&channel=k.cut&channel=all.cut&channel=m.cut';
    const first = await heard(t, gateway, path);
    let cursor = (await first.opened()).id;
    first.cut();
    const seen: ReceivedEvent[] = [];
    const step = async (index: number) => {
      await Promise.all([
        addEntry(client, 's:cut', `s${index}`),
        addEntry(client, 'all:cut', `a${index}`),
        client.command('SET', 'k:cut', `k${index}`),
        gateway.publish('m.cut', `m${index}`),
      ]);
    };
    for (let index = 1; index <= 100; index += 1) {
      const stream = (index % 3 ? gateway : other).stream(t, path, { lastEventId: cursor });
      await step(index);
      stream.cutAfter(150 + random.below(900));
      await Promise.race([stream.ended(), step(index + 1_000)]);
      stream.cut();
      await stream.ended();
      stream.check();
      seen.push(...stream.events);
      cursor = stream.lastEventId ?? cursor;
    }
    await step(5_000);
    const last = gateway.stream(t, path, { lastEventId: cursor });
    await last.until('the last of all', () =>
      ['s5000', 'a5000', 'k5000'].every((data) => dataOf(last.events).includes(data)),
    );
    seen.push(...last.events);
    for (const kind of ['s', 'a']) {
      const wanted = await entriesOf(client, kind === 's' ? 's:cut' : 'all:cut');
      assert.deepEqual(dataOf(seen.filter((event) => new RegExp(`^${kind}\\d`).test(event.data))), wanted);
    }
    assert.ok(
      seen.filter((event) => event.type === 'gateway.gap').every((event) => gapData(event).channel === 'm.cut'),
    );
  });
});

test('while Redis is down the others of a connection are served, whatever cursor it came with', async (t) => {
  const redis = await redisNotStarted(t);
  const gateway = await startGateway(t, { config: openConfig(redis, CHANNELS) });
  const { id } = await gateway.stream(t, '/events/m.down').opened();
  const cursors = [undefined, id, `${id},s.down=2-0`, `${id},k.down=~abc`, `${id},s.down=^2-0,k.down=~0`];
  const path = '/events?channel=s.down&channel=k.down&channel=m.down';
  const streams = cursors.map((cursor) => gateway.stream(t, path, { lastEventId: cursor }));
  for (const stream of streams) assert.deepEqual(openData(await stream.opened()).pending, ['s.down', 'k.down']);
  await gateway.publish('m.down', 'here');
  for (const stream of streams) await stream.until('memory', () => dataOf(stream.events).includes('here'));
  await redis.start();
  await addNumbered(redis.client(), 's:down', 1, 3);
  await redis.client().command('SET', 'k:down', 'value');
  await gateway.becomes(200);
  for (const stream of streams) await stream.until('the value', () => dataOf(stream.events).includes('value'));
  await addNumbered(redis.client(), 's:down', 4, 4);
  for (const stream of streams) await stream.until('the next', () => dataOf(stream.events).includes('4'));
});

/** The data of enveloped events for each channel, in its order. */
function byChannel(events: readonly ReceivedEvent[], names: readonly string[]): Record<string, unknown[]> {
  const parsed = events.filter(isPublished).map((event) => parseObject(event.data));
  return Object.fromEntries(
    names.map((name) => [name, parsed.filter(({ channel }) => channel === name).map(({ data }) => data)]),
  );
}

/** The data of all entries as Redis has them. */
async function entriesOf(client: RespClient, stream: string): Promise<string[]> {
  const reply = await client.command('XRANGE', stream, '-', '+');
  assert.ok(Array.isArray(reply));
  return reply.map((entry) => {
    assert.ok(Array.isArray(entry) && Array.isArray(entry[1]));
    return String(entry[1][1]);
  });
}
