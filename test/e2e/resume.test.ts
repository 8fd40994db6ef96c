/** Clients who lose their connection: nothing is missed and nothing is seen twice. */
import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { CutClient } from '../support/cut-client.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { gapData, openData } from '../support/gateway-events.ts';
import { heard } from '../support/heard.ts';
import { startLoad } from '../support/load.ts';
import { npmEventSource } from '../support/npm-eventsource.ts';
import type { Owner } from '../support/owner.ts';
import { dice } from '../support/random.ts';
import { startRedis } from '../support/redis.ts';
import { freePort } from '../support/scratch.ts';

const CUTS = 1_000;

/** 200 events a second. */
const EVERY_MS = 5;

const TEN = Array.from({ length: 10 }, (_, index) => `ten.${index}`);

/** Long enough for all cuts on a busy machine. */
const LONG = { timeout: 400_000 };

describe('a client that is cut 1,000 times while 200 events a second flow', { concurrency: true }, () => {
  test('sees each event of one channel once and in order', LONG, async (t) => {
    await cutsAreInvisible(t, ['one'], '/events/one', 1);
  });

  test('sees each event of ten channels on one connection once and in order', LONG, async (t) => {
    await cutsAreInvisible(t, TEN, `/events?${TEN.map((name) => `channel=${name}`).join('&')}`, 2);
  });
});

describe('a client that is cut', () => {
  test('before its first event gets everything since gateway.open', async (t) => {
    const { gateway, publish } = await redisGateway(t);
    const path = '/events?channel=a&channel=b';
    const first = await heard(t, gateway, path);
    const open = await first.opened();
    first.cut();
    await publish('a', '1');
    await publish('b', '2');
    const second = gateway.stream(t, path, { lastEventId: open.id });
    assert.equal(openData(await second.opened()).resumed, true);
    await publish('a', '3');
    assert.deepEqual(
      (await second.take(3)).map((event) => event.data),
      ['1', '2', '3'],
    );
  });

  test('and resumes on fewer or more channels sees each event of those it names once', async (t) => {
    const { gateway, publish } = await redisGateway(t);
    const first = await heard(t, gateway, '/events?channel=a&channel=b');
    await publish('a', 'a1');
    await publish('b', 'b1');
    await first.take(2);
    await publish('b', 'b2');
    await first.take(1);
    first.cut();
    await publish('a', 'a2');
    const fewer = gateway.stream(t, '/events/a', { lastEventId: first.lastEventId });
    await fewer.opened();
    assert.equal((await fewer.next()).data, 'a2');
  });

  test('by a restart of the gateway is told of the gap once and then goes on', async (t) => {
    const port = await freePort(t);
    const before = await startGateway(t, { port });
    const stream = before.stream(t, '/events/news');
    await stream.opened();
    await before.publish('news', 'old');
    await stream.next();
    await before.child.kill();
    assert.equal(await stream.ended(), 'cut');
    const after = await startGateway(t, { port });
    const again = after.stream(t, '/events/news', { lastEventId: stream.lastEventId });
    const open = await again.opened();
    assert.equal(openData(open).resumed, false);
    const gaps = again.gapsBeforeOpen().map(gapData);
    assert.deepEqual(
      gaps.map(({ channel, reason }) => [channel, reason]),
      [['news', 'restarted']],
    );
    const id = await after.publish('news', 'new');
    assert.deepEqual(await again.next(), { type: 'message', data: 'new', id });
    const third = after.stream(t, '/events/news', { lastEventId: open.id });
    assert.equal(openData(await third.opened()).resumed, true);
    assert.equal((await third.next()).data, 'new');
  });
});

describe('a client that publishes in its gateway.open handler', () => {
  test('receives what it published through Redis, every time', async (t) => {
    const { gateway } = await redisGateway(t);
    await ownEventsArrive(t, gateway, 'hello');
  });

  test('receives what it published to memory, every time', async (t) => {
    await ownEventsArrive(t, await startGateway(t), 'hello');
  });

  test('receives it also by npm eventsource', async (t) => {
    const { gateway } = await redisGateway(t);
    await heard(t, gateway, '/events/echo');
    const client = npmEventSource(t, `${gateway.url}/events/echo`, ['message']);
    client.source.addEventListener('gateway.open', () => void gateway.post('echo', 'mine'));
    await client.until('its own event', (event) => event.data === 'mine');
  });
});

/** Publishes to `channels` in turn while a client of `path` is cut, and checks all that it saw. */
async function cutsAreInvisible(t: TestContext, channels: string[], path: string, seed: number): Promise<void> {
  const { gateway, redis } = await redisGateway(t);
  const first = await heard(t, gateway, path);
  const client = new CutClient(gateway.url + path, dice(seed));
  t.after(() => client.leave());
  await client.opened();
  first.cut();
  const load = startLoad(t, redis.port, channels, EVERY_MS);
  await client.cut(CUTS);
  while (load.sent.length <= CUTS) await client.cut(1);
  const sent = await load.stop();
  await client.sees(sent.at(-1)?.payload ?? '');
  assert.deepEqual(
    client.events.map((event) => event.data),
    sent.map(({ payload }) => payload),
  );
}

/** Fifty clients on channels of their own and one that they share, each publishing as soon as it may. */
async function ownEventsArrive(owner: Owner, gateway: Gateway, channel: string): Promise<void> {
  const clients = Array.from({ length: 50 }, async (_, index) => {
    const name = index % 2 === 0 ? channel : `${channel}.${index}`;
    const stream = await heard(owner, gateway, `/events/${name}`);
    const response = await gateway.post(name, `by ${index}`);
    assert.equal(response.status, 200, await response.text());
    await stream.until('its own event', () => stream.events.some((event) => event.data === `by ${index}`));
    assert.equal(stream.events.filter((event) => event.data === `by ${index}`).length, 1);
  });
  await Promise.all(clients);
}

/** A history that holds all that flows while a test runs, however long a client is away. */
const HISTORY = '{events: 1000000, age: 1h, bytes: 64MiB}';

async function redisGateway(owner: Owner) {
  const redis = await startRedis(owner);
  const gateway = await startGateway(owner, {
    config: `redis: ${redis.url}\nallow: {subscribe: ["*"], publish: ["*"]}\nchannels: {"*": {history: ${HISTORY}}}\n`,
  });
  await gateway.becomes(200);
  const client = redis.client();
  return { redis, gateway, publish: (channel: string, data: string) => client.publish(channel, data) };
}
