/** `serve` as a supervisor sees it: what it says, what it leaves behind, how it ends. */
import assert from 'node:assert/strict';
import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import type { Child } from '../support/child.ts';
import { type Gateway, runCommand, startGateway, writeConfig } from '../support/gateway.ts';
import { parseObject } from '../support/gateway-events.ts';
import { freePort, scratchFolder } from '../support/scratch.ts';
import { waitFor } from '../support/wait.ts';

/** Nobody may do anything without a credential. */
const CLOSED = 'channels: {news: {memory: true}}\nallow: {subscribe: [], publish: []}\n';

describe('serve', () => {
  test('says where it listens and what to try, without the key where stderr is no terminal', async (t) => {
    const gateway = await startGateway(t);
    await gateway.child.printed('stderr', /In a browser:\n {2}http:\/\/127\.0\.0\.1:\d+\/\n/);
    assert.match(gateway.child.stderr, new RegExp(`^listening on ${gateway.url}\n`));
    assert.doesNotMatch(gateway.child.stderr, new RegExp(readKey(gateway)));
    assert.equal(gateway.child.stdout, '');
  });

  test('writes with a config, where stderr is no terminal, JSON lines alone', async (t) => {
    const gateway = await startGateway(t, { config: CLOSED });
    await gateway.child.printed('stderr', /listening.*\n/);
    assert.match(gateway.child.stderr, new RegExp(`"msg":"listening on ${gateway.url}"`));
    for (const line of gateway.child.stderr.trimEnd().split('\n')) assert.doesNotThrow(() => JSON.parse(line), line);
  });

  test('says that reading is open where a config on loopback does not decide it', async (t) => {
    const open = await startGateway(t, { config: 'channels: {news: {memory: true}}\n' });
    await open.child.printed('stderr', /allow\.subscribe is not decided/);
    const closed = await startGateway(t, { config: CLOSED });
    assert.doesNotMatch(closed.child.stderr, /not decided/);
  });

  test('lets publish and tail of the same user in, by a key that only this user can read', async (t) => {
    const gateway = await startGateway(t, { config: CLOSED });
    assert.equal((await gateway.post('news', 'x')).status, 401);
    const tail = runCommand(t, ['tail', 'news', '--url', gateway.url, '-n', '1', '--gateway-events'], gateway);
    assert.equal((await tail.ends()).code, 0, tail.stderr);
    const publish = runCommand(t, ['publish', 'news', 'x', '--url', gateway.url], gateway);
    assert.equal((await publish.ends()).code, 0, publish.stderr);
    const stranger = runCommand(t, ['publish', 'news', 'x', '--url', gateway.url]);
    assert.equal((await stranger.ends()).code, 77);
    assert.match(stranger.stderr, /try: .*--token-file/);
    const folder = join(gateway.runtimeFolder, 'sse-gateway');
    assert.equal(lstatSync(folder).mode & 0o777, 0o700);
    for (const file of readdirSync(folder)) assert.equal(lstatSync(join(folder, file)).mode & 0o777, 0o600);
  });

  test('is followed by a tail of the same user through a restart, although its key is a new one', async (t) => {
    const port = await freePort();
    const first = await startGateway(t, { config: CLOSED, port });
    const tail = runCommand(t, ['tail', 'news', '--url', first.url], first);
    await tail.printed('stderr', /^following news/);
    await first.child.kill();
    await tail.printed('stderr', /not connected/);
    const second = await startGateway(t, { config: CLOSED, port, runtimeFolder: first.runtimeFolder });
    await tail.printed('stderr', /connected again/);
    const publish = runCommand(t, ['publish', 'news', 'after', '--url', second.url], second);
    assert.equal((await publish.ends()).code, 0, publish.stderr);
    await tail.printed('stdout', /^after\n/);
  });

  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    test(`stops at ${signal} with 0 and takes its key away`, async (t) => {
      const gateway = await startGateway(t);
      readKey(gateway);
      gateway.child.signal(signal);
      assert.deepEqual(await gateway.child.ends(), { code: 0, signal: null });
      assert.deepEqual(readdirSync(join(gateway.runtimeFolder, 'sse-gateway')), []);
    });
  }

  test('ends its streams within a second or so at Ctrl-C, however long it may take to drain', async (t) => {
    const gateway = await startGateway(t, {
      config: 'channels: {news: {memory: true}}\nserver: {drain: {window: 5m, retry: 10m}}\n',
    });
    const streams = Array.from({ length: 5 }, () => gateway.stream(t, '/events/news'));
    await Promise.all(streams.map((stream) => stream.opened()));
    gateway.child.signal('SIGINT');
    for (const stream of streams) assert.equal(await stream.ended(), 'complete');
    assert.equal((await gateway.child.ends()).code, 0);
  });

  test('warns at its start of what is probably not meant', async (t) => {
    const gateway = await startGateway(t, {
      config: 'channels: {news: {memory: true}}\nallow: {subscribe: [news, "old.*"]}\n',
    });
    const [line = ''] = await gateway.child.printed('stderr', /[^\n]*old\.\*[^\n]*/);
    assert.equal(parseObject(line)['level'], 40);
    assert.match(String(parseObject(line)['msg']), /sse-gateway\.yaml:2:\d+: allow\.subscribe\.1: /);
  });

  test('ends at once at a second signal', async (t) => {
    const gateway = await startGateway(t, {
      config: `${CLOSED}server: {drain: {window: 1m, retry: 2m}}\n`.replace('subscribe: []', 'subscribe: ["*"]'),
    });
    const streams = Array.from({ length: 20 }, () => gateway.stream(t, '/events/news'));
    await Promise.all(streams.map((stream) => stream.opened()));
    gateway.child.signal('SIGTERM');
    await gateway.child.printed('stderr', /"stopping"/);
    gateway.child.signal('SIGTERM');
    assert.equal((await gateway.child.ends()).code, 130);
    assert.deepEqual(readdirSync(join(gateway.runtimeFolder, 'sse-gateway')), []);
  });

  test('takes the Ctrl-C that npm passes on once more for one', async (t) => {
    const gateway = await startGateway(t, {
      config: 'channels: {news: {memory: true}}\nserver: {drain: {window: 1s}}\n',
    });
    const stream = gateway.stream(t, '/events/news');
    await stream.opened();
    gateway.child.signal('SIGINT');
    gateway.child.signal('SIGINT');
    assert.equal(await stream.ended(), 'complete');
    assert.equal((await gateway.child.ends()).code, 0);
  });

  test('says that a port is taken and names --listen, with 1', async (t) => {
    const gateway = await startGateway(t);
    const child = runCommand(t, ['serve', '--listen', `127.0.0.1:${gateway.port}`]);
    assert.equal((await child.ends()).code, 1);
    assert.match(child.stderr, /^error: cannot listen on 127\.0\.0\.1:\d+.*\ntry: .*--listen.*\n$/);
  });

  test('says what is wrong with its config, one problem a line, with 78', async (t) => {
    const file = await writeConfig(await scratchFolder(t), 'server: {lisen: 1}\nchannels: {a: {memory: 3}}\n');
    const child = runCommand(t, ['serve', '--config', file]);
    assert.equal((await child.ends()).code, 78);
    const lines = child.stderr.trimEnd().split('\n');
    assert.ok(
      lines.length >= 2 && lines.every((line) => /^error: .*sse-gateway\.yaml:\d+:\d+: /.test(line)),
      child.stderr,
    );
  });

  test('says so and goes on where the key cannot be written', async (t) => {
    const child = runCommand(t, ['serve', '--listen', '127.0.0.1:0'], { runtimeFolder: '/dev/null' });
    const [, url = ''] = await child.printed('stderr', /listening on (\S+)/);
    // A user with a folder of the system's own gets the key there.
    if (!readdirSync('/run/user', { withFileTypes: true }).some(({ name }) => name === `${process.getuid?.()}`)) {
      await child.printed('stderr', /key .* could not be written/);
    }
    assert.equal((await fetch(`${url}/healthz`)).status, 200);
  });

  test('serves on when the reader of its log has left', async (t) => {
    const gateway = await startGateway(t, { config: CLOSED });
    gateway.child.process.stderr?.destroy();
    gateway.child.process.stdout?.destroy();
    for (let index = 0; index < 3; index += 1) assert.equal((await gateway.get('/healthz')).status, 200);
    assert.equal((await gateway.terminate()).code, 0);
  });

  test('ends with 1 and its key taken away where something throws that nobody caught', async (t) => {
    const { child, runtimeFolder, url } = await startDefective(t, "throw new Error('out of the blue')");
    assert.equal((await fetch(`${url}/healthz`)).status, 200);
    child.signal('SIGUSR2');
    assert.equal((await child.ends()).code, 1);
    assert.match(child.stderr, /out of the blue/);
    assert.deepEqual(readdirSync(join(runtimeFolder, 'sse-gateway')), []);
  });

  test('ends with 1 where a promise is rejected that nobody awaits', async (t) => {
    const { child } = await startDefective(t, "Promise.reject(new Error('out of the blue'))");
    child.signal('SIGUSR2');
    assert.equal((await child.ends()).code, 1);
    assert.match(child.stderr, /out of the blue/);
  });
});

/** A gateway in which `defect` runs at SIGUSR2. */
async function startDefective(
  t: TestContext,
  defect: string,
): Promise<{ child: Child; runtimeFolder: string; url: string }> {
  const runtimeFolder = await scratchFolder(t);
  const code = encodeURIComponent(`process.on('SIGUSR2', () => { ${defect}; });`);
  const env = { NODE_OPTIONS: `--import=data:text/javascript,${code}` };
  const child = runCommand(t, ['serve', '--listen', '127.0.0.1:0'], { runtimeFolder, env });
  const [, url = ''] = await child.printed('stderr', /listening on (\S+)/);
  await waitFor('the key', () => readdirSync(join(runtimeFolder, 'sse-gateway')).length === 1);
  return { child, runtimeFolder, url };
}

function readKey(gateway: Gateway): string {
  const folder = join(gateway.runtimeFolder, 'sse-gateway');
  const [file, ...others] = readdirSync(folder);
  assert.ok(file !== undefined && others.length === 0);
  const key = readFileSync(join(folder, file), 'utf8');
  assert.match(key, /^[A-Za-z0-9_-]{43}$/);
  return key;
}
