/** A hostile client that asks for names by the thousand: they stay within limits.channels, others are served, and all of it goes. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Gateway, startGateway } from '../../support/gateway.ts';
import { metric, readMetrics } from '../../support/gauges.ts';
import { heard } from '../../support/heard.ts';
import { INSPECTED, inspect } from '../../support/inspector.ts';
import { connectPeer, type Peer } from '../../support/peer.ts';
import { channelsHeard, startRedis } from '../../support/redis.ts';
import { waitFor } from '../../support/wait.ts';

const LIMIT = 2000;
/** How many names are asked for on one connection. */
const AT_ONCE = 50;
const NAMES = 10_000;
const HEAP_GROWTH_BYTES = 8 * 2 ** 20;
const DEADLINE_MS = 60_000;
const LONG = { timeout: 300_000 };

const CONFIG = `server: {retry: 500ms}
limits: {channels: ${LIMIT}, channels_per_connection: 64}
allow: {subscribe: ["*"], publish: ["*"], admin: true}
channels:
  "p.{n}": {pubsub: "p.{n}", linger: 1100ms}
  "s.{n}": {stream: "s.{n}", linger: 1100ms}
  "k.{n}": {key: "k.{n}", linger: 1100ms}
  wanted: {pubsub: wanted}
`;

describe('names by the thousand', () => {
  for (const [kind, feeds] of [
    ['p', 'pub/sub channels'],
    ['s', 'streams'],
    ['k', 'keys'],
  ] as const) {
    test(`of ${feeds} stay bounded, and leave nothing behind`, LONG, async (t) => {
      const redis = await startRedis(t);
      const client = redis.client();
      const gateway = await startGateway(t, { config: `redis: ${redis.url}\n${CONFIG}`, env: INSPECTED });
      await gateway.becomes(200);
      const inspector = await inspect(t, gateway.child);
      const wanted = await heard(t, gateway, '/events/wanted');
      // The first of them teach the engine and fill its pools.
      for (const peer of await ask(gateway, kind, 0, AT_ONCE * 10)) peer.destroy();
      await waitFor('nothing but what is wanted', async () => (await metric(gateway, 'channels')) === 1, DEADLINE_MS);
      const heap = await inspector.heapBytes();

      const began = performance.now();
      const kept: Peer[] = [];
      let most = 0;
      for (let first = 0; first < NAMES; first += AT_ONCE * 10) {
        const peers = await ask(gateway, kind, first, AT_ONCE * 10);
        // Every other one stays, until the limit is full of those who are still here.
        for (const [index, peer] of peers.entries()) {
          if (index % 2 === 0) kept.push(peer);
          else peer.destroy();
        }
        most = Math.max(most, await metric(gateway, 'channels'));
      }
      t.diagnostic(`${NAMES} names in ${Math.round(performance.now() - began)} ms, at most ${most} live`);
      assert.ok(most <= LIMIT, `${most} channels`);
      const figures = await readMetrics(gateway);
      assert.ok((figures.get('streams_refused_total') ?? 0) > 0, 'nobody was refused');
      assertComesBack(kept);
      await client.publish('wanted', 'still here');
      assert.equal((await wanted.next()).data, 'still here');

      for (const peer of kept) peer.destroy();
      await waitFor('nothing but what is wanted', async () => (await metric(gateway, 'channels')) === 1, DEADLINE_MS);
      await waitFor('Redis to be asked for nothing else', async () => {
        const heard = (await channelsHeard(client)).filter((name) => !String(name).startsWith('__'));
        return heard.length === 1;
      });
      let grown = 0;
      const isGivenBack = async () => {
        grown = (await inspector.heapBytes()) - heap;
        return grown < HEAP_GROWTH_BYTES;
      };
      await waitFor(
        () => `the memory to be given back: ${Math.round(grown / 1024)} KiB more`,
        isGivenBack,
        DEADLINE_MS,
      );
      t.diagnostic(`${Math.round(grown / 1024)} KiB more on the heap`);
    });
  }
});

describe('names that nobody wants', () => {
  test('make room for each other, and not at the cost of what a memory channel keeps', async (t) => {
    const gateway = await startGateway(t, {
      config:
        'limits: {channels: 3}\nallow: {subscribe: ["*"], publish: ["*"], admin: true}\nchannels: {"*": {memory: true}}\n',
    });
    const first = await gateway.publish('kept', 'one');
    await gateway.publish('kept', 'two');
    const visit = async (name: string) => {
      const stream = gateway.stream(t, `/events/${name}`);
      await stream.opened();
      stream.cut();
      await waitFor('nobody to be connected', async () => (await metric(gateway, 'subscribers')) === 0);
    };
    // Its only listener left before all of those who ask for names: it has lingered longest.
    for (const name of ['kept', 'a', 'b', 'c', 'd']) await visit(name);
    const back = gateway.stream(t, '/events/kept', { lastEventId: first });
    assert.match((await back.opened()).data, /"resumed":true/);
    assert.equal((await back.next()).data, 'two');
  });
});

/** Who was refused was told so as a stream, which a browser comes back from. */
function assertComesBack(peers: readonly Peer[]): void {
  const refused = peers.flatMap(({ responses }) => responses).filter(({ complete }) => complete);
  assert.ok(refused.length > 0);
  for (const { head, body } of refused) {
    assert.equal(head.status, 200);
    assert.match(body, /^retry: \d+\n:?\n*$/);
  }
}

/** Asks for `count` names from `first` on, fifty on each connection; settles when each is answered. */
async function ask(gateway: Gateway, kind: string, first: number, count: number): Promise<Peer[]> {
  const peers: Peer[] = [];
  for (let from = first; from < first + count; from += AT_ONCE) {
    const names = Array.from({ length: AT_ONCE }, (_, index) => `channel=${kind}.${from + index}`).join('&');
    const peer = connectPeer({ after: () => undefined }, gateway.port);
    peer.request(`GET /events?${names} HTTP/1.1`, `Host: 127.0.0.1:${gateway.port}`, 'Accept: text/event-stream');
    peers.push(peer);
  }
  await Promise.all(peers.map((peer) => peer.body(0, ':', DEADLINE_MS)));
  return peers;
}
