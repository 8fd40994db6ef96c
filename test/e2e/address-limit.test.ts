/** limits.connections_per_ip on the wire: who is sent away and how, directly and by a proxy that is believed. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FRONTS } from '../support/front-proxies.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import type { Owner } from '../support/owner.ts';
import { connectPeer } from '../support/peer.ts';
import { openStream, type SseStream, type StreamOptions } from '../support/sse-stream.ts';
import { waitFor } from '../support/wait.ts';

const config = (limit: number, proxies = '[]') => `server: {retry: 400ms, trusted_proxies: ${proxies}}
limits: {connections_per_ip: ${limit}}
allow: {subscribe: ["*"], publish: ["open"], admin: true}
channels: {"*": {memory: true}}
`;

/** A stream that its proxy has cut is one less: this is longer than any of these tests. */
const PROXY_IDLE = '10m';

/** Settles when a stream is open: true, or was sent away with 200 and a retry: false. */
async function isServed(stream: SseStream): Promise<boolean> {
  assert.equal((await stream.responded()).status, 200);
  await stream.until('gateway.open or the end', () => stream.events.length > 0 || stream.end !== undefined);
  if (stream.events.length > 0) return true;
  assert.equal(stream.end, 'complete');
  assert.ok((stream.retry ?? 0) >= 320 && (stream.retry ?? 0) <= 480, `retry ${stream.retry}`);
  return false;
}

describe('limits.connections_per_ip', () => {
  test('sends one stream too many away so that it comes back, and lets it in when another has ended', async (t) => {
    const gateway = await startGateway(t, { config: config(2) });
    const ask = (options?: StreamOptions) => gateway.stream(t, '/events/news', options);
    const [first, second] = [ask(), ask({ version: '1.0' })];
    assert.deepEqual([await isServed(first), await isServed(second)], [true, true]);
    assert.equal(await isServed(ask()), false);
    assert.equal(await isServed(ask({ headers: { 'x-forwarded-for': '203.0.113.9' } })), false);
    assert.equal(await isServed(ask({ from: '127.0.0.2' })), true);
    assert.equal((await gateway.post('open', 'x')).status, 200);
    assert.equal((await gateway.get('/events/news', { method: 'HEAD' })).status, 200);
    assert.match(await (await gateway.get('/metrics')).text(), /^sse_gateway_streams_refused_by_address_total 2$/m);
    first.cut();
    await waitFor('room for one more', async () => await isServed(ask()));
    second.cut();
    await waitFor('room for another', async () => await isServed(ask()));
  });

  test('counts the clients of proxies that are believed by what those say, not by what the clients say', async (t) => {
    const gateway = await startGateway(t, { config: config(1, '[127.0.0.1]') });
    const fronts = Object.values(FRONTS).map((start) => start(t, gateway.port, PROXY_IDLE));
    await Promise.all(fronts.map((starting, index) => countsBehind(t, gateway, starting, `127.1.${index}`)));
  });

  test('is the only thing that the header decides, whoever sends it', async (t) => {
    const loopback = await startGateway(t, { config: config(5, '[loopback]') });
    const nobody = await startGateway(t, { config: config(5) });
    for (const gateway of [loopback, nobody]) {
      for (const address of ['127.0.0.1', '::1', '203.0.113.9', 'localhost']) {
        const headers = { 'x-forwarded-for': address, forwarded: `for=${address}` };
        assert.equal((await gateway.post('closed', 'x', '', { headers })).status, 401);
        assert.equal((await gateway.post('open', 'x', '', { headers })).status, 200);
        const foreign = connectPeer(t, gateway.port);
        foreign.request('GET /events/news HTTP/1.1', 'Host: evil.example', `X-Forwarded-For: ${address}`);
        assert.equal((await foreign.head()).status, 421);
      }
    }
  });
});

/** Each proxy has clients of its own `network`, so that all can be tried at one gateway. */
async function countsBehind(owner: Owner, gateway: Gateway, starting: Promise<string>, network: string): Promise<void> {
  const front = await starting;
  const ask = (last: number, headers: Readonly<Record<string, string>> = {}) =>
    openStream(owner, `${front}/events/news`, {
      from: `${network}.${last}`,
      headers: { host: `127.0.0.1:${gateway.port}`, ...headers },
    });
  assert.equal(await isServed(ask(1)), true);
  assert.equal(await isServed(ask(1)), false);
  assert.equal(await isServed(ask(1, { 'x-forwarded-for': '203.0.113.9' })), false);
  assert.equal(await isServed(ask(1, { 'x-forwarded-for': '203.0.113.9, garbage' })), false);
  assert.equal(await isServed(ask(2)), true);
}
