/** `tail` as a script sees it: events on stdout, the rest on stderr, exit codes by class. */
import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { problem, type StubAnswer, startStub, stream } from '../client/stub-gateway.ts';
import { startChild } from '../support/child.ts';
import { type CommandOptions, runCommand, startGateway } from '../support/gateway.ts';
import { parseObject } from '../support/gateway-events.ts';
import { freePort } from '../support/scratch.ts';

const THREE = 'data: one\nid: k-1\n\nevent: tick\ndata: two\ndata: lines\nid: k-2\n\ndata:\nid: k-3\n\n';

describe('tail', () => {
  test('writes the data of each event and a line end into a pipe', async (t) => {
    const { code, stdout, stderr } = await tail(t, (response) => stream(response, THREE), ['--count', '3']);
    assert.deepEqual([code, stdout], [0, 'one\ntwo\nlines\n\n']);
    assert.match(stderr, /^following news on http:\/\/127\.0\.0\.1:\d+\n$/);
  });

  test('writes one object a line with --json', async (t) => {
    const { stdout } = await tail(t, (response) => stream(response, THREE), ['--count', '3', '--json']);
    const lines = stdout.trimEnd().split('\n').map(parseObject);
    assert.deepEqual(
      lines.map(({ channel, event, id, data }) => ({ channel, event, id, data })),
      [
        { channel: 'news', event: 'message', id: 'k-1', data: 'one' },
        { channel: 'news', event: 'tick', id: 'k-2', data: 'two\nlines' },
        { channel: 'news', event: 'message', id: 'k-3', data: '' },
      ],
    );
    for (const { time } of lines) assert.ok(Math.abs(Date.parse(String(time)) - Date.now()) < 60_000);
  });

  test('shows only the types that were asked for, and those of the gateway only on demand', async (t) => {
    const answer: StubAnswer = (response) => stream(response, `event: gateway.open\ndata: {}\n\n${THREE}`);
    assert.equal((await tail(t, answer, ['-n', '1', '--event', 'tick'])).stdout, 'two\nlines\n');
    assert.equal((await tail(t, answer, ['-n', '2', '--gateway-events'])).stdout, '{}\none\n');
  });

  test('shows the events of the gateway beside those of one type', async (t) => {
    const answer: StubAnswer = (response) => stream(response, `event: gateway.open\ndata: {}\n\n${THREE}`);
    const { stdout } = await tail(t, answer, ['-n', '2', '--event', 'tick', '--gateway-events']);
    assert.equal(stdout, '{}\ntwo\nlines\n');
  });

  test('asks for what is kept, and again after a cut', async (t) => {
    for (const [args, path] of [
      [['--last', '20'], '/events/news?last=20'],
      [['--last', '0'], '/events/news?last=0'],
      [['--since', 'start'], '/events/news?since=start'],
      [['--since', '1.5m'], '/events/news?since=90000ms'],
    ] as const) {
      const cut: StubAnswer = (response, _request, index) => {
        stream(response, index === 0 ? 'retry: 10\n\n' : THREE);
        if (index === 0) response.end();
      };
      const { code, stub } = await tail(t, cut, [...args, '-n', '1']);
      assert.equal(code, 0);
      assert.deepEqual(
        stub.requests.map((request) => request.path),
        [path, path],
      );
    }
  });

  test('goes on after the id that it is given', async (t) => {
    const { stub } = await tail(t, (response) => stream(response, THREE), ['-n', '1', '--last-event-id', 'k-0']);
    assert.equal(stub.requests[0]?.headers['last-event-id'], 'k-0');
  });

  test('resumes after a cut and tells it once', async (t) => {
    const { code, stdout, stderr, stub } = await tail(
      t,
      (response, _request, index) => {
        if (index === 0) stream(response, 'retry: 10\ndata: one\nid: k-1\n\n');
        if (index === 1) response.writeHead(503).end();
        if (index === 2) stream(response, 'data: two\nid: k-2\n\n');
        if (index === 0) response.end();
      },
      ['-n', '2'],
    );
    assert.deepEqual([code, stdout], [0, 'one\ntwo\n']);
    assert.equal(stub.requests[2]?.headers['last-event-id'], 'k-1');
    assert.match(stderr, /^following .*\nnot connected: .*trying again in .*\nconnected again\n$/);
  });

  test('tells gaps and the state of the source on stderr, and does not print them as events', async (t) => {
    const text = [
      'event: gateway.gap\ndata: {"channel":"news","reason":"trimmed","after":"k-1","lost":7}\n\n',
      'event: gateway.open\ndata: {"channels":["news"],"resumed":false,"pending":["news"]}\n\n',
      'event: gateway.gap\ndata: {"channel":"news","reason":"source-lost","after":null,"lost":null}\n\n',
      'data: x\n\n',
    ].join('');
    const { stdout, stderr } = await tail(t, (response) => stream(response, text), ['-n', '1']);
    assert.equal(stdout, 'x\n');
    assert.match(stderr, /gap in news: 7 events are missing here \(trimmed\), after k-1\n/);
    assert.match(stderr, /waiting for the source of news\n/);
    assert.match(stderr, /gap in news: events may be missing here \(source-lost\)\n/);
  });

  test('ends with 0 when the channel has ended', async (t) => {
    assert.equal((await tail(t, (response) => response.writeHead(204).end())).code, 0);
    const end = 'data: last\n\nevent: gateway.end\ndata: {"channel":"news","reason":"ended"}\n\n';
    const { code, stdout, stderr } = await tail(t, (response) => stream(response, end));
    assert.deepEqual([code, stdout], [0, 'last\n']);
    assert.match(stderr, /news has ended \(ended\)/);
  });

  test('follows several channels on one connection, and knows each by its name', async (t) => {
    const answer: StubAnswer = (response) => {
      const enveloped = (channel: string, data: string) => JSON.stringify({ channel, event: 'tick', id: null, data });
      stream(response, 'event: gateway.open\ndata: {"channels":["a","b"],"resumed":false}\n\n');
      response.write(`event: tick\ndata: ${enveloped('a', '1\n2')}\nid: k-1\n\n`);
      response.write('event: gateway.gap\ndata: {"channel":"b","reason":"trimmed","after":null,"lost":1}\n\n');
      response.write(`event: tick\ndata: ${enveloped('b', '')}\nid: k-2\n\n`);
    };
    const stub = await startStub(t, answer);
    const plain = runCommand(t, ['tail', 'a', 'b', 'a', '-n', '2', '--url', stub.url]);
    assert.equal((await plain.ends()).code, 0);
    assert.equal(plain.stdout, 'a\t1\na\t2\nb\t\n');
    assert.match(plain.stderr, /^following a, b on .*\ngap in b: 1 event is missing here/);
    assert.equal(stub.requests[0]?.path, '/events?channel=a&channel=b&envelope=1');
    const whole = runCommand(t, ['tail', 'a', 'b', '-n', '4', '--json', '--gateway-events', '--url', stub.url]);
    assert.equal((await whole.ends()).code, 0);
    assert.deepEqual(
      whole.stdout
        .trimEnd()
        .split('\n')
        .map(parseObject)
        .map(({ channel, event, data }) => [channel, event, data]),
      [
        [null, 'gateway.open', '{"channels":["a","b"],"resumed":false}'],
        ['a', 'tick', '1\n2'],
        ['b', 'gateway.gap', '{"channel":"b","reason":"trimmed","after":null,"lost":1}'],
        ['b', 'tick', ''],
      ],
    );
  });

  test('follows several channels of a gateway, from the start of what is kept to their ends', async (t) => {
    const gateway = await startGateway(t);
    await gateway.publish('a', 'one');
    await gateway.publish('b', 'two', '?event=tick');
    const child = runCommand(t, ['tail', 'a', 'b', '--since', 'start', '--json', '--url', gateway.url], gateway);
    await child.lines(2);
    await gateway.publish('a', 'three', '?end=true');
    await gateway.publish('b', '', '?end=true');
    assert.equal((await child.ends()).code, 0, child.stderr);
    assert.deepEqual(
      child.stdout
        .trimEnd()
        .split('\n')
        .map(parseObject)
        .map(({ channel, event, data }) => [channel, event, data]),
      [
        ['a', 'message', 'one'],
        ['b', 'tick', 'two'],
        ['a', 'message', 'three'],
      ],
    );
    assert.match(child.stderr, /a has ended \(ended\)\n[\s\S]*b has ended \(ended\)\n/);
    assert.doesNotMatch(child.stderr, /not connected/);
  });

  test('ends with 0 where all channels had ended before', async (t) => {
    const gateway = await startGateway(t);
    for (const name of ['a', 'b']) await gateway.publish(name, 'last', '?end=true');
    const child = runCommand(t, ['tail', 'a', 'b', '--since', 'start', '--url', gateway.url], gateway);
    assert.equal((await child.ends()).code, 0, child.stderr);
    assert.equal(child.stdout, 'a\tlast\nb\tlast\n');
  });

  for (const [status, wanted] of [
    [400, 1],
    [401, 77],
    [403, 77],
    [404, 1],
  ] as const) {
    test(`answers ${status} with ${wanted} and the words of the gateway`, async (t) => {
      const { code, stdout, stderr } = await tail(t, (response) => problem(response, status, 'so it is'));
      assert.deepEqual([code, stdout], [wanted, '']);
      assert.match(stderr, /^error: so it is/);
    });
  }

  test('never prints a page as events', async (t) => {
    const { code, stdout, stderr } = await tail(t, (response) => {
      response.writeHead(200, { 'content-type': 'text/html' }).end('data: <p>\n\n');
    });
    assert.deepEqual([code, stdout], [1, '']);
    assert.match(stderr, /^error: the answer is text\/html[\s\S]*try: /);
  });

  test('answers an address where nobody listens with 1 and what to do', async (t) => {
    const child = runCommand(t, ['tail', 'news', '--url', `http://127.0.0.1:${await freePort()}`]);
    assert.equal((await child.ends()).code, 1);
    assert.match(child.stderr, /^error: no gateway listens on 127\.0\.0\.1:\d+\ntry: .*serve/);
  });

  test('stops after --timeout: with 0, or with 1 where --count was not reached', async (t) => {
    const answer: StubAnswer = (response) => stream(response, 'data: x\n\n');
    assert.equal((await tail(t, answer, ['--timeout', '5s'])).code, 0);
    const { code, stderr } = await tail(t, answer, ['--timeout', '5s', '--count', '2']);
    assert.equal(code, 1);
    assert.match(stderr, /fewer than 2 events/);
  });

  test('ends with 1 where the gateway took the connection and had not answered before --timeout', async (t) => {
    const { code, stderr } = await tail(t, () => undefined, ['--timeout', '300ms']);
    assert.equal(code, 1);
    assert.match(stderr, /has not answered before --timeout/);
  });

  test('waits for a gateway that is away for a while, and Ctrl-C ends even that, with 130', async (t) => {
    const stub = await startStub(t, (response) => response.writeHead(503).end());
    const child = runCommand(t, ['tail', 'news', '--url', stub.url]);
    await child.printed('stderr', /not connected: .*503/);
    child.signal('SIGINT');
    assert.equal((await child.ends()).code, 130);
  });

  test('ends with 130 on Ctrl-C in the stream', async (t) => {
    const stub = await startStub(t, (response) => stream(response, 'data: x\n\n'));
    const child = runCommand(t, ['tail', 'news', '--url', stub.url]);
    await child.printed('stdout', /x/);
    child.signal('SIGINT');
    assert.equal((await child.ends()).code, 130);
  });

  test('ends quietly when its reader has left', async (t) => {
    const stub = await startStub(t, (response) => {
      stream(response);
      const timer = setInterval(() => response.write('data: x\n\n'), 5);
      response.on('close', () => clearInterval(timer));
    });
    const child = runCommand(t, ['tail', 'news', '--url', stub.url]);
    await child.printed('stdout', /x/);
    child.process.stdout?.destroy();
    assert.equal((await child.ends()).code, 0);
    assert.doesNotMatch(child.stderr, /error|EPIPE/);
  });

  test('says so when stdout is full', async (t) => {
    const stub = await startStub(t, (response) => stream(response, 'data: x\n\n'));
    const [node = '', ...args] = [process.execPath, new URL('../../bin/sse-gateway.ts', import.meta.url).pathname];
    const command = [node, ...args, 'tail', 'news', '--url', stub.url].map((word) => `'${word}'`).join(' ');
    const child = startChild(t, '/bin/sh', ['-c', `exec ${command} >/dev/full`]);
    assert.equal((await child.ends()).code, 1);
    assert.match(child.stderr, /error: cannot write to stdout: .*ENOSPC/);
  });

  test('reads on as slowly as its reader does, and loses nothing', async (t) => {
    const lines = Array.from({ length: 20_000 }, (_, index) => `${index} ${'x'.repeat(100)}`);
    const answer: StubAnswer = (response) => {
      stream(response, lines.map((line) => `data: ${line}\n\n`).join(''));
    };
    const { code, stdout } = await tail(t, answer, ['-n', '20000']);
    assert.equal(code, 0);
    assert.equal(stdout, `${lines.join('\n')}\n`);
  });
});

async function tail(t: TestContext, answer: StubAnswer, args: readonly string[] = [], options: CommandOptions = {}) {
  const stub = await startStub(t, answer);
  const child = runCommand(t, ['tail', 'news', '--url', stub.url, ...args], options);
  const { code } = await child.ends();
  return { code, stdout: child.stdout, stderr: child.stderr, stub };
}
