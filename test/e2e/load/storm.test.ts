/** Storms: everybody is cut at once and comes back behind, and who stayed hardly notices. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Crowd, SCALE } from '../../support/crowd.ts';
import { CrowdPublisher, type Target } from '../../support/crowd-publisher.ts';
import { type Gateway, startGateway } from '../../support/gateway.ts';
import { metric } from '../../support/gauges.ts';
import { heard } from '../../support/heard.ts';
import type { Owner } from '../../support/owner.ts';
import { MemoryWatch } from '../../support/process-memory.ts';
import { startRedis } from '../../support/redis.ts';
import { assertSpread } from '../../support/spread.ts';
import type { SseStream } from '../../support/sse-stream.ts';
import { waitFor } from '../../support/wait.ts';

/** Who is cut; a tenth of them each on a channel that nobody else follows. */
const CUT = 2000 * SCALE;
/** Who stays. */
const STAY = 200 * SCALE;
/** How far behind everybody comes back. */
const BEHIND = 300;
/** How often something is published meanwhile: as many deliveries a second at every size. */
const LIVE_EVERY_MS = 200 * SCALE;
/** When everybody is there again and has caught up. */
const CAUGHT_UP_MS = 120_000;
/** What the slowest hundredth of those who stay may wait beside a part of the storm: never until it is over. */
const STAYING_P99_MS = 1000;
const STAYING_SHARE = 0.75;
const LONG = { timeout: 300_000 * SCALE };
/** How many channels one stream names. */
const AT_ONCE = 50;

const CONFIG = `server: {retry: 1s}
limits: {connections: ${CUT + STAY + 100}}
allow: {subscribe: ["*"], publish: ["*"], admin: true}
channels:
  memory: {memory: true}
  pubsub: {pubsub: pubsub}
  stream: {stream: stream}
  "solo.{n}": {pubsub: "solo.{n}"}
`;

describe('a storm of clients that come back at once', () => {
  test('brings everybody up to date without loss, double or gap, and spares those who stayed', LONG, async (t) => {
    const redis = await startRedis(t);
    const gateway = await startGateway(t, { config: `redis: ${redis.url}\n${CONFIG}` });
    const solos = CUT / 10;
    const shared = (CUT - solos) / 3;
    const lonely = Array.from({ length: solos }, (_, index): Target => ({ kind: 'pubsub', feed: `solo.${index}` }));
    const targets: Target[] = [
      { kind: 'memory', channel: 'memory' },
      { kind: 'pubsub', feed: 'pubsub' },
      { kind: 'stream', feed: 'stream' },
    ];
    const early = await hearEverything(t, gateway, solos);
    const crowd = new Crowd(t, gateway.url);
    const cut = ['memory', 'pubsub', 'stream'];
    for (const name of cut) await crowd.open({ name, path: `/events/${name}`, clients: shared });
    await crowd.open({ name: 'solo', path: '/events/solo.{i}', clients: solos });
    const others = new Crowd(t, gateway.url);
    for (const name of cut) await others.open({ name, path: `/events/${name}`, clients: Math.floor(STAY / 3) });
    for (const stream of early) stream.cut();
    const everybody = [...cut, 'solo'];

    const publisher = new CrowdPublisher(gateway, redis.client(), targets);
    const alone = new CrowdPublisher(gateway, redis.client(), lonely);
    await Promise.all([publisher.more(100), alone.more(1)]);
    for (const name of cut) await crowd.until(name, 'to have the first hundred', ({ least }) => least === 100);
    await crowd.until('solo', 'to have the first', ({ least }) => least === 1);

    const memory = new MemoryWatch(t, gateway.child.pid);
    const before = memory.now();
    crowd.drop(...everybody);
    const left = async () => (await metric(gateway, 'subscribers')) <= STAY;
    await waitFor('everybody who was cut to be gone', left);
    await Promise.all([publisher.more(BEHIND), alone.more(BEHIND)]);
    for (const name of cut) {
      await others.until(name, 'to have what was published', ({ least }) => least === publisher.count);
      others.measure(name);
    }
    publisher.every(t, LIVE_EVERY_MS);
    const began = performance.now();
    crowd.comeBack(...everybody);
    const within = () => CAUGHT_UP_MS - (performance.now() - began);
    for (const name of everybody) {
      const wanted = name === 'solo' ? 1 + BEHIND : 100 + BEHIND;
      const caughtUp = ({ open, clients, least }: { open: number; clients: number; least: number }) =>
        open === clients && least >= wanted;
      await crowd.until(name, 'to have caught up', caughtUp, within());
    }
    const took = performance.now() - began;
    t.diagnostic(`caught up after ${Math.round(took)} ms`);
    await publisher.stop();
    for (const name of cut) {
      const state = await crowd.until(name, 'to have everything', ({ least }) => least === publisher.count);
      assert.deepEqual(state.oddities, []);
      assert.equal(state.resumed, shared);
    }
    const solo = await crowd.state('solo');
    assert.deepEqual([solo.oddities, solo.most, solo.resumed], [[], 1 + BEHIND, solos]);

    const most = memory.stop();
    t.diagnostic(`memory ${Math.round(before / 2 ** 20)} MiB before, at most ${Math.round(most / 2 ** 20)} MiB`);
    for (const name of cut) {
      const state = await others.until(name, 'to have everything', ({ least }) => least === publisher.count);
      assert.deepEqual(state.oddities, []);
      assert.ok(state.latency.count > 0);
      t.diagnostic(`who stayed on ${name}: ${JSON.stringify(state.latency)}`);
      const bound = STAYING_P99_MS + STAYING_SHARE * took;
      assert.ok(state.latency.p99 < bound, `${name}: ${JSON.stringify(state.latency)}`);
    }
    assert.ok(most < 2 * before, `${Math.round(before / 2 ** 20)} MiB became ${Math.round(most / 2 ** 20)} MiB`);

    const retries = (await Promise.all(everybody.map((name) => crowd.state(name)))).flatMap((state) => state.retries);
    assertSpread(retries, 1000);
  });
});

/** Streams on all channels, each of which Redis has confirmed: while they stay, nobody else's stream opens as pending. */
function hearEverything(owner: Owner, gateway: Gateway, solos: number): Promise<SseStream[]> {
  const names = ['pubsub', 'stream', ...Array.from({ length: solos }, (_, index) => `solo.${index}`)];
  const count = Math.ceil(names.length / AT_ONCE);
  const parts = Array.from({ length: count }, (_, index) => names.slice(index * AT_ONCE, (index + 1) * AT_ONCE));
  return Promise.all(parts.map((part) => heard(owner, gateway, `/events?channel=${part.join('&channel=')}`)));
}
