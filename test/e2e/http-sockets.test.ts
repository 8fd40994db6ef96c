/** Peers who bend HTTP itself: pipelines, bodies where none belong, half requests, other versions. */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { heard } from '../support/heard.ts';
import { suiteOwner } from '../support/owner.ts';
import { connectPeer } from '../support/peer.ts';
import { assertRawProblem } from '../support/problem.ts';
import { channelsHeard, startRedis } from '../support/redis.ts';
import { waitFor } from '../support/wait.ts';

/** Headers have 10 s and are looked at every 2 s; the rest is for a busy machine. */
const HEADERS_MS = 40_000;

/** Bodies have 15 s. */
const BODY_MS = 45_000;

const PIPELINED = 20_000;

describe('sockets', { concurrency: true }, () => {
  const owner = suiteOwner();
  let gateway: Gateway;
  let host: string;
  before(async () => {
    gateway = await startGateway(owner);
    host = `Host: 127.0.0.1:${gateway.port}`;
  });

  test('HTTP/1.0 gets the stream without chunks', async (t) => {
    const stream = gateway.stream(t, '/events/plain', { version: '1.0' });
    const { status, headers } = await stream.responded();
    assert.deepEqual([status, headers.get('transfer-encoding')], [200, undefined]);
    await stream.opened();
    const id = await gateway.publish('plain', 'a\nb');
    assert.deepEqual(await stream.next(), { type: 'message', data: 'a\nb', id });
    const again = gateway.stream(t, '/events/plain', { version: '1.0', lastEventId: stream.events[0]?.id });
    await again.opened();
    assert.equal((await again.next()).data, 'a\nb');
  });

  test('both versions on one channel see the same events', async (t) => {
    const [old, young] = [gateway.stream(t, '/events/mix', { version: '1.0' }), gateway.stream(t, '/events/mix')];
    await Promise.all([old.opened(), young.opened()]);
    for (let index = 0; index < 100; index += 1) await gateway.publish('mix', `${index}`);
    assert.deepEqual(await old.take(100), await young.take(100));
  });

  test('a publish and a stream in one write are answered in order', async (t) => {
    const peer = connectPeer(t, gateway.port);
    peer.write(
      'POST /events/pipe HTTP/1.1',
      host,
      'Content-Length: 3',
      '',
      'oneGET /events/pipe HTTP/1.1',
      host,
      '',
      '',
    );
    const first = await peer.response(0);
    assert.equal(first.head.status, 200);
    assert.match(first.body, /"channel":"pipe"/);
    assert.match((await peer.head(1)).headers.get('content-type') ?? '', /^text\/event-stream/);
    await peer.body(1, 'event: gateway.open');
    await gateway.publish('pipe', 'two');
    await peer.body(1, 'data: two');
    assert.equal(peer.responses.length, 2);
  });

  test('several publishes, then a stream: all are answered, then it streams', async (t) => {
    const peer = connectPeer(t, gateway.port);
    const publish = ['POST /events/series HTTP/1.1', host, 'Content-Length: 1', '', 'x'].join('\r\n');
    peer.write(`${publish.repeat(20)}GET /events/series HTTP/1.1`, host, '', '');
    for (let index = 0; index < 20; index += 1) assert.equal((await peer.response(index)).head.status, 200);
    await peer.body(20, 'event: gateway.open');
  });

  test('a request after the stream began destroys the connection', async (t) => {
    const stream = gateway.stream(t, '/events/second');
    await stream.opened();
    stream.write(`GET /events/second HTTP/1.1\r\n${host}\r\n\r\n`);
    assert.equal(await stream.ended(), 'cut');
  });

  test('what follows a stream in a pipeline is never done', async (t) => {
    const witness = gateway.stream(t, '/events/after');
    await witness.opened();
    const peer = connectPeer(t, gateway.port);
    peer.write(
      'GET /events/after HTTP/1.1',
      host,
      '',
      'POST /events/after HTTP/1.1',
      host,
      'Content-Length: 3',
      '',
      'bad',
    );
    await peer.gone();
    await gateway.publish('after', 'good');
    assert.equal((await witness.next()).data, 'good');
  });

  test(`${PIPELINED} pipelined streams on one socket are one subscription at most, and the socket goes`, async (t) => {
    const redis = await startRedis(t);
    const target = await startGateway(t, { args: ['--redis', redis.url] });
    const client = redis.client();
    const peer = connectPeer(t, target.port);
    const requests = Array.from(
      { length: PIPELINED },
      (_, index) => `GET /events/p${index} HTTP/1.1\r\nHost: 127.0.0.1:${target.port}\r\n\r\n`,
    );
    peer.write(requests.join(''));
    await peer.gone();
    assert.ok((await channelsHeard(client)).length <= 1, `${(await channelsHeard(client)).length} subscriptions`);
    await heard(t, target, '/events/other');
    assert.ok((await channelsHeard(client)).length <= 2);
    assert.ok(peer.responses.length <= 1);
  });

  test('a GET with a body is refused before the 200', async (t) => {
    for (const field of ['Content-Length: 5', 'Transfer-Encoding: chunked']) {
      const peer = connectPeer(t, gateway.port);
      peer.request('GET /events/body HTTP/1.1', host, field);
      assertRawProblem(await peer.response(), 400);
    }
    const none = connectPeer(t, gateway.port);
    none.request('GET /events/body HTTP/1.1', host, 'Content-Length: 0');
    assert.equal((await none.head()).status, 200);
  });

  test('an Upgrade that a client asks for is not made', async (t) => {
    const peer = connectPeer(t, gateway.port);
    peer.request('GET /events/ws HTTP/1.1', host, 'Connection: Upgrade', 'Upgrade: websocket');
    assert.notEqual((await peer.head()).status, 101);
    const health = connectPeer(t, gateway.port);
    health.request('GET /healthz HTTP/1.1', host, 'Connection: Upgrade', 'Upgrade: h2c');
    assert.equal((await health.response()).head.status, 200);
  });

  test('malformed requests are 400 and the connection ends', async (t) => {
    const requests = [
      ['GET /events/x HTTP/1.1'],
      ['GET /events/x HTTP/1.1', host, host],
      ['GET /events/x HTTP/1.1', host, 'X: a\0b'],
      ['GET /events/x HTTP/1.1', host, 'X : spaced'],
      ['POST /events/x HTTP/1.1', host, 'Content-Length: 1', 'Content-Length: 2'],
      ['POST /events/x HTTP/1.1', host, 'Content-Length: +5'],
      ['POST /events/x HTTP/1.1', host, 'Content-Length: 5', 'Transfer-Encoding: chunked'],
      ['POST /events/x HTTP/1.1', host, 'Transfer-Encoding: xchunked'],
      ['GET /events/x HTTP/9.9', host],
      ['nonsense'],
    ];
    for (const lines of requests) {
      const peer = connectPeer(t, gateway.port);
      peer.request(lines[0] ?? '', ...lines.slice(1));
      const { head } = await peer.response();
      assert.ok([400, 501, 505].includes(head.status), `${JSON.stringify(lines)} answered ${head.status}`);
      await peer.gone();
    }
  });

  test('a head beyond 16 KiB is 431', async (t) => {
    const peer = connectPeer(t, gateway.port);
    peer.request('GET /events/x HTTP/1.1', host, `X: ${'a'.repeat(20_000)}`);
    assert.equal((await peer.response()).head.status, 431);
    await peer.gone();
  });

  test('a head that dribbles in is cut off in time, and so is a peer that says nothing', async (t) => {
    const dribbler = connectPeer(t, gateway.port);
    dribbler.write('GET /events/x HTTP/1.1\r\n');
    const timer = setInterval(() => dribbler.write('x'), 1_000);
    t.after(() => clearInterval(timer));
    const mute = connectPeer(t, gateway.port);
    await Promise.all([dribbler.gone(HEADERS_MS), mute.gone(HEADERS_MS)]);
  });

  test('a publish whose body never comes is cut off in time', async (t) => {
    const peer = connectPeer(t, gateway.port);
    peer.write('POST /events/x HTTP/1.1', host, 'Content-Length: 10', '', 'half');
    await peer.gone(BODY_MS);
  });

  test('a client that ends its sending side has left', async (t) => {
    const stream = gateway.stream(t, '/events/half');
    await stream.opened();
    stream.halfClose();
    await stream.ended();
  });

  test('resets in the middle of requests and streams leave nothing behind', async (t) => {
    const target = await startGateway(t);
    await target.readiness();
    const idle = await target.connections();
    const request = `GET /events/x HTTP/1.1\r\nHost: 127.0.0.1:${target.port}\r\n\r\n`;
    const peers = Array.from({ length: 200 }, async (_, index) => {
      const peer = connectPeer(t, target.port);
      const part = request.slice(0, 5 + index);
      await peer.flushed(part);
      if (part.length === request.length) await peer.head();
      peer.destroy();
    });
    await Promise.all(peers);
    await waitFor('every socket closed', async () => (await target.connections()) <= idle);
    assert.equal((await target.get('/healthz')).status, 200);
  });
});
