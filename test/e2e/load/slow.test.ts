/** Clients that do not read, half-close, or are gone without a word: they are let go, and the others hardly notice. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { startChild } from '../../support/child.ts';
import { Crowd, SCALE } from '../../support/crowd.ts';
import { CrowdPublisher } from '../../support/crowd-publisher.ts';
import { COMMAND, environment, Gateway, startGateway, writeConfig } from '../../support/gateway.ts';
import { metric } from '../../support/gauges.ts';
import { makeNetwork, mayHaveNetwork } from '../../support/netns.ts';
import type { Owner } from '../../support/owner.ts';
import { MemoryWatch } from '../../support/process-memory.ts';
import { scratchFolder } from '../../support/scratch.ts';
import { waitFor } from '../../support/wait.ts';

const OPEN = 'allow: {subscribe: ["*"], publish: ["*"], admin: true}\n';
const READERS = 100 * SCALE;
const PAYLOAD_BYTES = 16 * 1024;
/** More than the kernel holds for a connection whose client does not read. */
const CLOG_EVENTS = 600;
/** What a busy machine may add to the slowest hundredth, in milliseconds. */
const NOISE_MS = 30;
const BUFFERED_BYTES = 32 * 2 ** 20;

describe('a tenth of the clients that does not read', { timeout: 90_000 * SCALE }, () => {
  test('is cut after client_stall, keeps a bounded memory until then, and slows nobody', async (t) => {
    const gateway = await startGateway(t, {
      config: `limits: {client_stall: 5s, buffered_total: 32MiB, window: 16MiB}\n${OPEN}channels: {news: {memory: true}}\n`,
    });
    const readers = new Crowd(t, gateway.url);
    const deaf = new Crowd(t, gateway.url);
    await readers.open({ name: 'readers', path: '/events/news', clients: READERS });
    const publisher = new CrowdPublisher(gateway, undefined, [{ kind: 'memory', channel: 'news' }], PAYLOAD_BYTES);
    const caughtUp = () => readers.until('readers', 'to have all', ({ least }) => least === publisher.count, 60_000);
    await publisher.more(CLOG_EVENTS);
    await caughtUp();
    const without = await latency(t, readers, publisher);

    await deaf.open({ name: 'deaf', path: '/events/news', clients: READERS / 10 });
    deaf.pause('deaf');
    await deaf.state('deaf'); // it has been told by now
    const memory = new MemoryWatch(t, gateway.child.pid);
    const before = memory.now();
    await publisher.more(CLOG_EVENTS);
    await caughtUp();
    assert.equal(await metric(gateway, 'subscribers'), READERS + READERS / 10);
    assert.ok((await metric(gateway, 'pending_bytes')) > 0, 'nobody is slow');
    const beside = await latency(t, readers, publisher);
    await waitFor('the deaf to be cut', async () => (await metric(gateway, 'subscribers')) === READERS, 20_000);
    assert.equal(await metric(gateway, 'pending_bytes'), 0);
    const grown = memory.stop() - before;
    t.diagnostic(JSON.stringify({ without, beside, grownMiB: Math.round(grown / 2 ** 20) }));
    assert.ok(grown < 4 * BUFFERED_BYTES, `${Math.round(grown / 2 ** 20)} MiB more`);
    assert.ok(beside <= 1.5 * without + NOISE_MS, `p99 ${without} ms became ${beside} ms`);
    assert.deepEqual((await readers.state('readers')).oddities, []);
  });
});

describe('a client that half-closes and reads on', () => {
  test('has left', async (t) => {
    const gateway = await startGateway(t, { config: `${OPEN}channels: {news: {memory: true}}\n` });
    const streams = Array.from({ length: 100 }, () => gateway.stream(t, '/events/news'));
    await Promise.all(streams.map((stream) => stream.opened()));
    const idle = (await gateway.sockets()) - streams.length;
    for (const stream of streams) stream.halfClose();
    await waitFor('everybody to be gone', async () => (await metric(gateway, 'subscribers')) === 0, 2000);
    await waitFor('the sockets to be closed', async () => (await gateway.sockets()) <= idle + 1, 2000);
  });
});

describe('clients whose network is gone without a word', { timeout: 60_000 }, () => {
  test('are gone within max_connection_age, with everything they had', async (t) => {
    const { gateway, crowd, darken } = await startInNetwork(t);
    const idle = await gateway.sockets();
    await crowd.open({ name: 'all', path: '/events/news', clients: 300 });
    await crowd.open({ name: 'plain', path: '/events/news', clients: 50, version: '1.0' });
    assert.ok((await gateway.sockets()) >= idle + 350);
    const began = performance.now();
    darken();
    // An age of 4 s, a tenth more by jitter, a round of looks, and client_stall for what the kernel does not take.
    await waitFor('the dead to be gone', async () => (await gateway.sockets()) <= idle, 4400 + 1000 + 2000 + 3000);
    t.diagnostic(`gone after ${Math.round(performance.now() - began)} ms`);
  });
});

/** A gateway and a crowd in a network of their own where the machine allows one; elsewhere going dark is to stop reading. */
async function startInNetwork(owner: Owner) {
  const config = `server: {heartbeat: 1s, max_connection_age: 4s, retry: 1s}\nlimits: {client_stall: 2s}\n${OPEN}channels: {news: {memory: true}}\n`;
  if (!mayHaveNetwork()) {
    const gateway = await startGateway(owner, { config });
    const crowd = new Crowd(owner, gateway.url);
    const darken = () => ['all', 'plain'].map((group) => crowd.pause(group));
    return { gateway, crowd, darken };
  }
  const network = await makeNetwork(owner);
  const folder = await scratchFolder(owner);
  const args = ['serve', '--listen', '127.0.0.1:0', '--config', await writeConfig(folder, config)];
  const [file, prefix] = network.within(...COMMAND, ...args);
  const child = startChild(owner, file, prefix, { env: environment(folder) });
  const [, url = ''] = await child.printed('stderr', /(http:\/\/127\.0\.0\.1:\d+)/);
  const crowd = new Crowd(owner, url, (...command) => network.within(...command));
  return { gateway: new Gateway(child, url, folder), crowd, darken: () => network.link('down') };
}

/** What readers wait while something is published for a second, the better of two times: what the machine adds comes and goes. */
async function latency(owner: Owner, readers: Crowd, publisher: CrowdPublisher) {
  const times: number[] = [];
  for (let time = 0; time < 2; time += 1) {
    readers.measure('readers');
    const first = publisher.count;
    publisher.every(owner, 40);
    await readers.until('readers', 'to hear more', ({ least }) => least >= first + 25, 30_000);
    await publisher.stop();
    const isIt = ({ least }: { least: number }) => least === publisher.count;
    times.push((await readers.until('readers', 'to have all', isIt, 30_000)).latency.p99);
  }
  return Math.min(...times);
}
