/** A gateway that runs out of something: files or memory. It goes on, says so, and recovers. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { Crowd } from '../../support/crowd.ts';
import type { GroupState } from '../../support/crowd-order.ts';
import { CrowdPublisher } from '../../support/crowd-publisher.ts';
import { type Gateway, startGateway } from '../../support/gateway.ts';
import { readMetrics } from '../../support/gauges.ts';
import { startRedis } from '../../support/redis.ts';
import { startByShell } from '../../support/shell-gateway.ts';
import { waitFor } from '../../support/wait.ts';

const OPEN = 'allow: {subscribe: ["*"], publish: ["*"], admin: true}\n';

describe('with 200 descriptors and 1,000 clients', () => {
  test('a gateway serves whom it can, tells the others to come back, keeps its own connections, and does not spin', async (t) => {
    const redis = await startRedis(t);
    const config = `redis: ${redis.url}\nserver: {retry: 2s, drain: {window: 1s, retry: 2s}}\n${OPEN}channels: {live: {pubsub: live}}\n`;
    const gateway = await startByShell(t, { shell: 'ulimit -n 200; exec "$@"', config });
    await gateway.becomes(200);
    const unpressed = cpuMs(gateway);
    const crowd = new Crowd(t, gateway.url);
    crowd.begin({ name: 'all', path: '/events/live', clients: 1000, returns: true });
    await crowd.until('all', 'to have as many as fit', ({ open }) => open >= 80, 60_000);
    const seen = await crowd.until('all', 'to be told to come back', (state) => turnedAway(state) > 300);
    const costEach = (cpuMs(gateway) - unpressed) / (turnedAway(seen) + seen.open);
    t.diagnostic(JSON.stringify({ ...seen, retries: seen.retries.length, endedAt: undefined }));
    assert.ok(descriptorsOf(gateway) < 200, `${descriptorsOf(gateway)} descriptors`);
    const figures = await figuresOf(gateway);
    const refused = (figures.get('streams_refused_total') ?? 0) + (figures.get('connections_dropped_total') ?? 0);
    assert.ok(refused > 0, JSON.stringify([...figures]));

    // Redis goes and comes back while the clients press: the reserve has room for its connections.
    await redis.kill();
    await gateway.becomes(503);
    await redis.start();
    await gateway.becomes(200, 60_000);
    const publisher = new CrowdPublisher(gateway, redis.client(), [{ kind: 'pubsub', feed: 'live' }]);
    await waitFor('somebody to hear what is published', async () => {
      await publisher.more(1);
      return (await crowd.state('all')).most > 0;
    });
    const { share, spent, count } = await costOfPressure(gateway, crowd);
    t.diagnostic(
      `${Math.round(share * 100)} % of a core for ${count} who came back; each cost ${costEach} ms at first`,
    );
    // A slow machine may be busy with them alone; who spins is busy with nothing.
    assert.ok(share < 0.9 || spent < 3 * costEach * count, `${share} of a core, ${spent} ms for ${count} clients`);

    crowd.drop('all');
    await crowd.leave();
    await waitFor('the streams to be gone', async () => (await figuresOf(gateway)).get('subscribers') === 0);
    const stream = gateway.stream(t, '/events/live');
    await stream.opened();
    assert.equal((await gateway.terminate()).code, 0);
  });
});

describe('with a heap of 128 MiB', () => {
  test('a gateway that is given far more than it may keep stays within its bounds', async (t) => {
    const gateway = await startGateway(t, {
      config: `limits: {history_total: 32MiB, buffered_total: 32MiB}\nserver: {retry: 500ms}\n${OPEN}channels: {"c.{n}": {memory: true}}\n`,
      env: { NODE_OPTIONS: '--max-old-space-size=128' },
    });
    const healthy = gateway.stream(t, '/events/c.0');
    await healthy.opened();
    const stuck = Array.from({ length: 20 }, (_, index) => gateway.stream(t, `/events/c.${index}`));
    await Promise.all(stuck.map((stream) => stream.opened()));
    for (const stream of stuck) stream.pause();
    for (const { bytes, rounds, channels } of [
      { bytes: 40_000, rounds: 6, channels: 300 },
      { bytes: 0, rounds: 80, channels: 1000 },
    ]) {
      for (let round = 0; round < rounds; round += 1) await fill(gateway, channels, bytes);
    }
    const figures = await readMetrics(gateway);
    assert.ok((figures.get('history_bytes') ?? 0) <= 32 * 2 ** 20, `${figures.get('history_bytes')}`);
    t.diagnostic(
      `heap ${figures.get('heap_bytes')}, resident ${figures.get('resident_bytes')}, history ${figures.get('history_bytes')}`,
    );
    assert.equal(healthy.end, undefined);
    await gateway.publish('c.0', 'the last');
    await healthy.until('the last event', () => healthy.events.at(-1)?.data === 'the last');
  });
});

/** One event for each channel. */
async function fill(gateway: Gateway, channels: number, bytes: number): Promise<void> {
  const data = 'x'.repeat(bytes);
  const atOnce = bytes > 0 ? 40 : 1000;
  for (let from = 0; from < channels; from += atOnce) {
    const items = Array.from({ length: Math.min(atOnce, channels - from) }, (_, index) => ({
      channel: `c.${from + index}`,
      data,
    }));
    const headers = { 'content-type': 'application/json' };
    const response = await gateway.get('/events', { method: 'POST', headers, body: JSON.stringify(items) });
    assert.equal(response.status, 200, await response.text());
  }
}

function descriptorsOf(gateway: Gateway): number {
  return readdirSync(`/proc/${gateway.child.pid}/fd`).length;
}

/** Its figures, as soon as there is room among its connections for who asks. */
function figuresOf(gateway: Gateway): Promise<ReadonlyMap<string, number>> {
  return waitFor('an answer to who asks for figures', () => readMetrics(gateway).catch(() => undefined));
}

/** How often somebody was told to come back, or dropped. */
function turnedAway({ complete, unanswered }: GroupState): number {
  return complete + unanswered;
}

/** What the process spends while a few hundred come back: the share of a core, the milliseconds, and how many came. */
async function costOfPressure(gateway: Gateway, crowd: Crowd) {
  const before = { cpu: cpuMs(gateway), at: performance.now(), count: turnedAway(await crowd.state('all')) };
  const enough = (state: GroupState) => performance.now() - before.at >= 1500 && turnedAway(state) > before.count + 200;
  const count = turnedAway(await crowd.until('all', 'to press', enough)) - before.count;
  const spent = cpuMs(gateway) - before.cpu;
  return { share: spent / (performance.now() - before.at), spent, count };
}

/** CPU time that the process has taken, in milliseconds. */
function cpuMs(gateway: Gateway): number {
  const fields = readFileSync(`/proc/${gateway.child.pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
