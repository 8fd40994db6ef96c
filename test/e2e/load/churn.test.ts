/** Clients that come and go by the hundred a second, aborted anywhere: afterwards everything is as it was. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { describe, test } from 'node:test';
import { churn } from '../../support/churn.ts';
import { SCALE } from '../../support/crowd.ts';
import { type Gateway, startGateway } from '../../support/gateway.ts';
import { readMetrics } from '../../support/gauges.ts';
import { INSPECTED, type Inspector, inspect } from '../../support/inspector.ts';
import { dice } from '../../support/random.ts';
import { channelsHeard, ordinaryConnections, startRedis, subscriberConnections } from '../../support/redis.ts';
import type { RespClient } from '../../support/resp.ts';
import { waitFor } from '../../support/wait.ts';

const PER_SECOND = 300;
const SECONDS = 8 * SCALE;

/** What may stay on the heap: code that was compiled meanwhile, and what its run has taught the engine. */
const HEAP_GROWTH_BYTES = 6 * 2 ** 20;
const DEADLINE_MS = 60_000;

const LONG = { timeout: 300_000 * SCALE };

const CONFIG = `server: {retry: 100ms}
allow: {subscribe: ["*"], publish: ["*"], admin: true}
channels:
  memory: {memory: true}
  "p.{n}": {pubsub: "p.{n}", linger: 500ms}
  "s.{n}": {stream: "s.{n}", linger: 500ms, replay: 5}
  "k.{n}": {key: "k.{n}", linger: 500ms}
`;

describe('hundreds of connects and aborts a second', () => {
  test('leave nothing behind: no socket, no handle, no channel, no subscription, no memory', LONG, async (t) => {
    const redis = await startRedis(t);
    const gateway = await startGateway(t, { config: `redis: ${redis.url}\n${CONFIG}`, env: INSPECTED });
    const client = redis.client();
    await gateway.becomes(200);
    for (let index = 0; index < 40; index += 1) {
      for (let entry = 0; entry < 10; entry += 1) await client.command('XADD', `s.${index}`, '*', 'data', `${entry}`);
      await client.command('SET', `k.${index}`, `${index}`);
    }
    const inspector = await inspect(t, gateway.child);
    const watched = { gateway, client, inspector };
    // A first round fills pools and compiles what will be used: what it leaves is no growth.
    const run = (seconds: number, seed: number) =>
      churn({ port: gateway.port, perSecond: PER_SECOND, seconds, dice: dice(seed), path: pathOf });
    await run(2, 1);
    await quiet(watched);
    await gateway.becomes(200); // with all the connections to Redis that it will ever need
    const before = await heldBy(watched);
    const heap = await inspector.heapBytes();
    const running = run(SECONDS, 2);
    // For a second Redis confirms nothing: who comes waits, and some leave while they do.
    redis.freeze();
    const waiting = gateway.stream(t, '/events/p.waiting');
    await waiting.opened();
    redis.thaw();
    waiting.cut();
    await running;
    await quiet(watched);
    let after = before;
    const isBack = async () => {
      after = await heldBy(watched);
      return isAs(before, after);
    };
    await waitFor(() => JSON.stringify({ before, after }), isBack, DEADLINE_MS);
    // Redis forgets what it would tell of only once it has told; nothing is read again then, since nobody follows.
    await client.command('FLUSHALL');
    assert.equal(await trackedKeys(client), 0);
    let grown = 0;
    const isGivenBack = async () => {
      grown = (await inspector.heapBytes()) - heap;
      return grown < HEAP_GROWTH_BYTES;
    };
    await waitFor(() => `the memory to be given back: ${Math.round(grown / 1024)} KiB more`, isGivenBack, DEADLINE_MS);
    t.diagnostic(`${Math.round(grown / 1024)} KiB more on the heap after ${PER_SECOND * SECONDS} connections`);
  });
});

/** Half of them on streams, keys and mixtures; some on names that nobody else asks for. */
function pathOf(index: number, { below }: { below(limit: number): number }): string {
  const name = index % 4 === 0 ? `x${index}` : `${below(40)}`;
  const paths = [
    `/events/memory`,
    `/events/p.${name}`,
    `/events?channel=memory&channel=p.${name}`,
    `/events/p.${name}?last=3`,
    `/events/s.${name}`,
    `/events/k.${name}`,
    `/events?channel=s.${name}&channel=k.${below(40)}&channel=p.${below(40)}`,
    `/events/s.${name}?since=start`,
  ];
  return paths[index % paths.length] ?? '';
}

interface Watched {
  readonly gateway: Gateway;
  readonly client: RespClient;
  readonly inspector: Inspector;
}

/** Settles when nobody is connected, no channel is live and Redis has nobody to tell. */
async function quiet({ gateway, client }: Watched): Promise<void> {
  const facts = async () => {
    const metrics = await readMetrics(gateway);
    const names = await liveNames(gateway);
    return {
      subscribers: metrics.get('subscribers'),
      // A memory channel lives for a while without anybody.
      channels: (metrics.get('channels') ?? 0) - (names.has('memory') ? 1 : 0),
      pending: metrics.get('pending_bytes'),
      history: metrics.get('history_bytes'),
      window: metrics.get('window_bytes'),
      difference: (metrics.get('streams_opened_total') ?? 0) - (metrics.get('streams_ended_total') ?? 0),
      heard: (await channelsHeard(client)).filter((name) => !String(name).startsWith('__')).length,
      listed: names.size - (names.has('memory') ? 1 : 0),
    };
  };
  let last = await facts();
  await waitFor(
    () => `nothing to be left: ${JSON.stringify(last)}`,
    async () => {
      last = await facts();
      return Object.values(last).every((value) => value === 0);
    },
    DEADLINE_MS,
  );
}

async function liveNames(gateway: Gateway): Promise<ReadonlySet<string>> {
  const text = await (await gateway.get('/channels')).text();
  return new Set([...text.matchAll(/"channel":"([^"]+)"/g)].map(([, name = '']) => name));
}

/** What the process holds, and what Redis holds for it. */
async function heldBy({ gateway, client, inspector }: Watched) {
  return {
    descriptors: readdirSync(`/proc/${gateway.child.pid}/fd`).length,
    sockets: await gateway.connections(),
    handles: await inspector.handles(),
    subscribers: await subscriberConnections(client),
    connections: await ordinaryConnections(client),
  };
}

/** How many keys Redis would tell of. */
async function trackedKeys(client: RespClient): Promise<number> {
  const stats = String(await client.command('INFO', 'stats'));
  return Number(/tracking_total_keys:(\d+)/.exec(stats)?.[1]);
}

/** Whether nothing is more than it was. */
function isAs(before: Awaited<ReturnType<typeof heldBy>>, after: Awaited<ReturnType<typeof heldBy>>): boolean {
  const { handles: old, ...counts } = before;
  const { handles, ...now } = after;
  const sameHandles = Object.entries(handles).every(([kind, count]) => count <= (old[kind] ?? 0));
  return sameHandles && Object.entries(counts).every(([name, count]) => now[name as keyof typeof now] <= count);
}
