/** SIGTERM under load: everybody is sent off in turn, whoever does not go is cut at the deadline, and nothing that was begun is lost. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Crowd, SCALE } from '../../support/crowd.ts';
import type { GroupState } from '../../support/crowd-order.ts';
import { CrowdPublisher } from '../../support/crowd-publisher.ts';
import { type Gateway, startGateway } from '../../support/gateway.ts';
import { heard } from '../../support/heard.ts';
import type { Owner } from '../../support/owner.ts';
import { connectPeer, type Peer } from '../../support/peer.ts';
import { startProxy } from '../../support/proxy.ts';
import { startRedis } from '../../support/redis.ts';
import { assertSpread } from '../../support/spread.ts';
import { waitFor } from '../../support/wait.ts';

const CLIENTS = 2000 * SCALE;
/** Long enough for all that is asked of a gateway that drains, and over before it gives up half a request by itself. */
const WINDOW_MS = 6000 * SCALE;
/** Within how long everybody is told, in milliseconds: a thousand in a second, and in most of the window at the latest. */
const SPREAD_MS = Math.min(0.8 * WINDOW_MS, CLIENTS);
/** What a busy machine may be late, in milliseconds: less than `client_stall`, after which those are cut who do not read. */
const LATE_MS = 20_000;
const LONG = { timeout: 300_000 * SCALE };

const CONFIG = `server: {retry: 1s, drain: {window: ${WINDOW_MS}ms, retry: 5s}}
limits: {connections: ${CLIENTS + 1000}, client_stall: 60s, window: 64MiB}
allow: {subscribe: ["*"], publish: ["*"], admin: true}
channels: {news: {memory: true}, flood: {memory: true}, live: {pubsub: live}}
`;

describe('SIGTERM under load', () => {
  test('ends all streams complete and spread, cuts who does not go, and answers what was begun', LONG, async (t) => {
    const redis = await startRedis(t);
    const gateway = await startGateway(t, { config: `redis: ${redis.url}\n${CONFIG}` });
    const early = await heard(t, gateway, '/events/live'); // so that no other stream opens as pending
    const crowd = new Crowd(t, gateway.url);
    const groups = ['new', 'old'];
    await crowd.open({ name: 'new', path: '/events/live', clients: CLIENTS / 2 });
    await crowd.open({ name: 'old', path: '/events/live', clients: CLIENTS / 2, version: '1.0' });
    early.cut();
    const stuck = await attachStuck(t, gateway);
    const publisher = new CrowdPublisher(gateway, redis.client(), [{ kind: 'pubsub', feed: 'live' }]);
    publisher.every(t, 100);
    for (const name of groups) await crowd.until(name, 'to hear something', ({ least }) => least > 10);
    const posting = await beginPublish(t, gateway);

    for (const name of groups) crowd.measure(name);
    const began = Date.now();
    const exit = gateway.terminate(WINDOW_MS + LATE_MS + 10_000);
    await gateway.child.printed('stderr', /"stopping"/);
    assert.equal(await gateway.readiness(), 503);
    posting.write('y');
    assert.equal((await posting.response(1)).head.status, 200);
    const late = gateway.stream(t, '/events/live');
    assert.equal((await late.responded()).status, 200);
    assert.equal(await late.ended(), 'complete');
    assert.ok((late.retry ?? 0) >= 4000 && late.events.length === 0);

    const { code } = await exit;
    const took = Date.now() - began;
    await publisher.stop().catch(() => undefined); // the gateway has gone, Redis has not
    assert.equal(code, 0);
    assert.ok(took < WINDOW_MS + LATE_MS, `it took ${took} ms`);
    for (const peer of stuck) await peer.gone();
    const states: GroupState[] = [];
    for (const name of groups) {
      states.push(await crowd.until(name, 'to have ended', ({ complete, cut }) => complete + cut === CLIENTS / 2));
    }
    assert.deepEqual(
      states.map(({ complete, oddities }) => [complete, oddities]),
      groups.map(() => [CLIENTS / 2, []]),
    );
    assertSpread(
      states.flatMap(({ retries }) => retries),
      5000,
    );
    assertEndsSpread(states);
  });

  test('tells everybody within the window, also where the machine holds the gateway up', LONG, async (t) => {
    const gateway = await startGateway(t, { config: `redis: redis://127.0.0.1:1\n${CONFIG}` });
    const crowd = new Crowd(t, gateway.url);
    await crowd.open({ name: 'news', path: '/events/news', clients: CLIENTS / 2 });
    const began = performance.now();
    const exit = gateway.terminate(WINDOW_MS + LATE_MS + 10_000);
    await gateway.child.printed('stderr', /"stopping"/);
    gateway.child.signal('SIGSTOP');
    const held = () => performance.now() - began > WINDOW_MS * 0.8;
    await waitFor('most of the window to pass', held, WINDOW_MS + LATE_MS);
    gateway.child.signal('SIGCONT');
    assert.equal((await exit).code, 0);
    const ended = ({ complete, cut }: GroupState) => complete + cut === CLIENTS / 2;
    const { complete, retries } = await crowd.until('news', 'to have ended', ended);
    assert.equal(complete, CLIENTS / 2);
    assertSpread(retries, 5000);
  });

  test('answers a publish that was begun when nobody listens', async (t) => {
    const gateway = await startGateway(t, { config: `redis: redis://127.0.0.1:1\n${CONFIG}` });
    const posting = await beginPublish(t, gateway);
    gateway.child.signal('SIGTERM');
    await gateway.child.printed('stderr', /"stopping"/);
    posting.write('y');
    assert.equal((await posting.response(1)).head.status, 200);
    assert.equal((await gateway.child.ends(WINDOW_MS + LATE_MS)).code, 0);
  });

  test('answers a publish that Redis has and has not answered when nobody listens', async (t) => {
    const redis = await startRedis(t);
    const { proxy, port } = await startProxy(t, redis.port);
    const gateway = await startGateway(t, { config: `redis: redis://127.0.0.1:${port}\n${CONFIG}` });
    await gateway.becomes(200);
    redis.freeze();
    const posting = gateway.post('live', 'x');
    await proxy.asked(/publish\r\n\$4\r\nlive\r\n/i);
    gateway.child.signal('SIGTERM');
    await gateway.child.printed('stderr', /"stopping"/);
    redis.thaw();
    assert.equal((await posting).status, 200);
    assert.equal((await gateway.child.ends(WINDOW_MS + LATE_MS)).code, 0);
  });

  test('that comes twice stops at once, however many are connected and stuck', LONG, async (t) => {
    const gateway = await startGateway(t, {
      config: `redis: redis://127.0.0.1:1\n${CONFIG.replace(/window: \d+ms/, 'window: 60s')}`,
    });
    const crowd = new Crowd(t, gateway.url);
    await crowd.open({ name: 'news', path: '/events/news', clients: CLIENTS / 4 });
    await attachStuck(t, gateway);
    gateway.child.signal('SIGTERM');
    await gateway.becomes(503);
    gateway.child.signal('SIGTERM');
    await gateway.child.ends(LATE_MS); // long before the window is over
  });
});

/** A hundred with half a request head, and a hundred with a stream of which they read nothing. */
async function attachStuck(owner: Owner, gateway: Gateway) {
  const stuck: Peer[] = [];
  for (let index = 0; index < 100; index += 1) {
    const slow = connectPeer(owner, gateway.port);
    slow.write('GET /events/news HTTP/1.1\r\n', 'Host: ');
    stuck.push(slow);
  }
  const crowd = new Crowd(owner, gateway.url);
  await crowd.open({ name: 'deaf', path: '/events/flood', clients: 100 });
  crowd.pause('deaf');
  await crowd.state('deaf'); // it has been told by now
  for (let index = 0; index < 100; index += 1) await gateway.publish('flood', 'x'.repeat(100_000));
  return stuck;
}

/** Begins a publish of two bytes; settles when the gateway waits for the second. */
async function beginPublish(owner: Owner, gateway: Gateway): Promise<Peer> {
  const posting = connectPeer(owner, gateway.port);
  const fields = [`Host: 127.0.0.1:${gateway.port}`, 'Content-Length: 2', 'Expect: 100-continue'];
  posting.write('POST /events/news HTTP/1.1', ...fields, '', 'x');
  assert.equal((await posting.response()).head.status, 100);
  return posting;
}

/**
 * No tenth of the time in which everybody is told sees more than thrice its share of the ends. What was due while the
 * machine held somebody up ends together afterwards: how long that was shows in the events that came meanwhile.
 */
function assertEndsSpread(states: readonly GroupState[]): void {
  const endedAt = states.flatMap((state) => state.endedAt);
  const first = Math.min(...endedAt);
  const tenths = new Array<number>(10).fill(0);
  for (const at of endedAt) {
    const tenth = Math.min(9, Math.floor(((at - first) / SPREAD_MS) * 10));
    tenths[tenth] = (tenths[tenth] ?? 0) + 1;
  }
  const held = Math.max(...states.map(({ latency, silence }) => Math.max(latency.max, silence)));
  const share = 3 / 10 + held / SPREAD_MS;
  assert.ok(
    Math.max(...tenths) <= endedAt.length * share,
    `ends in the tenths of ${SPREAD_MS} ms: ${tenths}; ${held} ms`,
  );
}
