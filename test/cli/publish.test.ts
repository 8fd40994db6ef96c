/** `publish` as a script sees it: stdout, stderr, exit code, and what it sent. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { newLocalKey, writeLocalKey } from '../../src/auth/local-key.ts';
import { json, problem, type StubAnswer, type StubGateway, startStub } from '../client/stub-gateway.ts';
import { type CommandOptions, runCommand, writeConfig } from '../support/gateway.ts';
import { freePort, scratchFolder } from '../support/scratch.ts';

const accepted: StubAnswer = (response) => json(response, 200, { channel: 'news', id: 'k-1' });

describe('publish', () => {
  test('prints the id of the event', async (t) => {
    const { code, stdout, stub, stderr } = await publish(t, accepted, [
      'news',
      'hello world',
      '--event',
      'e',
      '--id',
      'i',
    ]);
    assert.deepEqual({ code, stdout, stderr }, { code: 0, stdout: 'k-1\n', stderr: '' });
    assert.equal(stub.requests[0]?.path, '/events/news?event=e&id=i');
    assert.equal(stub.requests[0]?.body.toString(), 'hello world');
  });

  test('ends the channel with the event, or by nothing but the end', async (t) => {
    for (const [args, path, body] of [
      [['news', 'last', '--end'], '/events/news?end=true', 'last'],
      [['news', '--end'], '/events/news?end=true', ''],
      [['news', '', '--end', '--id', '7'], '/events/news?id=7&end=true', ''],
    ] as const) {
      const { code, stub } = await publish(t, accepted, args);
      assert.equal(code, 0);
      assert.equal(stub.requests[0]?.path, path);
      assert.equal(stub.requests[0]?.body.toString(), body);
    }
  });

  test('names a repeat by its key, and says where it was one', async (t) => {
    const once = await publish(t, accepted, ['news', 'x', '--idempotency-key', 'order:7']);
    assert.equal(once.stub.requests[0]?.headers['idempotency-key'], 'order:7');
    assert.equal(once.stderr, '');
    const again: StubAnswer = (response) => json(response, 200, { channel: 'news', id: 'k-1', duplicate: true });
    const twice = await publish(t, again, ['news', 'x', '--idempotency-key', 'order:7']);
    assert.deepEqual([twice.code, twice.stdout], [0, 'k-1\n']);
    assert.match(twice.stderr, /published before with this key/);
    const lost = await publish(t, (response) => response.destroy(), ['news', 'x', '--idempotency-key', 'order:7']);
    assert.equal(lost.code, 75);
    assert.match(lost.stderr, /try: publish it again with the same --idempotency-key/);
  });

  for (const key of ['', 'a b', 'ü', 'x'.repeat(256)]) {
    test(`answers a key that is none with 2: "${key.slice(0, 5)}"`, async (t) => {
      const { code, stub } = await publish(t, accepted, ['news', 'x', '--idempotency-key', key]);
      assert.equal(code, 2);
      assert.equal(stub.requests.length, 0);
    });
  }

  test('prints how many took it where there are no ids', async (t) => {
    const { stdout } = await publish(t, (response) => json(response, 200, { channel: 'news', receivers: 3 }), [
      'news',
      'x',
    ]);
    assert.equal(stdout, 'receivers: 3\n');
  });

  test('prints the whole answer with --json', async (t) => {
    const { stdout } = await publish(t, accepted, ['news', 'x', '--json']);
    assert.deepEqual(JSON.parse(stdout), { channel: 'news', id: 'k-1' });
  });

  for (const input of ['', 'a', 'a\n', 'a\r\nb\r\n', '\0\n\n', 'x'.repeat(300_000)]) {
    test(`sends stdin as it is: ${JSON.stringify(input.slice(0, 10))}`, async (t) => {
      const { code, stub } = await publish(t, accepted, ['news', '-'], { input });
      assert.equal(code, 0);
      assert.equal(stub.requests[0]?.body.toString(), input);
    });
  }

  test('refuses an endless stdin and sends nothing', async (t) => {
    const { code, stub, stderr } = await publish(t, accepted, ['news', '-'], { input: 'x'.repeat(65 * 1024 * 1024) });
    assert.equal(code, 1);
    assert.match(stderr, /longer than 64 MiB/);
    assert.equal(stub.requests.length, 0);
  });

  test('takes numbers below zero, and after -- anything, for a payload', async (t) => {
    assert.equal((await publish(t, accepted, ['news', '-5'])).stub.requests[0]?.body.toString(), '-5');
    assert.equal((await publish(t, accepted, ['news', '--', '--x'])).stub.requests[0]?.body.toString(), '--x');
    assert.equal((await publish(t, accepted, ['news', ''])).stub.requests[0]?.body.toString(), '');
  });

  const refusals: readonly (readonly [status: number, code: number])[] = [
    [400, 1],
    [401, 77],
    [403, 77],
    [404, 1],
    [413, 1],
    [429, 1],
    [503, 1],
    [504, 75],
  ];
  for (const [status, wanted] of refusals) {
    test(`answers ${status} with ${wanted} and the words of the gateway`, async (t) => {
      const { code, stdout, stderr } = await publish(t, (response) => problem(response, status, 'so it is'), [
        'news',
        'x',
      ]);
      assert.deepEqual([code, stdout], [wanted, '']);
      assert.match(stderr, /^error: so it is/);
    });
  }

  test('answers a connection that breaks with 75 and sends nothing again', async (t) => {
    const { code, stub, stderr } = await publish(t, (response) => response.destroy(), ['news', 'x']);
    assert.equal(code, 75, stderr);
    assert.match(stderr, /may or may not have been published/);
    assert.equal(stub.requests.length, 1);
  });

  test('waits no longer than --timeout, and does not know the outcome then', async (t) => {
    const { code, stderr } = await publish(t, () => undefined, ['news', 'x', '--timeout', '3s']);
    assert.equal(code, 75);
    assert.match(stderr, /no answer in 3 s/);
  });

  test('answers an address where nobody listens with 1 and what to do', async (t) => {
    const child = runCommand(t, ['publish', 'news', 'x', '--url', `http://127.0.0.1:${await freePort()}`]);
    assert.equal((await child.ends()).code, 1);
    assert.match(child.stderr, /^error: no gateway listens on 127\.0\.0\.1:\d+\ntry: .*serve.*--url/);
  });

  test('is interrupted by Ctrl-C with 130', async (t) => {
    const stub = await startStub(t, () => undefined);
    const child = runCommand(t, ['publish', 'news', 'x', '--url', stub.url]);
    await stub.request(0);
    child.signal('SIGINT');
    assert.equal((await child.ends()).code, 130);
    assert.match(child.stderr, /may or may not/);
  });

  test('shows text from outside without letting it steer the terminal', async (t) => {
    const { stderr } = await publish(t, (response) => problem(response, 400, 'a\x1b[2J\x9b\u202eb'), ['news', 'x']);
    assert.match(stderr, /a\\x1b\[2J\\x9b\\u202eb/);
  });
});

describe('the gateway that publish asks', () => {
  test('is the one of --url, then of SSE_GATEWAY_URL, then of the listen address in --config', async (t) => {
    const [first, second, third] = [
      await startStub(t, accepted),
      await startStub(t, accepted),
      await startStub(t, accepted),
    ];
    const config = await writeConfig(
      await scratchFolder(t),
      `server: {listen: "${third.url.slice('http://'.length)}", base_path: /live}\nchannels: {news: {memory: true}}\n`,
    );
    const env = { SSE_GATEWAY_URL: second.url };
    for (const [args, options] of [
      [['--url', first.url, '--config', config], { env }],
      [['--config', config], { env }],
      [['--config', config], { env: { SSE_GATEWAY_URL: '' } }],
    ] as const) {
      assert.equal((await runCommand(t, ['publish', 'news', 'x', ...args], options).ends()).code, 0);
    }
    assert.deepEqual(
      [first, second, third].map(({ requests }) => requests.map(({ path }) => path)),
      [['/events/news'], ['/events/news'], ['/live/events/news']],
    );
  });

  test('is not asked for a channel that --config does not have', async (t) => {
    const config = await writeConfig(await scratchFolder(t), 'channels: {news: {memory: true}}\n');
    const child = runCommand(t, ['publish', 'nwes', 'x', '--config', config]);
    assert.equal((await child.ends()).code, 1);
    assert.match(child.stderr, /^error: no channel is named "nwes" in .*sse-gateway\.yaml\ntry: /);
  });

  test('may listen on a unix socket', async (t) => {
    const path = join(await scratchFolder(t), 'gateway.sock');
    const stub = await startStub(t, accepted, { path });
    const { code } = await runCommand(t, ['publish', 'news', 'x', '--url', stub.url]).ends();
    assert.equal(code, 0);
  });

  test('is told by a broken --config with 78, one problem a line', async (t) => {
    const config = await writeConfig(await scratchFolder(t), 'server: {lisen: 1}\nchanels: {}\n');
    const child = runCommand(t, ['publish', 'news', 'x', '--config', config]);
    assert.equal((await child.ends()).code, 78);
    assert.ok(child.stderr.trimEnd().split('\n').length >= 2, child.stderr);
    assert.match(child.stderr, /^error: .*sse-gateway\.yaml:1:\d+: /m);
  });
});

describe('the credential of publish', () => {
  test('is the local key, for exactly the address that it is named after', async (t) => {
    const [mine, other] = [await startStub(t, accepted), await startStub(t, accepted)];
    const { runtimeFolder, key } = await withKey(t, mine);
    for (const stub of [mine, other]) await run(t, stub.url, { runtimeFolder });
    assert.deepEqual([authorization(mine), authorization(other)], [`Bearer ${key}`, undefined]);
  });

  test('finds the local key by the name localhost too, and asks the address of the key itself', async (t) => {
    const stub = await startStub(t, accepted);
    const { runtimeFolder, key } = await withKey(t, stub);
    await run(t, stub.url.replace('127.0.0.1', 'localhost'), { runtimeFolder });
    assert.equal(authorization(stub), `Bearer ${key}`);
    assert.match(stub.requests[0]?.headers.host ?? '', /^127\.0\.0\.1:/);
  });

  test('comes from a file, the environment or the command line before the local key', async (t) => {
    const stub = await startStub(t, accepted);
    const { runtimeFolder } = await withKey(t, stub);
    const file = join(runtimeFolder, 'token');
    await writeFile(file, 'from.file\n');
    const env = { SSE_GATEWAY_TOKEN: 'from-environment' };
    await run(t, stub.url, { runtimeFolder, env }, '--token-file', file);
    await run(t, stub.url, { runtimeFolder, env });
    const stderr = await run(t, stub.url, { runtimeFolder, env }, '--token', 'from-flag');
    assert.deepEqual(
      stub.requests.map(({ headers }) => headers.authorization),
      ['Bearer from.file', 'Bearer from-environment', 'Bearer from-flag'],
    );
    assert.match(stderr, /^warning: .*--token/);
    assert.doesNotMatch(stderr, /from-flag/);
  });

  test('is refused with 2 where it is none, and never shown', async (t) => {
    const file = join(await scratchFolder(t), 'token');
    await writeFile(file, 'se cret\r\nHost: evil');
    for (const args of [
      ['--token-file', file],
      ['--token', 'se cret'],
      ['--token-file', `${file}.none`],
      ['--token', ''],
    ]) {
      const child = runCommand(t, ['publish', 'news', 'x', ...args]);
      assert.equal((await child.ends()).code, 2, child.stderr);
      assert.doesNotMatch(child.stderr, /se cret|evil/);
    }
  });
});

async function publish(t: TestContext, answer: StubAnswer, args: readonly string[], options: CommandOptions = {}) {
  const stub = await startStub(t, answer);
  const child = runCommand(t, ['publish', '--url', stub.url, ...args], options);
  const { code } = await child.ends();
  return { code, stdout: child.stdout, stderr: child.stderr, stub };
}

/** Publishes without fault; tells stderr. */
async function run(t: TestContext, url: string, options: CommandOptions, ...args: string[]): Promise<string> {
  const child = runCommand(t, ['publish', 'news', 'x', '--url', url, ...args], options);
  assert.equal((await child.ends()).code, 0, child.stderr);
  return child.stderr;
}

/** A local key for `stub`, as `serve` writes it. */
async function withKey(t: TestContext, stub: StubGateway): Promise<{ runtimeFolder: string; key: string }> {
  const runtimeFolder = await scratchFolder(t);
  const key = newLocalKey();
  const owner = { runtimeFolders: [runtimeFolder], home: undefined, uid: process.getuid?.() };
  const written = writeLocalKey(owner, stub.url.slice('http://'.length), key);
  assert.equal(written.kind, 'written');
  return { runtimeFolder, key };
}

function authorization(stub: StubGateway): string | undefined {
  return stub.requests[0]?.headers.authorization;
}
