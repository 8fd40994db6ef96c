/** The streams of a load: what becomes of those that a server does not open as it should. */
import assert from 'node:assert/strict';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, test } from 'node:test';
import { systemClock } from '../../src/clock.ts';
import { payload } from '../../src/load/payload.ts';
import { Scanner } from '../../src/load/scanner.ts';
import { Streams } from '../../src/load/streams.ts';
import { localTarget } from '../../src/load/target.ts';
import type { Owner } from '../support/owner.ts';
import { freePort } from '../support/scratch.ts';
import { Watch } from '../support/wait.ts';

const OPEN = 'event: gateway.open\ndata: {}\nid: a-1\n\n';

describe('the streams of a load', () => {
  test('are open when the gateway has said so, and have what comes with that', async (t) => {
    const { streams, found } = await opening(t, 3, (response) => {
      response.write('event: gate');
      response.write(`way.open\ndata: {}\nid: a-1\n\ndata: ${payload(7, 1, 64)}\n\n`);
    });
    await streams.open();
    assert.deepEqual([streams.opened, streams.failed, streams.isOpen(2)], [3, 0, true]);
    await found.until(
      () => `three payloads; there were ${numbers.length}`,
      () => numbers.length === 3,
    );
    assert.deepEqual(numbers.splice(0), [7, 7, 7]);
  });

  test('fail with the status, with what was said instead, or with the end of it', async (t) => {
    const { streams } = await opening(t, 4, (response, at) => {
      if (at === 0) response.writeHead(503).end();
      else if (at === 1) response.end('retry: 2000\n\n');
      else if (at === 2) response.write('event: gateway.open\ndata: {"pending":["a"]}\n\n');
      else response.socket?.destroy();
    });
    await streams.open();
    assert.deepEqual([streams.opened, streams.failed, streams.closed], [0, 4, 0]);
    assert.deepEqual([...streams.problems.keys()].sort(), [
      'HTTP 503',
      'answered and closed before it was open: the gateway is full, or stopping',
      'not confirmed',
      'the connection was closed',
    ]);
  });

  test('that end after they were open are closed early, until nobody wants them any more', async (t) => {
    const responses: ServerResponse[] = [];
    const { streams, found } = await opening(t, 2, (response) => {
      response.write(OPEN);
      responses.push(response);
    });
    await streams.open();
    responses[0]?.end();
    const poll = setInterval(() => found.changed(), 10);
    t.after(() => clearInterval(poll));
    await found.until(
      () => `a closed stream; ${streams.closed} are`,
      () => streams.closed === 1,
    );
    streams.close();
    assert.deepEqual([streams.closed, streams.failed], [1, 0]);
  });

  test('stop opening where they are closed meanwhile', async (t) => {
    const { streams } = await opening(t, 200, (response) => {
      response.flushHeaders();
      streams.close();
    });
    await streams.open();
    assert.deepEqual([streams.opened, streams.failed], [0, 0]);
  });

  test('fail at once where nobody listens', async (t) => {
    const streams = made(t, await freePort(), 2, new Watch());
    await streams.open();
    assert.deepEqual([...streams.problems], [['nobody listens there', 2]]);
  });
});

/** What the scanners have found. */
const numbers: number[] = [];

async function opening(owner: Owner, count: number, answer: (response: ServerResponse, at: number) => void) {
  let at = 0;
  const server = createServer((_, response) => {
    response.setHeader('connection', 'close');
    answer(response, at);
    at += 1;
  });
  owner.after(() => {
    server.closeAllConnections();
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const found = new Watch();
  return { streams: made(owner, (server.address() as AddressInfo).port, count, found), found };
}

function made(owner: Owner, port: number, count: number, found: Watch): Streams {
  const streams = new Streams({
    count,
    target: localTarget(port),
    request: () => 'GET / HTTP/1.1\r\nHost: gateway\r\n\r\n',
    opened: /event: gateway\.open\n[\s\S]*\n\n/,
    unfit: { pattern: /"pending":/, problem: 'not confirmed' },
    scanner: () => new Scanner(64, (number) => numbers.push(number)),
    before: () => undefined,
    after: () => found.changed(),
    wholeChunks: false,
    clock: systemClock,
  });
  owner.after(() => streams.close());
  return streams;
}
