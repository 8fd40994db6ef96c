/** `publish --lines`: what is sent, in which batches, and what is said where it stops early. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
  json,
  problem,
  type StubAnswer,
  type StubGateway,
  type StubRequest,
  startStub,
} from '../client/stub-gateway.ts';
import { startChild } from '../support/child.ts';
import { type CommandOptions, runCommand, startGateway } from '../support/gateway.ts';
import { parseObject } from '../support/gateway-events.ts';
import { freePort } from '../support/scratch.ts';
import { startFed } from './fed-command.ts';

/** Takes everything. */
const taking: StubAnswer = (response, request) =>
  json(response, 200, { results: itemsOf(request).map((_, index) => ({ channel: 'news', id: `k-${index}` })) });

describe('publish --lines', () => {
  test('sends each line as an event, with the type that is asked for', async (t) => {
    const { code, stdout, stderr, stub } = await publish(t, taking, 'a\r\n\nb "x"ü\u2028', ['--event', 'tick']);
    assert.deepEqual({ code, stdout, stderr }, { code: 0, stdout: 'lines: 3\n', stderr: '' });
    assert.deepEqual(allItems(stub), [
      { channel: 'news', data: 'a', event: 'tick' },
      { channel: 'news', data: '', event: 'tick' },
      { channel: 'news', data: 'b "x"ü\u2028', event: 'tick' },
    ]);
    assert.equal(stub.requests[0]?.path, '/events');
    assert.equal(stub.requests[0]?.headers['content-type'], 'application/x-ndjson');
  });

  test('sends nothing where there is nothing', async (t) => {
    const { code, stdout, stub } = await publish(t, taking, '');
    assert.deepEqual([code, stdout, stub.requests.length], [0, 'lines: 0\n', 0]);
  });

  test('sends many in order, at most 500 or 1 MiB at once', async (t) => {
    const lines = Array.from({ length: 3000 }, (_, index) => `${index} ${'\0'.repeat(index % 400)}`);
    const { code, stub } = await publish(t, taking, lines.join('\n'));
    assert.equal(code, 0);
    assert.deepEqual(
      allItems(stub).map(({ data }) => data),
      lines,
    );
    for (const request of stub.requests) {
      assert.ok(itemsOf(request).length <= 500);
      assert.ok(request.body.length <= 1024 * 1024);
    }
  });

  test('ends the channel behind the last line with --end, and only then', async (t) => {
    const answer: StubAnswer = (response, request, index) =>
      request.path === '/events' ? taking(response, request, index) : json(response, 200, { channel: 'news', id: 'k' });
    const whole = await publish(t, answer, 'a\nb\n', ['--end']);
    assert.equal(whole.code, 0);
    assert.deepEqual(
      whole.stub.requests.map(({ path, body }) => [path, body.length > 0]),
      [
        ['/events', true],
        ['/events/news?end=true', false],
      ],
    );
    const broken = await publish(t, (response) => problem(response, 403, 'no'), 'a\n', ['--end']);
    assert.equal(broken.stub.requests.length, 1);
  });

  test('prints the answer to each line with --json', async (t) => {
    const { stdout } = await publish(t, taking, 'a\nb\n', ['--json']);
    assert.deepEqual(stdout.trimEnd().split('\n').map(parseObject), [
      { line: 1, channel: 'news', id: 'k-0' },
      { line: 2, channel: 'news', id: 'k-1' },
    ]);
  });

  test('stops at a line that is refused, and says what is published', async (t) => {
    const refusing: StubAnswer = (response, request) => {
      const error = { status: 413, code: 'too-large', detail: 'too large' };
      const results = itemsOf(request).map(({ data }) => (data === 'bad' ? { error } : { channel: 'news', id: 'k' }));
      json(response, 413, { results });
    };
    const plain = await publish(t, refusing, 'a\nb\nbad\nc\n');
    assert.deepEqual([plain.code, plain.stdout], [1, '']);
    assert.equal(plain.stderr, 'error: line 3: too large (413); acknowledged up to line 2, and line 4\n');
    const { code, stdout } = await publish(t, refusing, 'a\nbad\n', ['--json']);
    assert.equal(code, 1);
    assert.deepEqual(parseObject(stdout.split('\n')[1] ?? ''), { line: 2, error: 'too large (413)', published: false });
  });

  const refusals: readonly (readonly [status: number, code: number, said: RegExp])[] = [
    [403, 77, /^error: line 501: so it is \(403 Refused\); acknowledged up to line 500\ntry: /],
    [503, 1, /^error: line 501: so it is.*; acknowledged up to line 500\n$/],
    [504, 75, /; acknowledged up to line 500; lines 501 to 600 may or may not have been published\n/],
  ];
  for (const [status, wanted, said] of refusals) {
    test(`answers ${status} with ${wanted} and up to where all is published`, async (t) => {
      const { code, stderr } = await publish(
        t,
        onlyFirst((response) => problem(response, status, 'so it is')),
        SIX_HUNDRED,
      );
      assert.equal(code, wanted);
      assert.match(stderr, said);
    });
  }

  test('does not know what became of the lines whose answer broke off, and sends nothing again', async (t) => {
    const { code, stderr, stub } = await publish(
      t,
      onlyFirst((response) => response.destroy()),
      SIX_HUNDRED,
    );
    assert.equal(code, 75);
    assert.match(stderr, /up to line 500; lines 501 to 600 may or may not/);
    assert.equal(stub.requests.length, 2);
  });

  test('says that no line is published where nobody listens', async (t) => {
    const url = `http://127.0.0.1:${await freePort()}`;
    const child = runCommand(t, ['publish', 'news', '--lines', '--url', url], { input: 'a\n' });
    assert.equal((await child.ends()).code, 1);
    assert.match(child.stderr, /^error: line 1: no gateway listens on .*; no line is acknowledged\ntry: /);
  });

  test('sends a line as soon as it is there', async (t) => {
    const stub = await startStub(t, taking);
    const fed = await startFed(t, ['publish', 'news', '--lines', '--url', stub.url]);
    await fed.write('one\ntw');
    assert.deepEqual(itemsOf(await stub.request(0)), [{ channel: 'news', data: 'one' }]);
    await fed.write('o\n');
    assert.deepEqual(itemsOf(await stub.request(1)), [{ channel: 'news', data: 'two' }]);
    fed.end();
    assert.equal((await fed.child.ends()).code, 0);
  });

  test('is interrupted by Ctrl-C with 130 and says up to where all is published', async (t) => {
    const stub = await startStub(t, taking);
    const fed = await startFed(t, ['publish', 'news', '--lines', '--end', '--json', '--url', stub.url]);
    await fed.write('one\ntwo\n');
    await fed.child.lines(2);
    fed.child.signal('SIGINT');
    assert.equal((await fed.child.ends()).code, 130);
    assert.equal(fed.child.stderr, 'error: interrupted; acknowledged up to line 2\n');
    assert.ok(
      stub.requests.every(({ path }) => path === '/events'),
      'the channel is not ended',
    );
  });

  test('waits a moment for what is on its way at Ctrl-C, and says what nobody knows', async (t) => {
    const stub = await startStub(t, () => undefined);
    const fed = await startFed(t, ['publish', 'news', '--lines', '--url', stub.url]);
    await fed.write('one\ntwo\n');
    await stub.request(0);
    fed.child.signal('SIGINT');
    assert.equal((await fed.child.ends()).code, 130);
    assert.match(fed.child.stderr, /^error: interrupted; no line is acknowledged; lines 1 to 2 may or may not/);
  });

  test('keeps nothing but what is on its way in memory', { timeout: 300_000 }, async (t) => {
    const stub = await startStub(t, (response, request, index) => {
      stub.requests.length = 0; // what it keeps is not what is measured
      taking(response, request, index);
    });
    const fed = await startFed(t, ['publish', 'news', '--lines', '--url', stub.url]);
    const piece = `${'x'.repeat(1000)}\n`.repeat(1000);
    for (let index = 0; index < 300; index += 1) await fed.write(piece);
    const status = await readFile(`/proc/${fed.child.pid}/status`, 'utf8');
    const peak = Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
    assert.ok(peak > 0 && peak < 280, `${peak} MiB at most, of 300 MB that were sent`);
    fed.end();
    assert.equal((await fed.child.ends(120_000)).code, 0);
    assert.equal(fed.child.stdout, 'lines: 300000\n');
  });

  test('reaches the subscribers of a gateway in order, whatever its limits', async (t) => {
    const gateway = await startGateway(t, {
      config: 'limits: {event_size: 1KiB}\nchannels: {news: {memory: true}}\n',
    });
    const stream = gateway.stream(t, '/events/news');
    await stream.opened();
    const lines = Array.from({ length: 2000 }, (_, index) => `${index} ${'x'.repeat(index % 300)}`);
    const child = runCommand(t, ['publish', 'news', '--lines', '--url', gateway.url], {
      ...gateway,
      input: lines.join('\n'),
    });
    assert.equal((await child.ends()).code, 0, child.stderr);
    assert.deepEqual(
      (await stream.take(2000)).map(({ data }) => data),
      lines,
    );
  });

  test('does not end well where the reader of its answers has left', async (t) => {
    const stub = await startStub(t, taking);
    const fed = await startFed(t, ['publish', 'news', '--lines', '--json', '--url', stub.url]);
    await fed.write('one\n');
    await fed.child.lines(1);
    fed.child.process.stdout?.destroy();
    await fed.write('two\n');
    assert.equal((await fed.child.ends()).code, 1);
    assert.match(fed.child.stderr, /^error: cannot write to stdout: .*EPIPE.*; acknowledged up to line 2\n/);
  });

  test('says so where stdin cannot be read', async (t) => {
    const stub = await startStub(t, taking);
    for (const args of [['--lines'], ['-']]) {
      const bin = fileURLToPath(new URL('../../bin/sse-gateway.ts', import.meta.url));
      const command = [process.execPath, bin, 'publish', 'news', ...args, '--url', stub.url];
      const child = startChild(t, '/bin/sh', ['-c', 'exec "$@" 0>/dev/null', 'sh', ...command]);
      assert.equal((await child.ends()).code, 1);
      assert.match(child.stderr, /^error: stdin cannot be read: EBADF/);
    }
  });

  const mistakes: readonly (readonly [what: string, args: readonly string[], said: RegExp])[] = [
    ['a payload beside it', ['x'], /--lines reads the events from stdin/],
    ['one id for all', ['--id', '1'], /cannot be used with option '--lines'/],
    ['one key for all', ['--idempotency-key', '1'], /cannot be used with option '--lines'/],
    ['a configuration from stdin', ['--config', '-'], /cannot both come from stdin/],
  ];
  for (const [what, args, said] of mistakes) {
    test(`answers ${what} with 2`, async (t) => {
      const child = runCommand(t, ['publish', 'news', '--lines', ...args]);
      assert.equal((await child.ends()).code, 2, child.stderr);
      assert.match(child.stderr, said);
    });
  }
});

const SIX_HUNDRED = Array.from({ length: 600 }, (_, index) => `${index}\n`).join('');

/** Takes the first request; the others are answered otherwise. */
function onlyFirst(then: StubAnswer): StubAnswer {
  return (response, request, index) => (index === 0 ? taking : then)(response, request, index);
}

async function publish(
  t: TestContext,
  answer: StubAnswer,
  input: string,
  args: readonly string[] = [],
  options: CommandOptions = {},
) {
  const stub = await startStub(t, answer);
  const child = runCommand(t, ['publish', 'news', '--lines', '--url', stub.url, ...args], { ...options, input });
  const { code } = await child.ends();
  return { code, stdout: child.stdout, stderr: child.stderr, stub };
}

function allItems(stub: StubGateway): Record<string, unknown>[] {
  return stub.requests.flatMap(itemsOf);
}

function itemsOf({ body }: StubRequest): Record<string, unknown>[] {
  return body.toString().trimEnd().split('\n').map(parseObject);
}
