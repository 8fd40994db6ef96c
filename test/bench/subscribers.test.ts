/** The subscribers of the bench: those that a server drops before it has come to rest are opened again. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { describe, test } from 'node:test';
import type { Dialect } from '../../bench/generator/dialect.ts';
import { Subscribers } from '../../bench/generator/subscribers.ts';
import { Scanner } from '../../src/load/scanner.ts';
import type { Owner } from '../support/owner.ts';

const DIALECT: Dialect = { subscribe: { path: '/{channel}', opened: '' }, publish: { path: '/' } };

describe('the subscribers', () => {
  test('open again what was refused or closed where the server needs time', async (t) => {
    const server = await startServer(t, (request) => (request === 1 ? 502 : request === 2 ? 'closed' : 200));
    const streams = subscribers(server.port, { ...DIALECT.subscribe, settle: 100, atOnce: 1 });
    await streams.open();
    assert.equal(streams.closed, 0);
    assert.deepEqual(server.paths, ['/c0', '/c1', '/c2', '/c0', '/c1']);
    streams.close();
  });

  test('say why a stream was not opened where the server has no such excuse', async (t) => {
    const server = await startServer(t, (request) => (request === 2 ? 502 : 200));
    const streams = subscribers(server.port, DIALECT.subscribe);
    await assert.rejects(streams.open(), /not opened: 1 \(HTTP 502\)/);
    streams.close();
  });

  test('are opened as few at a time as the server can take', async (t) => {
    const server = await startServer(t, () => 200);
    const streams = subscribers(server.port, { ...DIALECT.subscribe, atOnce: 1 });
    await streams.open();
    assert.equal(server.mostAtOnce(), 1);
    streams.close();
  });
});

function subscribers(port: number, subscribe: Dialect['subscribe']): Subscribers {
  return new Subscribers({
    count: 3,
    port,
    dialect: { ...DIALECT, subscribe },
    channelsOf: (stream) => [`c${stream}`],
    scanner: () => new Scanner(128, () => undefined),
    before: () => undefined,
    after: () => undefined,
  });
}

/** Answers each request, counted from 1, with a status, or with a stream that is closed soon. */
async function startServer(owner: Owner, answer: (request: number) => number | 'closed') {
  const paths: string[] = [];
  let [waiting, most] = [0, 0];
  const server = createServer((request, response) => {
    const how = answer(paths.push(request.url ?? ''));
    waiting += 1;
    most = Math.max(most, waiting);
    // In the next turn, so that others would have come by then.
    setImmediate(() => {
      waiting -= 1;
      response.writeHead(how === 'closed' ? 200 : how, { 'Content-Type': 'text/event-stream' });
      if (how === 200) response.flushHeaders();
      else if (how === 'closed') response.write(':\n\n', () => response.destroy());
      else response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  owner.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return { port, paths, mostAtOnce: () => most };
}
