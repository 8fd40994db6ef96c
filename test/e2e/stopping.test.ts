/** SIGTERM: who is connected is sent off complete, who comes is told to come back, and serve ends by itself. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Gateway, startGateway } from '../support/gateway.ts';
import type { Owner } from '../support/owner.ts';
import { connectPeer } from '../support/peer.ts';

const SHORT =
  'server: {drain: {window: 1s, retry: 3s}}\nallow: {subscribe: ["*"], publish: ["*"]}\nchannels: {"*": {memory: true}}\n';
/** As long as all that a test does meanwhile may take on a busy machine. */
const LONG = SHORT.replace('window: 1s', 'window: 15s');

/** Who is to be told at once is told in the first part of the window, in milliseconds. */
const AT_ONCE_MS = 7500;

describe('SIGTERM', { concurrency: 4 }, () => {
  test('ends every stream with a complete last chunk and a retry, and serve with 0', async (t) => {
    const gateway = await startGateway(t, { config: SHORT });
    const streams = Array.from({ length: 100 }, (_, index) =>
      gateway.stream(t, `/events/${index % 5}`, index % 4 === 0 ? { version: '1.0' } : {}),
    );
    await Promise.all(streams.map((stream) => stream.opened()));
    const exit = gateway.terminate();
    for (const stream of streams) {
      assert.equal(await stream.ended(), 'complete');
      assert.ok((stream.retry ?? 0) >= 1_500 && (stream.retry ?? 0) <= 6_000, `retry ${stream.retry}`);
    }
    assert.ok(new Set(streams.map((stream) => stream.retry)).size > 10, 'everybody comes back at once');
    assert.deepEqual(await exit, { code: 0, signal: null });
  });

  test('makes /readyz 503 at once and answers new streams with 200, a retry and the end', async (t) => {
    const gateway = await startGateway(t, { config: LONG });
    await connectMany(t, gateway);
    const exit = gateway.terminate(60_000);
    await gateway.becomes(503, AT_ONCE_MS);
    const health = await gateway.get('/healthz');
    assert.deepEqual([health.status, health.headers.get('connection')], [200, 'close']);
    const late = gateway.stream(t, '/events/news');
    assert.equal((await late.responded()).status, 200);
    assert.equal(await late.ended(), 'complete');
    assert.ok((late.retry ?? 0) >= 1_500, `retry ${late.retry}`);
    assert.deepEqual(late.events, []);
    assert.equal((await exit).code, 0);
  });

  test('a second one stops at once', async (t) => {
    const gateway = await startGateway(t, { config: LONG.replace('window: 15s', 'window: 10m') });
    await connectMany(t, gateway);
    gateway.child.signal('SIGTERM');
    await gateway.becomes(503);
    gateway.child.signal('SIGTERM');
    await gateway.child.ends();
  });

  test('does not wait for peers who never finish', async (t) => {
    const gateway = await startGateway(t, { config: SHORT });
    const stuck = gateway.stream(t, '/events/news');
    await stuck.opened();
    stuck.pause();
    for (let index = 0; index < 200; index += 1) await gateway.publish('news', 'x'.repeat(64 * 1024 - 1));
    const half = connectPeer(t, gateway.port);
    half.write('GET /events/news HTTP/1.1\r\n');
    const body = connectPeer(t, gateway.port);
    body.write('POST /events/news HTTP/1.1', `Host: 127.0.0.1:${gateway.port}`, 'Content-Length: 9', '', 'x');
    connectPeer(t, gateway.port);
    assert.equal((await gateway.terminate()).code, 0);
  });

  test('right after the start line is a stop like any other', async (t) => {
    const gateway = await startGateway(t, { config: SHORT });
    assert.deepEqual(await gateway.terminate(), { code: 0, signal: null });
  });

  test('SIGINT on a terminal is the same request', async (t) => {
    const gateway = await startGateway(t, { config: SHORT });
    await gateway.readiness();
    gateway.child.signal('SIGINT');
    const { code } = await gateway.child.ends();
    assert.ok(code === 0 || code === 130, `exit ${code}`);
  });
});

/** So many that some are still there for most of the window. */
async function connectMany(owner: Owner, gateway: Gateway): Promise<void> {
  const streams = Array.from({ length: 50 }, () => gateway.stream(owner, '/events/news'));
  await Promise.all(streams.map((stream) => stream.opened()));
}
