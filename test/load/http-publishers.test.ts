/** Publishing a load over HTTP: one answer at a time on each connection, whatever the server answers or does. */
import assert from 'node:assert/strict';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, test } from 'node:test';
import { systemClock } from '../../src/clock.ts';
import { Account } from '../../src/load/account.ts';
import { HttpPublishers } from '../../src/load/http-publishers.ts';
import { localTarget } from '../../src/load/target.ts';
import type { Owner } from '../support/owner.ts';
import { freePort } from '../support/scratch.ts';

describe('publishing a load over HTTP', () => {
  test('two lines of one connection take turns, and each keeps its order', async (t) => {
    const paths: string[] = [];
    const port = await listen(t, (request, response) => {
      paths.push(request.url ?? '');
      response.end('{}');
    });
    const { account, sent } = publishing(t, port, 1);
    await Promise.all([sent(0), sent(1), sent(0).then(() => sent(1))]);
    assert.deepEqual(paths, ['/events/0', '/events/1', '/events/0', '/events/1']);
    assert.equal(account.acknowledged, 4);
  });

  test('what is refused is told with its reason and its line', async (t) => {
    const port = await listen(t, (_, response) => {
      response.writeHead(429, { 'content-type': 'application/problem+json' });
      response.end('{"title":"Too Many Requests","detail":"100 a second are allowed"}');
    });
    const { account, sent } = publishing(t, port, 2);
    await sent(1);
    assert.deepEqual([account.refused, account.refusedOn(0), account.refusedOn(1)], [1, 0, 1]);
    assert.equal(account.problem, 'HTTP 429: 100 a second are allowed');
  });

  test('an answer in chunks, and one that ends the connection, are answers', async (t) => {
    let requests = 0;
    const port = await listen(t, (_, response) => {
      requests += 1;
      if (requests === 2) response.setHeader('connection', 'close');
      response.write('{"channel":');
      response.end('"prices"}');
    });
    const { account, sent } = publishing(t, port, 1);
    for (let at = 0; at < 4; at++) await sent(0);
    assert.deepEqual([account.acknowledged, account.problem], [4, undefined]);
  });

  test('an answer that is lost leaves its outcome open, and the next message goes on a new connection', async (t) => {
    let requests = 0;
    const port = await listen(t, (request, response) => {
      requests += 1;
      if (requests === 1) request.socket.destroy();
      else if (requests === 2) response.writeHead(504).end();
      else response.end('{}');
    });
    const { account, sent } = publishing(t, port, 1);
    for (let at = 0; at < 3; at++) await sent(0);
    assert.deepEqual([account.acknowledged, account.unanswered, account.refused], [1, 2, 0]);
  });

  test('where nobody listens nothing was published', async (t) => {
    const { account, sent } = publishing(t, await freePort(), 1);
    await sent(0);
    assert.deepEqual([account.unanswered, account.refused], [0, 1]);
  });
});

function publishing(owner: Owner, port: number, connections: number) {
  const account = new Account();
  const path = (line: number): string => `/events/${line}`;
  const publishers = new HttpPublishers({ target: localTarget(port), connections, path, account, clock: systemClock });
  const alive = setInterval(() => undefined, 1000);
  owner.after(() => {
    clearInterval(alive);
    publishers.close();
  });
  const sent = (line: number): Promise<void> => new Promise((resolve) => publishers.send(line, '{}', resolve));
  return { account, sent };
}

async function listen(owner: Owner, answer: RequestListener): Promise<number> {
  const server = createServer(answer);
  owner.after(() => {
    server.closeAllConnections();
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}
