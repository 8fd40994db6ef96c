/** A gateway is replaced while clients connect without a pause: nobody is refused, and no EventSource is closed for good. */
import assert from 'node:assert/strict';
import { openSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { startCallers } from '../support/callers.ts';
import { browserEventSource } from '../support/chromium.ts';
import { FRONTS } from '../support/front-proxies.ts';
import { type Gateway, runCommand, startGateway } from '../support/gateway.ts';
import { inherit } from '../support/inherited.ts';
import { npmEventSource } from '../support/npm-eventsource.ts';
import type { Owner } from '../support/owner.ts';
import { connectPeer } from '../support/peer.ts';
import { freePort, scratchFolder } from '../support/scratch.ts';
import { openStream } from '../support/sse-stream.ts';
import { waitFor } from '../support/wait.ts';

const config = (server: string, more = '') =>
  `server: {retry: 100ms, drain: {window: 10s, retry: 200ms}, ${server}}\nallow: {subscribe: ["*"], publish: ["*"]}\nchannels: {"*": {memory: true}}\n${more}`;
const SHARED = config('reuse_port: true');
const INHERITED = config('hosts: [localhost, 127.0.0.1]');

/** Calls that come while there is one gateway, and while there are two. */
const CALLS = 300;

/** For two dozen commands one behind the other, or two browsers. */
const LONG = { timeout: 300_000 };

/** The proxy is not to cut anybody meanwhile. */
const PROXY_IDLE = '10m';

describe('with an inherited socket', () => {
  test('a gateway is replaced under connecting clients without one that is refused or reset', async (t) => {
    const { port, waiting } = await inherit(t, { port: 0, host: '127.0.0.1' }, 3, { config: INHERITED });
    const [first, second] = waiting;
    assert.ok(first !== undefined && second !== undefined);
    // Before anybody serves, whoever connects waits in the queue of the socket.
    const callers = startCallers(t, { port });
    const old = await first.start();
    assert.equal(old.url, `http://127.0.0.1:${port}`);
    await callers.more(CALLS);
    const young = await second.start();
    await callers.more(CALLS);
    assert.deepEqual(await old.terminate(), { code: 0, signal: null });
    await callers.more(CALLS);
    // As systemd restarts a single service: what comes meanwhile waits.
    const stopped = young.terminate();
    const third = waiting[2];
    assert.deepEqual(await stopped, { code: 0, signal: null });
    assert.ok(third !== undefined);
    await third.start();
    await callers.more(CALLS);
    assert.deepEqual([...callers.failures], []);
  });

  test('a unix socket is served on, and its file stays when the gateway goes', async (t) => {
    const path = join(await scratchFolder(t), 'gateway.sock');
    const { waiting } = await inherit(t, { path }, 2, { config: config('heartbeat: 5s') });
    const [first, second] = waiting;
    assert.ok(first !== undefined && second !== undefined);
    const old = await first.start();
    assert.equal(old.url, `unix:${path}`);
    const callers = startCallers(t, { path });
    await callers.more(CALLS);
    await second.start();
    assert.equal((await old.terminate()).code, 0);
    await callers.more(CALLS);
    assert.deepEqual([...callers.failures], []);
  });

  test('a browser and npm eventsource go on at the new gateway, directly and by nginx', LONG, async (t) => {
    const { port, waiting } = await inherit(t, { port: 0, host: '127.0.0.1' }, 2, { config: INHERITED });
    const [first, second] = waiting;
    assert.ok(first !== undefined && second !== undefined);
    await sourcesGoOn(t, await first.start(), () => second.start(), port);
  });

  test('variables that mean no socket, or another process, change nothing', async (t) => {
    const { waiting } = await inherit(t, { port: 0, host: '127.0.0.1' }, 1, {
      config: INHERITED,
      env: { LISTEN_FDS: '0' },
      args: ['--listen', '127.0.0.1:0'],
    });
    const gateway = await waiting[0]?.start();
    assert.equal((await gateway?.get('/healthz'))?.status, 200);
    const stray = await startGateway(t, { config: INHERITED, env: { LISTEN_FDS: '1', LISTEN_PID: '1' } });
    assert.equal((await stray.get('/healthz')).status, 200);
  });

  test('what cannot be served on is an error that says so', async (t) => {
    const local = { port: 0, host: '127.0.0.1' };
    const cases = [
      [local, { env: { LISTEN_FDS: '2' } }, 1, /2 sockets are inherited .*one can be served on/],
      [local, { env: { LISTEN_FDS: 'x' } }, 1, /LISTEN_FDS is no number/],
      [local, { args: ['--listen', '127.0.0.1:0'] }, 2, /--listen is given, and a socket is inherited/],
      [local, { descriptor: openSync('/dev/null', 'r') }, 1, /descriptor 3 is none/],
      [{ port: 0, host: '0.0.0.0' }, {}, 78, /0\.0\.0\.0:\d+ can be reached by other machines/],
      [{ port: 0, host: '::' }, {}, 78, /\[::\]:\d+ can be reached by other machines/],
    ] as const;
    for (const [where, options, code, said] of cases) {
      const { waiting } = await inherit(t, where, 1, options);
      const child = waiting[0]?.child;
      assert.ok(child !== undefined);
      child.say('go\n');
      assert.equal((await child.ends()).code, code, child.stderr);
      assert.match(child.stderr, said);
    }
  });
});

describe('with server.reuse_port', () => {
  test('a gateway is replaced under connecting clients without one that is refused', async (t) => {
    const port = await freePort(t);
    const old = await startGateway(t, { config: SHARED, port });
    const callers = startCallers(t, { port });
    await callers.more(CALLS);
    await startGateway(t, { config: SHARED, port });
    await callers.more(CALLS);
    assert.deepEqual(await old.terminate(), { code: 0, signal: null });
    await callers.more(CALLS);
    // Who completes the handshake in the moment in which the old queue closes is reset, and comes back.
    const { ECONNRESET: reset = 0, ...others } = Object.fromEntries(callers.failures);
    assert.deepEqual(others, {});
    assert.ok(reset <= 16, `${reset} connections were reset`);
  });

  test('a browser and npm eventsource go on at the new gateway, directly and by nginx', LONG, async (t) => {
    const port = await freePort(t);
    const start = () => startGateway(t, { config: config('reuse_port: true, hosts: [localhost, 127.0.0.1]'), port });
    await sourcesGoOn(t, await start(), start, port);
  });

  test('publish works against whichever of the two answers, until the last of them is gone', LONG, async (t) => {
    const port = await freePort(t);
    const runtimeFolder = await scratchFolder(t);
    const closed = SHARED.replace(/allow: .*/, 'allow: {subscribe: []}');
    const start = () => startGateway(t, { config: closed, port, runtimeFolder });
    const publishes = async () => {
      for (let index = 0; index < 6; index += 1) {
        const args = ['publish', 'news', 'x', '--url', `http://127.0.0.1:${port}`];
        const child = runCommand(t, args, { runtimeFolder });
        assert.equal((await child.ends()).code, 0, child.stderr);
      }
    };
    const old = await start();
    const young = await start();
    await publishes();
    assert.equal((await old.terminate()).code, 0);
    await publishes();
    const youngest = await start();
    await youngest.child.kill();
    await publishes();
    const last = await start();
    assert.equal((await young.terminate()).code, 0);
    await publishes();
    assert.equal((await last.terminate()).code, 0);
    assert.deepEqual(readdirSync(join(runtimeFolder, 'sse-gateway')), []);
  });

  test('a port of somebody who does not share it is an error that says so', async (t) => {
    const port = await freePort(t);
    await startGateway(t, { config: config('reuse_port: false'), port });
    const second = runCommand(t, ['serve', '--redis', 'redis://127.0.0.1:1', '--listen', `127.0.0.1:${port}`]);
    assert.equal((await second.ends()).code, 1);
    assert.match(second.stderr, /something else listens there already\n/);
    await assert.rejects(startGateway(t, { config: SHARED, port }), /does not share the port \(server.reuse_port\)/);
  });

  test('what was asked before the stop is answered, and the connection ends with the answer', async (t) => {
    const gateway = await startGateway(t, { config: SHARED, port: await freePort(t) });
    const peer = connectPeer(t, gateway.port);
    peer.write('POST /events/news HTTP/1.1', `Host: 127.0.0.1:${gateway.port}`, 'Content-Length: 2', '', 'x');
    const silent = connectPeer(t, gateway.port);
    await silent.flushed('GET /healthz HTTP/1.1\r\n');
    const exit = gateway.terminate();
    await waitFor('the port to be closed', () =>
      fetch(gateway.url).then(
        () => false,
        () => true,
      ),
    );
    peer.write('y');
    assert.equal((await peer.response()).head.status, 200);
    await peer.gone();
    assert.deepEqual(await exit, { code: 0, signal: null });
  });
});

/** Three ways to follow `news` while the gateway at `port` is replaced: none is closed, and each hears what comes after. */
async function sourcesGoOn(owner: Owner, old: Gateway, startNew: () => Promise<Gateway>, port: number): Promise<void> {
  const nginx = FRONTS['nginx with HTTP/1.1'] ?? assert.fail('there is no recipe for it');
  const front = await nginx(owner, port, PROXY_IDLE);
  const types = ['message', 'gateway.open', 'gateway.gap'];
  const url = `http://127.0.0.1:${port}/events/news`;
  const browser = await browserEventSource(owner, url, types);
  const proxied = await browserEventSource(owner, `${front}/events/news`, types);
  const node = npmEventSource(owner, url, types);
  const all = [browser, proxied, node];
  await Promise.all(all.map((each) => each.until('gateway.open', ({ type }) => type === 'gateway.open')));
  const raw = openStream(owner, url);
  await raw.opened();
  const young = await startNew();
  assert.deepEqual(await old.terminate(), { code: 0, signal: null });
  assert.equal(await raw.ended(), 'complete');
  assert.ok((raw.retry ?? 0) >= 100 && (raw.retry ?? 0) <= 400, `retry ${raw.retry}`);
  await Promise.all(all.map((each) => each.until('the gap of a restart', ({ type }) => type === 'gateway.gap')));
  await young.publish('news', 'after');
  await Promise.all(all.map((each) => each.until('what came after', ({ data }) => data === 'after')));
  for (const { page } of [browser, proxied]) assert.notEqual(await page.evaluate('source.readyState'), 2);
  assert.notEqual(node.source.readyState, 2);
}
