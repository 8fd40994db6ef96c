/** Redis that dies, hangs or is not there: nobody is cut off, and what may be missing is announced at its place. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { gapData, isPublished, openData } from '../support/gateway-events.ts';
import { heard } from '../support/heard.ts';
import { type Sent, startLoad } from '../support/load.ts';
import { startProxy } from '../support/proxy.ts';
import { ordinaryConnections, redisNotStarted, startRedis, subscribersOf } from '../support/redis.ts';
import type { RespClient } from '../support/resp.ts';
import type { ReceivedEvent } from '../support/sse-reader.ts';
import type { SseStream } from '../support/sse-stream.ts';
import { waitFor } from '../support/wait.ts';

const CHANNELS = ['c.0', 'c.1', 'c.2'];

describe('Redis faults', { concurrency: 4 }, () => {
  test('killed and restarted under load: one gap per channel, before it all that came, after it all that comes', async (t) => {
    const redis = await startRedis(t);
    const gateway = await startGateway(t, { args: ['--redis', redis.url] });
    await gateway.becomes(200);
    const all = `/events?${CHANNELS.map((name) => `channel=${name}`).join('&')}`;
    await heard(t, gateway, all);
    const single = CHANNELS.flatMap((name) => Array.from({ length: 5 }, () => gateway.stream(t, `/events/${name}`)));
    const streams = [...single, ...Array.from({ length: 5 }, () => gateway.stream(t, all))];
    const opens = await Promise.all(streams.map(async (stream) => openData(await stream.opened()).channels));
    const load = startLoad(t, redis.port, CHANNELS, 5);
    await load.heard(200);
    await redis.kill();
    await gateway.becomes(503);
    await redis.start();
    await load.heard(200);
    await gateway.becomes(200);
    const sent = await load.stop();
    const last = new Map(CHANNELS.map((name) => [name, sent.findLast(({ channel }) => channel === name)?.payload]));
    for (const [index, stream] of streams.entries()) {
      for (const channel of opens[index] ?? []) {
        await stream.until('the last message', () => stream.events.some((event) => event.data === last.get(channel)));
        assertOneGap(channelEvents(stream, channel), sent, channel);
      }
      assert.equal(stream.end, undefined);
    }
  });

  test('a client that comes back after the gap is not told again, one from before it is told once', async (t) => {
    const redis = await startRedis(t);
    const gateway = await startGateway(t, { args: ['--redis', redis.url] });
    const stream = await heard(t, gateway, '/events/news');
    const open = await stream.opened();
    await redis.kill();
    await gateway.becomes(503);
    await redis.start();
    const gap = await stream.next();
    assert.equal(gapData(gap).reason, 'source-lost');
    await redis.client().publish('news', 'fresh');
    const fresh = await stream.next();
    const after = gateway.stream(t, '/events/news', { lastEventId: gap.id });
    assert.equal(openData(await after.opened()).resumed, true);
    assert.deepEqual(await after.next(), fresh);
    const before = gateway.stream(t, '/events/news', { lastEventId: open.id });
    await before.opened();
    const told = before.gapsBeforeOpen().length === 1 ? 0 : 1;
    const seen = await before.take(1 + told);
    assert.equal(before.events.filter((event) => event.type === 'gateway.gap').length, 1);
    assert.deepEqual(seen.at(-1), fresh);
  });

  test('down at start: serve runs, streams open at once with the channel pending, and the gap comes with the source', async (t) => {
    const redis = await redisNotStarted(t);
    const gateway = await startGateway(t, { args: ['--redis', redis.url] });
    assert.equal(await gateway.readiness(), 503);
    assert.equal((await gateway.get('/healthz')).status, 200);
    const stream = gateway.stream(t, '/events/news');
    assert.equal((await stream.responded()).status, 200);
    await stream.greeted();
    const open = openData(await stream.opened());
    assert.deepEqual(open, { channels: ['news'], resumed: false, pending: ['news'] });
    const refused = await gateway.post('news', 'lost');
    assert.equal(refused.status, 503, await refused.text());
    await redis.start();
    const gap = gapData(await stream.next());
    assert.deepEqual([gap.channel, gap.reason], ['news', 'source-lost']);
    await gateway.becomes(200);
    await redis.client().publish('news', 'hello');
    assert.equal((await stream.next()).data, 'hello');
    const logged = gateway.child.stderr.split('\n').filter((line) => line.includes(`${redis.port}`));
    assert.ok(logged.length <= 6, `says it again and again:\n${logged.join('\n')}`);
  });

  test('stopped: found although TCP stays up, publishing is answered, and nothing is written that was refused', async (t) => {
    const redis = await startRedis(t);
    const gateway = await startGateway(t, { args: ['--redis', redis.url] });
    const witness = redis.client();
    await witness.command('SUBSCRIBE', 'news');
    await gateway.becomes(200);
    const stream = await heard(t, gateway, '/events/news');
    redis.freeze();
    const publishing = gateway.post('news', 'while frozen');
    await gateway.becomes(503);
    // Each connection to it is found by a PING of its own: first the one that subscribes, then the one that publishes.
    const late = await waitFor('a stream to be pending', async () => {
      const next = gateway.stream(t, '/events/news');
      return openData(await next.opened()).pending.join() === 'news' && next;
    });
    const outcome = await publishing;
    await outcome.text();
    assert.ok([503, 504].includes(outcome.status), `publishing to a stopped Redis answered ${outcome.status}`);
    let tries = 0;
    const refused = await waitFor('a publish to be refused', async () => {
      tries += 1;
      const response = await gateway.post('news', `while down ${tries}`);
      await response.text();
      return response.status === 503 && `while down ${tries}`;
    });
    redis.thaw();
    await gateway.becomes(200);
    const client = redis.client();
    await waitFor('the gateway to hear the channel again', async () => (await subscribersOf(client, 'news')) === 2);
    await client.publish('news', 'afterwards');
    await stream.until('the next message', () => stream.events.some((event) => event.data === 'afterwards'));
    const reasons = stream.events.filter((event) => event.type === 'gateway.gap').map((gap) => gapData(gap).reason);
    assert.deepEqual(reasons, ['source-lost']);
    await late.until('the next message', () => late.events.some((event) => event.data === 'afterwards'));
    const written = await payloadsUpTo(witness, 'afterwards');
    assert.ok(!written.includes(refused), 'what was refused with 503 was written');
    const copies = written.filter((payload) => payload === 'while frozen').length;
    assert.ok(copies <= (outcome.status === 504 ? 1 : 0), `answered ${outcome.status}, written ${copies} times`);
  });

  test('the subscriber connection killed again and again: one gap each time, no connection too many', async (t) => {
    const redis = await startRedis(t);
    const gateway = await startGateway(t, { args: ['--redis', redis.url] });
    const client = redis.client();
    await gateway.becomes(200);
    const stream = await heard(t, gateway, '/events/news');
    const before = await ordinaryConnections(client);
    for (let round = 1; round <= 5; round += 1) {
      assert.equal(await client.command('CLIENT', 'KILL', 'TYPE', 'pubsub'), 1);
      assert.equal(gapData(await stream.next()).reason, 'source-lost');
      await client.publish('news', `round ${round}`);
      assert.equal((await stream.next()).data, `round ${round}`);
    }
    assert.equal(await subscribersOf(client, 'news'), 1);
    await waitFor('ordinary connections not to pile up', async () => (await ordinaryConnections(client)) <= before);
  });

  test('the publishing connection killed: the next publish arrives, once', async (t) => {
    const redis = await startRedis(t);
    const gateway = await startGateway(t, { args: ['--redis', redis.url] });
    const client = redis.client();
    await gateway.becomes(200);
    const stream = await heard(t, gateway, '/events/news');
    assert.equal((await gateway.post('news', 'one')).status, 200);
    await client.command('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await waitFor('a publish to be accepted', async () => (await gateway.post('news', 'two')).status === 200);
    await client.publish('news', 'three');
    await stream.until('the last message', () => stream.events.some((event) => event.data === 'three'));
    const data = stream.events.filter(isPublished).map((event) => event.data);
    assert.deepEqual(data, ['one', 'two', 'three']);
  });

  test('the answer to a publish lost: 504, and what was written is not written again', async (t) => {
    const redis = await startRedis(t);
    const { proxy, port } = await startProxy(t, redis.port);
    const gateway = await startGateway(t, { args: ['--redis', `redis://127.0.0.1:${port}`] });
    await gateway.becomes(200);
    const witness = redis.client();
    await witness.command('SUBSCRIBE', 'news');
    proxy.loses = /^:\d+\r\n/m; // it may stand behind the answer to a PING
    const response = await gateway.post('news', 'once');
    assert.equal(response.status, 504, await response.text());
    proxy.loses = undefined;
    assert.equal(proxy.lost, 1);
    await waitFor('a publish to be accepted', async () => (await gateway.post('news', 'next')).status === 200);
    const written = await payloadsUpTo(witness, 'next');
    assert.deepEqual(written.slice(0, 2), ['once', 'next']);
    assert.equal(written.filter((payload) => payload === 'once').length, 1);
  });

  test('one source down: its channels are pending, those of the other flow, and neither hides the other', async (t) => {
    const [up, down] = [await startRedis(t), await redisNotStarted(t)];
    const gateway = await startGateway(t, {
      config: `sources: {up: {redis: "${up.url}"}, down: {redis: "${down.url}"}}\nchannels: {a: {source: up}, b: {source: down}}\n`,
    });
    await waitFor('the one that is up', () => isUp(gateway, 'up'));
    await heard(t, gateway, '/events/a');
    const stream = gateway.stream(t, '/events?channel=a&channel=b');
    const open = await stream.opened();
    assert.deepEqual(openData(open), { channels: ['a', 'b'], resumed: false, pending: ['b'] });
    await up.client().publish('a', 'flows');
    assert.equal((await stream.next()).data, 'flows');
    const single = gateway.stream(t, '/events/a');
    assert.deepEqual(openData(await single.opened()).pending, []);
    await down.start();
    const gap = gapData(await stream.next());
    assert.deepEqual([gap.channel, gap.reason], ['b', 'source-lost']);
    await down.client().publish('b', 'as well');
    assert.equal((await stream.next()).data, 'as well');
    const again = gateway.stream(t, '/events?channel=a&channel=b', { lastEventId: stream.events.at(-1)?.id });
    assert.equal(openData(await again.opened()).resumed, true);
  });

  test('a message beyond event_size: a gap at its place, and the next message follows', async (t) => {
    const redis = await startRedis(t);
    const gateway = await startGateway(t, {
      config: `redis: ${redis.url}\nlimits: {event_size: 64KiB}\nchannels: {news: {}}\n`,
    });
    const client = redis.client();
    const stream = await heard(t, gateway, '/events/news');
    for (const payload of ['before', 'x'.repeat(65_537), 'y'.repeat(65_536), 'z'.repeat(5_000_000), 'after']) {
      await client.publish('news', payload);
    }
    const [before, first, fits, second, after] = await stream.take(5);
    assert.deepEqual([before?.data, fits?.data, after?.data], ['before', 'y'.repeat(65_536), 'after']);
    for (const gap of [first, second]) assert.equal(gap === undefined ? '' : gapData(gap).reason, 'too-large');
    const again = gateway.stream(t, '/events/news', { lastEventId: first?.id });
    assert.equal(openData(await again.opened()).resumed, true);
    assert.equal((await again.next()).data, 'y'.repeat(65_536));
  });

  test('a password that is refused: serve runs, is not ready, says why and never shows the password', async (t) => {
    const redis = await startRedis(t, ['--requirepass', 'right-secret']);
    const url = redis.url.replace('redis://', 'redis://:wrong-secret@');
    const gateway = await startGateway(t, { args: ['--redis', url] });
    await gateway.child.printed('stderr', /WRONGPASS|NOAUTH|password/i);
    assert.equal(await gateway.readiness(), 503);
    const ready = await (await gateway.get('/readyz')).text();
    assert.doesNotMatch(gateway.child.stderr + ready, /wrong-secret/);
  });

  test('the right password in the address is used', async (t) => {
    const redis = await startRedis(t, ['--requirepass', 'p@ss/w#rd']);
    const url = redis.url.replace('redis://', `redis://:${encodeURIComponent('p@ss/w#rd')}@`);
    const gateway = await startGateway(t, { args: ['--redis', url] });
    await gateway.becomes(200);
    assert.doesNotMatch(gateway.child.stderr, /w#rd|w%23rd/);
  });

  test('a password that Redis does not want is a line of the log like any other', async (t) => {
    const redis = await startRedis(t);
    const url = redis.url.replace('redis://', 'redis://:secret@');
    const gateway = await startGateway(t, { config: `redis: ${url}\nchannels: {news: {}}\n` });
    await gateway.becomes(200);
    await gateway.child.printed('stderr', /does not require a password/);
    for (const line of gateway.child.stderr.trim().split('\n')) assert.doesNotThrow(() => JSON.parse(line), line);
  });
});

/** Whether `/readyz` says that a source is heard. */
async function isUp(gateway: Gateway, source: string): Promise<boolean> {
  const text = await (await gateway.get('/readyz')).text();
  return text.includes(`"${source}":{"up":true`);
}

/** The payloads that a connection which subscribed was given, once `last` is among them. */
function payloadsUpTo(witness: RespClient, last: string) {
  return waitFor(`"${last}" to be heard`, () => {
    const payloads = witness.pushed.map((push) => (Array.isArray(push) ? push[2] : push));
    return payloads.includes(last) && payloads;
  });
}

/** What `stream` saw of one channel: messages by their payload, gaps by their data. */
function channelEvents(stream: SseStream, channel: string): ReceivedEvent[] {
  return stream.events.filter((event) =>
    isPublished(event)
      ? event.data.startsWith(`${channel} `)
      : event.type === 'gateway.gap' && gapData(event).channel === channel,
  );
}

/** Before the gap a run of the messages from the first on; after it all that Redis gave to somebody since its restart. */
function assertOneGap(events: readonly ReceivedEvent[], sent: readonly Sent[], channel: string): void {
  const mine = sent.filter((each) => each.channel === channel);
  const place = events.findIndex((event) => event.type === 'gateway.gap');
  const gaps = events.filter((event) => event.type === 'gateway.gap');
  assert.equal(gaps.length, 1, `${gaps.length} gaps in ${channel}`);
  assert.equal(events.map(gapOrUndefined)[place]?.reason, 'source-lost');
  const before = events.slice(0, place).map((event) => event.data);
  const after = events.slice(place + 1).map((event) => event.data);
  assert.deepEqual(
    before,
    mine.slice(0, before.length).map((each) => each.payload),
  );
  const restart = mine.findIndex((each) => each.receivers === null || each.receivers === 0);
  const heardSince = mine.slice(restart).filter((each) => (each.receivers ?? 0) > 0);
  assert.deepEqual(
    after,
    heardSince.map((each) => each.payload),
  );
}

function gapOrUndefined(event: ReceivedEvent) {
  return event.type === 'gateway.gap' ? gapData(event) : undefined;
}
