/** Clients who come and go while events flow: each sees one unbroken run, from its gateway.open on. */
import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { isPublished, openData } from '../support/gateway-events.ts';
import { heard } from '../support/heard.ts';
import { startLoad } from '../support/load.ts';
import type { Owner } from '../support/owner.ts';
import { type Dice, dice } from '../support/random.ts';
import { startRedis } from '../support/redis.ts';
import type { ReceivedEvent } from '../support/sse-reader.ts';

const CLIENTS = 300;

/** Several events a millisecond in bursts: two timers of one millisecond each. */
const FAST_MS = 1;

describe('joining while events flow', () => {
  test('the first event is the one after the position of gateway.open', async (t) => {
    const { redis, gateway } = await gatewayOn(t, '60s');
    // Both channels are followed before anybody is counted: to begin to follow one takes a number of its own.
    await heard(t, gateway, '/events?channel=flow&channel=still');
    const loads = [1, 2].map(() => startLoad(t, redis.port, ['flow'], FAST_MS));
    for (let round = 0; round < CLIENTS / 10; round += 1) {
      const streams = Array.from({ length: 10 }, (_, index) =>
        gateway.stream(t, index % 2 === 0 ? '/events/flow' : '/events?channel=flow&channel=still'),
      );
      for (const stream of streams) {
        const open = await stream.opened();
        const events = await stream.take(3);
        const start = numberOf(open);
        assert.deepEqual(events.map(numberOf), [start + 1, start + 2, start + 3]);
        stream.cut();
      }
    }
    for (const load of loads) load.abandon();
  });

  test('a client who resumes sees the history and the present without a seam', async (t) => {
    const { redis, gateway } = await gatewayOn(t, '60s');
    const keeper = await heard(t, gateway, '/events/flow');
    const open = await keeper.opened();
    const load = startLoad(t, redis.port, ['flow'], FAST_MS);
    const start = numberOf(open);
    await keeper.take(100);
    for (let round = 0; round < 30; round += 1) {
      const from = keeper.events[1 + round]?.id;
      const stream = gateway.stream(t, '/events/flow', { lastEventId: from });
      assert.equal(openData(await stream.opened()).resumed, true);
      const numbers = (await stream.take(150)).map(numberOf);
      assert.deepEqual(
        numbers,
        numbers.map((_, index) => start + round + 2 + index),
      );
      stream.cut();
    }
    load.abandon();
  });

  test('coming and going about the end of the linger, nobody misses what is published after their gateway.open', async (t) => {
    const { redis, gateway } = await gatewayOn(t, '300ms');
    const channels = ['c.0', 'c.1', 'c.2'];
    const load = startLoad(t, redis.port, channels, 2);
    const visitors = channels.map((channel, index) => visitAgainAndAgain(t, gateway, channel, dice(index)));
    await Promise.all(visitors);
    const sent = await load.stop();
    assert.ok(
      sent.some(({ receivers }) => receivers === 0),
      'no subscription ever ended',
    );
    assert.ok(
      sent.every(({ receivers }) => (receivers ?? 2) <= 1),
      'a channel was subscribed twice',
    );
  });
});

/** Twenty visits to a channel, each of them checked for holes, with pauses about as long as the linger. */
async function visitAgainAndAgain(t: TestContext, gateway: Gateway, channel: string, chance: Dice): Promise<void> {
  for (let visit = 0; visit < 20; visit += 1) {
    const stream = await heard(t, gateway, `/events/${channel}`);
    const published = (await stream.take(10 + chance.below(20))).filter(isPublished);
    assert.ok(!stream.events.some((event) => event.type === 'gateway.gap'), 'a gap where nothing was lost');
    const numbers = published.map((event) => Number(event.data.split(' ')[1]));
    assert.deepEqual(
      numbers,
      numbers.map((_, index) => (numbers[0] ?? 0) + index * 3),
    );
    stream.cut();
    await new Promise((resolve) => setTimeout(resolve, 250 + chance.below(200)));
  }
}

/** The number in a position. */
function numberOf(event: ReceivedEvent): number {
  return Number(event.id?.split('-')[1]);
}

/** A history that holds all that flows while a test runs, however long it takes. */
const HISTORY = '{events: 1000000, age: 1h, bytes: 128MiB}';

async function gatewayOn(owner: Owner, linger: string) {
  const redis = await startRedis(owner);
  const gateway = await startGateway(owner, {
    config: `redis: ${redis.url}\nserver: {retry: 100ms}\nchannels: {flow: {linger: ${linger}, history: ${HISTORY}}, still: {}, "c.{n}": {pubsub: "c.{n}", linger: ${linger}}}\n`,
  });
  await gateway.becomes(200);
  return { redis, gateway };
}
