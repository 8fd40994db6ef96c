/** Bursts: Redis hands over more in one read than any history holds, and ordinary clients get all of it. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Fleet } from '../support/fleet.ts';
import { startGateway } from '../support/gateway.ts';
import { heard } from '../support/heard.ts';
import { numberedPayload } from '../support/numbered-reader.ts';
import type { Owner } from '../support/owner.ts';
import { startRedis } from '../support/redis.ts';

/** How long connecting everybody may take on two busy cores. */
const OPEN_MS = 60_000;

/** How long delivering may take: 20 million events, checked one by one, on two cores. */
const DELIVERY_MS = 180_000;

/** A test that delivers for so long takes longer than others may. */
const TEST = { timeout: OPEN_MS + DELIVERY_MS };

/** Each process reads for hundreds of clients, so one of them may wait long for its turn: that is no stalled client. */
const STALL = '5m';

describe('a pipelined burst of PUBLISH', () => {
  // Within `limits.window` nothing depends on how fast this machine lets the clients read.
  for (const burst of [
    { events: 20_000, payloadBytes: 128, clients: 1_000 },
    { events: 11_000, payloadBytes: 1_024, clients: 300 },
  ]) {
    const { events, payloadBytes, clients } = burst;
    test(
      `of ${events} times ${payloadBytes} bytes reaches ${clients} clients whole, with the default history`,
      TEST,
      async (t) => {
        const report = await deliver(t, burst);
        assert.deepEqual(report, {
          open: clients,
          whole: clients,
          received: clients * events,
          announced: 0,
          oddities: [],
        });
      },
    );
  }

  test(
    'that is larger than the window reaches 300 clients whole, or with what is missing counted at its place',
    TEST,
    async (t) => {
      const burst = { events: 20_000, payloadBytes: 1_024, clients: 300 };
      const { announced, ...report } = await deliver(t, burst);
      const received = burst.clients * burst.events - announced;
      assert.deepEqual(report, { open: burst.clients, whole: burst.clients, received, oddities: [] });
    },
  );
});

async function deliver(t: Owner, burst: { events: number; payloadBytes: number; clients: number }) {
  const { events, payloadBytes, clients } = burst;
  const redis = await startRedis(t);
  const gateway = await startGateway(t, {
    config: `redis: ${redis.url}\nlimits: {client_stall: ${STALL}}\nchannels: {burst: {}}\n`,
  });
  const first = await heard(t, gateway, '/events/burst');
  const fleet = new Fleet(t, { url: `${gateway.url}/events/burst`, ...burst }, 2);
  assert.equal(await fleet.opened(OPEN_MS), clients);
  first.cut();
  const commands = Array.from({ length: events }, (_, index) => [
    'PUBLISH',
    'burst',
    numberedPayload(index, payloadBytes),
  ]);
  const receivers = await redis.client().pipeline(commands);
  assert.deepEqual(new Set(receivers), new Set([1]), 'the gateway listens once');
  return await fleet.done(DELIVERY_MS);
}
