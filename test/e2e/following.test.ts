/** What the gateway asks of Redis: one connection for everybody, one subscription per channel, nothing when all have left. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { startGateway } from '../support/gateway.ts';
import { openData } from '../support/gateway-events.ts';
import { heard } from '../support/heard.ts';
import { channelsHeard, startRedis, subscriberConnections, subscribersOf } from '../support/redis.ts';
import type { SseStream } from '../support/sse-stream.ts';
import { waitFor } from '../support/wait.ts';

const CLIENTS = 1_000;
const CHANNELS = 50;

/** How long connecting them may take. */
const OPEN_MS = 60_000;

/** A short linger; `retry` goes with it, because `linger` has to exceed twice of it. */
const SHORT_LINGER = 'server: {retry: 100ms}\nallow: {subscribe: ["*"], publish: ["*"]}\n';

describe('following', () => {
  test('1,000 clients on 50 channels are one connection and 50 subscriptions; none are left when they have gone', async (t) => {
    const redis = await startRedis(t);
    const gateway = await startGateway(t, {
      config: `redis: ${redis.url}\n${SHORT_LINGER}channels: {"room.{n}": {pubsub: "room:{n}", linger: 500ms}}\n`,
    });
    const client = redis.client();
    const streams: SseStream[] = [];
    for (let index = 0; index < CHANNELS; index += 1) streams.push(await heard(t, gateway, `/events/room.${index}`));
    for (let index = CHANNELS; index < CLIENTS; index += 1) {
      streams.push(gateway.stream(t, `/events/room.${index % CHANNELS}`));
    }
    await Promise.all(streams.map((stream) => stream.opened(OPEN_MS)));
    assert.equal(await subscriberConnections(client), 1);
    assert.equal((await channelsHeard(client)).length, CHANNELS);
    for (let index = 0; index < CHANNELS; index += 1) {
      assert.equal(await client.publish(`room:${index}`, `to ${index}`), 1);
    }
    const seen = await Promise.all(streams.map((stream) => stream.next()));
    seen.forEach((event, index) => void assert.equal(event.data, `to ${index % CHANNELS}`));
    for (const stream of streams) stream.cut();
    await waitFor('no subscription left', async () => (await channelsHeard(client)).length === 0);
    await waitFor('every socket of a client closed', async () => (await gateway.connections()) === 0);
  });

  test('a channel lingers: who comes back in time resumes what was published meanwhile', async (t) => {
    const redis = await startRedis(t);
    const gateway = await startGateway(t, { config: `redis: ${redis.url}\nchannels: {news: {linger: 10m}}\n` });
    const client = redis.client();
    const first = await heard(t, gateway, '/events/news');
    first.cut();
    assert.equal(await client.publish('news', 'meanwhile'), 1);
    const second = gateway.stream(t, '/events/news', { lastEventId: first.lastEventId });
    assert.equal(openData(await second.opened()).resumed, true);
    assert.equal((await second.next()).data, 'meanwhile');
  });

  test('who comes back after the linger is told of a gap, not of nothing', async (t) => {
    const redis = await startRedis(t);
    const gateway = await startGateway(t, {
      config: `redis: ${redis.url}\n${SHORT_LINGER}channels: {news: {linger: 500ms}}\n`,
    });
    const client = redis.client();
    const first = await heard(t, gateway, '/events/news');
    await client.publish('news', 'heard');
    await first.next();
    first.cut();
    await waitFor('the subscription to end', async () => (await subscribersOf(client, 'news')) === 0);
    assert.equal(await client.publish('news', 'unheard'), 0);
    const second = gateway.stream(t, '/events/news', { lastEventId: first.lastEventId });
    assert.equal(openData(await second.opened()).resumed, false);
    const gaps = () => second.events.filter(({ type }) => type === 'gateway.gap');
    await second.until('a gap', () => gaps().length > 0); // behind gateway.open, where Redis did not confirm in time
    await client.publish('news', 'on');
    await second.until('what came behind it', () => second.events.at(-1)?.data === 'on');
    assert.equal(gaps().length, 1);
  });

  test('two channels that read one feed subscribe once and both hear', async (t) => {
    const redis = await startRedis(t);
    const gateway = await startGateway(t, {
      config: `redis: ${redis.url}\nchannels: {a: {pubsub: shared}, b: {pubsub: shared}}\n`,
    });
    const client = redis.client();
    const [a, b] = [await heard(t, gateway, '/events/a'), await heard(t, gateway, '/events/b')];
    const both = await heard(t, gateway, '/events?channel=a&channel=b&channel=a');
    assert.equal(await client.publish('shared', 'x'), 1);
    assert.deepEqual([(await a.next()).data, (await b.next()).data], ['x', 'x']);
    assert.deepEqual(
      (await both.take(2)).map((event) => event.data),
      ['x', 'x'],
    );
    await client.publish('shared', 'y');
    assert.deepEqual([(await a.next()).data, (await b.next()).data], ['y', 'y']);
    assert.deepEqual(
      (await both.take(2)).map((event) => event.data),
      ['y', 'y'],
    );
  });

  test('a template reads the feed that it names, and no other name', async (t) => {
    const redis = await startRedis(t);
    const gateway = await startGateway(t, {
      config: `redis: ${redis.url}\nallow: {publish: ["*"]}\nchannels: {"chat.{room}": {pubsub: "app:chat:{room}"}}\n`,
    });
    const client = redis.client();
    await gateway.becomes(200);
    const stream = await heard(t, gateway, '/events/chat.lobby');
    assert.deepEqual(await channelsHeard(client), ['app:chat:lobby']);
    await client.publish('app:chat:lobby', 'hi');
    assert.equal((await stream.next()).data, 'hi');
    const response = await gateway.post('chat.lobby', 'ho', '', { headers: { origin: gateway.url } });
    assert.equal(response.status, 200, await response.text());
    assert.equal((await stream.next()).data, 'ho');
    for (const name of ['chat', 'chat.a.b', 'news', 'chat.a:b']) {
      assert.equal((await gateway.get(`/events/${name}`)).status, 404, name);
    }
  });

  test('the gap that one lost subscriber makes is not made twice by a channel that two forms follow', async (t) => {
    const redis = await startRedis(t);
    const gateway = await startGateway(t, { config: `redis: ${redis.url}\nchannels: {a: {}, b: {}}\n` });
    const single = await heard(t, gateway, '/events/a');
    const both = await heard(t, gateway, '/events?channel=a&channel=b');
    await redis.client().command('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await single.next();
    const gaps = (await both.take(2)).map((event) => event.data).sort();
    assert.match(gaps.join(), /"channel":"a".*"channel":"b"/);
    await redis.client().publish('a', 'on');
    assert.deepEqual([(await single.next()).data, (await both.next()).data], ['on', 'on']);
  });
});
