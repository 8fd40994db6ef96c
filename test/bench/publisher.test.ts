/** The publishing connections of the bench: what was refused is counted, and nothing else. */
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import { describe, test } from 'node:test';
import { linesOf } from '../../bench/generator/lines.ts';
import { addCommand, openPublishers, RedisPublishers } from '../../bench/generator/publisher.ts';
import type { Load, Spec } from '../../bench/generator/spec.ts';
import { waitFor } from '../support/wait.ts';

const LOAD: Load = {
  kind: 'flow',
  streams: 1,
  channels: 1,
  publishers: 1,
  via: 'http',
  size: 128,
  warmUp: { seconds: 0, window: 1 },
  measured: { seconds: 0, window: 1 },
};

describe('publishing to Redis', () => {
  test('an answer that is an error counts as refused, an id with a dash does not, wherever it is cut', async (t) => {
    const answers = ['$15\r\n1763630000000', '-0\r\n', ':3\r\n', '-ERR no\r\n$3\r\n1-1\r\n'];
    const server = createTcpServer((socket) => {
      socket.setNoDelay(true).on('error', () => undefined);
      socket.on('data', () => socket.write(answers.shift() ?? ''));
    });
    const port = await listen(server);
    const publishers = new RedisPublishers(port, 1, (_, text) => text);
    t.after(() => {
      publishers.close();
      server.close();
    });
    for (const answered of [1, 1, 2, 3]) {
      const before = answers.length;
      publishers.send(0, 'x', () => undefined);
      publishers.flush();
      await waitFor('the next answer', () => answers.length < before && publishers.answered >= answered);
    }
    await waitFor('the refusal', () => publishers.refused === 1);
    assert.equal(publishers.answered, 3);
  });

  test('an entry is one command', () => {
    assert.equal(
      addCommand('bench:0', 'abc'),
      '*5\r\n$4\r\nXADD\r\n$7\r\nbench:0\r\n$1\r\n*\r\n$4\r\ndata\r\n$3\r\nabc\r\n',
    );
  });
});

describe('publishing over HTTP', () => {
  test('goes on over a new connection where the server closes it after each answer', async (t) => {
    const bodies: string[] = [];
    const server = createServer((request, response) => {
      request.setEncoding('utf8').on('data', (text: string) => bodies.push(text));
      response.setHeader('Connection', 'close').end('ok');
    });
    const port = await listen(server);
    const dialect = { subscribe: { path: '', opened: '' }, publish: { path: '/p/{channel}', before: '<', after: '>' } };
    const spec: Spec = { load: LOAD, port, pids: [], dialect, cpus: [] };
    const publishers = openPublishers(spec, linesOf(LOAD));
    t.after(() => {
      publishers.close();
      server.close();
    });
    for (const text of ['1', '2', '3']) await new Promise<void>((free) => publishers.send(0, text, free));
    assert.deepEqual(bodies, ['<1>', '<2>', '<3>']);
    assert.equal(publishers.refused, 0);
  });
});

function listen(server: Server | ReturnType<typeof createTcpServer>): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
}
