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
const DEAF = READERS / 10;
const PAYLOAD_BYTES = 16 * 1024;
/** More than the kernel holds for a connection whose client does not read. */
const CLOG_EVENTS = 600;
/** What a busy machine may add to the slowest hundredth, in milliseconds. */
const NOISE_MS = 100;
const BUFFERED_BYTES = 32 * 2 ** 20;
/** How long readers may take to have everything, in milliseconds. */
const READ_MS = 100_000;
/** After how long a connection ends, in seconds: longer than connecting everybody takes on a busy machine. */
const AGE_S = 12;
const LONG = { timeout: 300_000 * SCALE };

describe('a tenth of the clients that does not read', () => {
  test('slows nobody', LONG, async (t) => {
    const scene = await startFlood(t, '10m', READERS);
    const { gateway } = scene;
    let without = Number.POSITIVE_INFINITY;
    for (let time = 0; time < 3; time += 1) without = Math.min(without, await latency(t, scene));
    await scene.goDeaf();
    assert.equal(await metric(gateway, 'subscribers'), READERS + DEAF);
    assert.ok((await metric(gateway, 'pending_bytes')) > 0, 'nobody is slow');
    // What the machine adds comes and goes; what those who do not read add would stay.
    const most = 1.5 * without + NOISE_MS;
    let beside = Number.POSITIVE_INFINITY;
    for (let time = 0; time < 10 && beside > most; time += 1) beside = Math.min(beside, await latency(t, scene));
    t.diagnostic(JSON.stringify({ without, beside }));
    assert.ok(beside <= most, `p99 ${without} ms became ${beside} ms`);
    assert.deepEqual((await scene.readers.state('readers')).oddities, []);
  });

  test('is cut after client_stall, and keeps a bounded memory until then', LONG, async (t) => {
    const few = READERS / 5;
    const scene = await startFlood(t, '10s', few);
    const { gateway } = scene;
    const memory = new MemoryWatch(t, gateway.child.pid);
    const before = memory.now();
    await scene.goDeaf();
    await waitFor('the deaf to be cut', async () => (await metric(gateway, 'subscribers')) === few, 60_000);
    assert.equal(await metric(gateway, 'pending_bytes'), 0);
    const grown = memory.stop() - before;
    t.diagnostic(`${Math.round(grown / 2 ** 20)} MiB more`);
    assert.ok(grown < 4 * BUFFERED_BYTES, `${Math.round(grown / 2 ** 20)} MiB more`);
    assert.deepEqual((await scene.readers.state('readers')).oddities, []);
  });
});

describe('a client that half-closes and reads on', () => {
  test('has left', async (t) => {
    const gateway = await startGateway(t, { config: `${OPEN}channels: {news: {memory: true}}\n` });
    const streams = Array.from({ length: 100 }, () => gateway.stream(t, '/events/news'));
    await Promise.all(streams.map((stream) => stream.opened()));
    const idle = (await gateway.connections()) - streams.length;
    for (const stream of streams) stream.halfClose();
    await waitFor('everybody to be gone', async () => (await metric(gateway, 'subscribers')) === 0);
    await waitFor('the sockets to be closed', async () => (await gateway.connections()) <= idle + 1);
  });
});

describe('clients whose network is gone without a word', () => {
  test('are gone within max_connection_age, with everything they had', async (t) => {
    const { gateway, crowd, darken } = await startInNetwork(t);
    const idle = await gateway.connections();
    await crowd.open({ name: 'all', path: '/events/news', clients: 300 });
    await crowd.open({ name: 'plain', path: '/events/news', clients: 50, version: '1.0' });
    assert.ok((await gateway.connections()) >= idle + 350);
    const began = performance.now();
    darken();
    // An age and a tenth more by jitter, a round of looks, and client_stall for what the kernel does not take. The
    // kernel itself gives nobody up within minutes.
    await waitFor('the dead to be gone', async () => (await gateway.connections()) <= idle, 60_000);
    t.diagnostic(`gone after ${Math.round(performance.now() - began)} ms`);
  });
});

/** A gateway and a crowd in a network of their own where the machine allows one; elsewhere going dark is to stop reading. */
async function startInNetwork(owner: Owner) {
  const config = `server: {heartbeat: 1s, max_connection_age: ${AGE_S}s, retry: 1s}\nlimits: {client_stall: 2s}\n${OPEN}channels: {news: {memory: true}}\n`;
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

/** Readers of what is published, to whom so much was sent that their sockets and the code are warm. */
async function startFlood(owner: Owner, stall: string, count: number) {
  const config = `limits: {client_stall: ${stall}, buffered_total: 32MiB, window: 16MiB}\n${OPEN}channels: {news: {memory: true}}\n`;
  const gateway = await startGateway(owner, { config });
  const readers = new Crowd(owner, gateway.url);
  const deaf = new Crowd(owner, gateway.url);
  await readers.open({ name: 'readers', path: '/events/news', clients: count });
  const publisher = new CrowdPublisher(gateway, undefined, [{ kind: 'memory', channel: 'news' }], PAYLOAD_BYTES);
  const flood = async () => {
    await publisher.more(CLOG_EVENTS);
    await readers.until('readers', 'to have all', ({ least }) => least === publisher.count, READ_MS);
  };
  await flood();
  /** Settles when those who do not read have been sent more than their sockets hold, and the readers have it. */
  const goDeaf = async () => {
    await deaf.open({ name: 'deaf', path: '/events/news', clients: DEAF });
    deaf.pause('deaf');
    await deaf.state('deaf'); // it has been told by now
    await flood();
  };
  return { gateway, readers, publisher, goDeaf };
}

/** The slowest hundredth of what readers wait while something is published for a second. */
async function latency(owner: Owner, { readers, publisher }: { readers: Crowd; publisher: CrowdPublisher }) {
  readers.measure('readers');
  const first = publisher.count;
  publisher.every(owner, 40);
  await readers.until('readers', 'to hear more', ({ least }) => least >= first + 25, READ_MS);
  await publisher.stop();
  const isIt = ({ least }: { least: number }) => least === publisher.count;
  return (await readers.until('readers', 'to have all', isIt, READ_MS)).latency.p99;
}
