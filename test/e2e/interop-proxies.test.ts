/** nginx, haproxy and caddy in front of the gateway, with the recipes of the documentation. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { followInPage, NATIVE, openPage } from '../support/browser-clients.ts';
import { browserEventSource, type PageEvents } from '../support/chromium.ts';
import { FRONTS } from '../support/front-proxies.ts';
import { startGateway } from '../support/gateway.ts';
import { openData } from '../support/gateway-events.ts';
import { once } from '../support/once.ts';
import { suiteOwner } from '../support/owner.ts';
import { sample } from '../support/samples.ts';
import { freePort } from '../support/scratch.ts';
import type { ReceivedEvent } from '../support/sse-reader.ts';
import { openStream } from '../support/sse-stream.ts';
import { Watch } from '../support/wait.ts';

/** Continues the documented file below `server:`. */
const config = (heartbeat: string) => `${sample('docs/proxies.md', 'gateway.yaml')}
  heartbeat: ${heartbeat}
  retry: 100ms
allow: {publish: ["*"]}
channels: {"*": {memory: true}}
`;

/** The idle timeout, which every recipe but caddy's has here: so long that a heartbeat is in time on any machine. */
const IDLE = '6s';

/** Every half second at most, and three eighths of one at least: more of them than fit into the idle timeout. */
const HEARTBEATS = 18;

/** How late an event may be, in milliseconds; a proxy that collects events keeps it until it is cut for being idle. */
const AT_ONCE_MS = 3000;

describe('through a proxy', { concurrency: true }, () => {
  const owner = suiteOwner();
  const gateway = once(() => startGateway(owner, { config: config('500ms') }));
  const silent = once(() => startGateway(owner, { config: config('1m') }));

  for (const [name, start] of Object.entries(FRONTS)) {
    const front = once(async () => start(owner, (await gateway()).port, IDLE));
    const silentFront = once(async () => start(owner, (await silent()).port, IDLE));

    test(`${name} passes the head and every event as it comes`, async (t) => {
      const stream = openStream(t, `${await silentFront()}/events/${channel(name)}`, {
        headers: { host: 'www.example.com' },
      });
      const { status, headers } = await stream.responded();
      assert.equal(status, 200);
      assert.equal(headers.get('content-type'), 'text/event-stream');
      assert.equal(headers.get('cache-control'), 'no-store, no-transform');
      assert.equal(headers.get('content-encoding'), undefined);
      await stream.opened();
      const late: number[] = [];
      for (let index = 0; index < 5; index += 1) {
        const start = performance.now();
        await (await silent()).publish(channel(name), `${index}`);
        assert.equal((await stream.next()).data, `${index}`);
        late.push(performance.now() - start);
      }
      assert.ok((late.sort((a, b) => a - b)[2] ?? 0) < AT_ONCE_MS, `in milliseconds: ${late}`);
    });

    test(`${name} lets a client resume`, async (t) => {
      const url = `${await front()}/events/${channel(name)}.resumed`;
      const first = openStream(t, url);
      const { id } = await first.opened();
      first.cut();
      for (const data of ['1', '2']) await (await gateway()).publish(`${channel(name)}.resumed`, data);
      const second = openStream(t, url, { lastEventId: id });
      assert.equal(openData(await second.opened()).resumed, true);
      assert.deepEqual(
        (await second.take(2)).map(({ data }) => data),
        ['1', '2'],
      );
    });

    test(`${name} keeps a stream open as long as there are heartbeats`, async (t) => {
      const stream = openStream(t, `${await front()}/events/${channel(name)}.silent`);
      const cut = openStream(t, `${await silentFront()}/events/${channel(name)}.silent`);
      await stream.until(`${HEARTBEATS} heartbeats`, () => stream.comments > HEARTBEATS);
      assert.equal(stream.end, undefined);
      if (name === 'caddy') return; // it has no such timeout
      assert.equal(await cut.ended(), 'cut');
      assert.equal(cut.comments, 1);
    });
  }
});

describe('a restart of the gateway behind a proxy', () => {
  test('closes no EventSource for good, not even one of another origin, and each is told of the gap', async (t) => {
    const port = await freePort(t);
    const origin = `http://127.0.0.1:${port}`;
    const options = { config: `${config('500ms')}cors: {origins: ["${origin}"], credentials: true}\n`, port };
    const before = await startGateway(t, options);
    const fronts = await Promise.all(Object.values(FRONTS).map((start) => start(t, port, IDLE)));
    const browser = await browserEventSource(t, `${origin}/events/other`, []);
    const visits = await Promise.all(fronts.map((front) => visit(browser, `${origin}/healthz`, front)));
    const all = (wanted: (event: ReceivedEvent) => boolean) =>
      Promise.all(visits.map(({ client }) => client.until('an event', wanted)));
    await all(({ type }) => type === 'gateway.open');
    await before.child.kill();
    const published = fronts.map((front) => fetch(`${front}/events/news`, { method: 'POST', body: 'lost' }));
    await Promise.all(visits.map(({ answered }) => answered()));
    for (const { status } of await Promise.all(published)) assert.ok([502, 503].includes(status), `answered ${status}`);
    const after = await startGateway(t, options);
    await all(({ type }) => type === 'gateway.gap');
    await after.publish('news', 'after');
    await all(({ data }) => data === 'after');
  });
});

/** Follows `news` by way of `front` in a page at `address`; `answered` settles with the next answer that the page gets. */
async function visit(browser: PageEvents, address: string, front: string) {
  const page = await openPage(browser, address);
  const watch = new Watch();
  let answers = 0;
  page.on('response', () => {
    answers += 1;
    watch.changed();
  });
  const client = await followInPage(
    page,
    `an EventSource in ${address} by way of ${front}`,
    NATIVE,
    `${front}/events/news`,
  );
  const answered = async () => {
    const seen = answers;
    await watch.until(
      () => `an answer to ${address} by way of ${front}`,
      () => answers > seen,
    );
  };
  return { client, answered };
}

/** A channel for each proxy. */
function channel(name: string): string {
  return name.replaceAll(/[^a-z]/gi, '');
}
