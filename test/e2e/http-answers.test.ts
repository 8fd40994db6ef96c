/** Status codes, headers and refusals of the HTTP surface. */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { suiteOwner } from '../support/owner.ts';
import { connectPeer } from '../support/peer.ts';
import { assertProblem } from '../support/problem.ts';

/** A closed set of channels, so that there are names nobody configured. */
const CONFIG = `
allow: {subscribe: ["*"], publish: ["*"]}
limits: {channels_per_connection: 3}
channels:
  news: {memory: true}
  room.{n}: {memory: true}
`;

describe('HTTP answers', () => {
  const owner = suiteOwner();
  let gateway: Gateway;
  before(async () => {
    gateway = await startGateway(owner, { config: CONFIG });
  });

  test('a stream says what it is and keeps every proxy from storing or buffering it', async (t) => {
    const { status, version, headers } = await gateway.stream(t, '/events/news').responded();
    assert.deepEqual([status, version], [200, '1.1']);
    assert.match(headers.get('content-type') ?? '', /^text\/event-stream(; ?charset=utf-8)?$/i);
    assert.equal(headers.get('cache-control'), 'no-store, no-transform');
    assert.equal(headers.get('x-accel-buffering'), 'no');
    assert.equal(headers.get('transfer-encoding'), 'chunked');
    assert.equal(headers.get('content-encoding'), undefined);
  });

  test('caching, ranges and encodings that a client asks for change nothing', async (t) => {
    const stream = gateway.stream(t, '/events/news', {
      headers: { 'if-none-match': '*', range: 'bytes=0-', 'accept-encoding': 'gzip, br', 'cache-control': 'max-age=9' },
    });
    assert.equal((await stream.responded()).status, 200);
    await stream.opened();
  });

  test('HEAD has the head of a stream and ends', async (t) => {
    const peer = connectPeer(t, gateway.port, ['HEAD']);
    peer.request('HEAD /events/news HTTP/1.1', `Host: 127.0.0.1:${gateway.port}`);
    const { head, body } = await peer.response();
    assert.deepEqual([head.status, body], [200, '']);
    assert.match(head.headers.get('content-type') ?? '', /^text\/event-stream/);
    const unknown = connectPeer(t, gateway.port, ['HEAD']);
    unknown.request('HEAD /events/nobody HTTP/1.1', `Host: 127.0.0.1:${gateway.port}`);
    assert.equal((await unknown.response()).head.status, 404);
  });

  test('unknown paths and channels are 404', async () => {
    for (const path of ['/nothing', '/events/nobody', '/debug', '/.git', '/eventsource', '//events/news']) {
      await assertProblem(await gateway.get(path), 404);
    }
    await assertProblem(await gateway.post('nobody', 'x'), 404);
  });

  test('one unknown channel among several refuses them all and is named', async () => {
    const text = await assertProblem(await gateway.get('/events?channel=news&channel=nobody'), 404);
    assert.match(text, /nobody/);
  });

  test('methods that a path has not are 405 and Allow names those it has', async () => {
    for (const method of ['PUT', 'PATCH']) {
      const response = await gateway.get('/events/news', { method });
      assert.match(response.headers.get('allow') ?? '', /GET.*POST|POST.*GET/);
      await assertProblem(response, 405);
    }
    for (const method of ['POST', 'DELETE']) await assertProblem(await gateway.get('/healthz', { method }), 405);
  });

  test('methods that are none are refused and the connection ends', async (t) => {
    for (const line of ['FOO /events/news HTTP/1.1', 'get /events/news HTTP/1.1', 'CONNECT 127.0.0.1:80 HTTP/1.1']) {
      const peer = connectPeer(t, gateway.port);
      peer.request(line, `Host: 127.0.0.1:${gateway.port}`, 'Connection: close');
      await peer.gone();
      const status = peer.responses[0]?.head.status ?? 400;
      assert.ok(status >= 400 && status < 500, `${line} answered ${status}`);
    }
  });

  test('Accept that takes an event stream opens one', async (t) => {
    for (const accept of ['text/event-stream', '*/*', 'text/*', 'text/html, */*;q=0.1', 'TEXT/Event-Stream;q=0.5']) {
      const stream = gateway.stream(t, '/events/news', { headers: { accept } });
      assert.equal((await stream.responded()).status, 200, accept);
    }
    const peer = connectPeer(t, gateway.port);
    peer.request('GET /events/news HTTP/1.1', `Host: 127.0.0.1:${gateway.port}`);
    assert.equal((await peer.head()).status, 200, 'no Accept at all');
  });

  test('Accept that excludes one is 406', async () => {
    for (const accept of ['application/json', 'text/html', '*/*;q=0', 'text/event-stream;q=0, */*', 'image/*']) {
      await assertProblem(await gateway.get('/events/news', { headers: { accept } }), 406);
    }
  });

  test('names with other characters, or too long, are 400', async () => {
    for (const name of ['a%20b', 'a*', 'a%3Fb', '%5B', 'a%0Ab', '%00', 'gr%C3%BCn', '%E2%80%AE', 'a%2Fb', '%', '%FF']) {
      await assertProblem(await gateway.get(`/events/${name}`), 400);
      await assertProblem(await gateway.post(name, 'x'), 400);
    }
    await assertProblem(await gateway.get(`/events/${'a'.repeat(256)}`), 400);
    await assertProblem(await gateway.get(`/events/${'a'.repeat(255)}`), 404);
  });

  test('an address may be written in other ways that mean the same', async (t) => {
    const host = `Host: 127.0.0.1:${gateway.port}`;
    const forms = ['/events/n%65ws', `http://127.0.0.1:${gateway.port}/events/news`, '/events?channel=n%65ws'];
    for (const target of forms) {
      const peer = connectPeer(t, gateway.port);
      peer.request(`GET ${target} HTTP/1.1`, host);
      assert.equal((await peer.head()).status, 200, target);
      await peer.body(0, '"channels":["news"]');
    }
  });

  test('a request without a channel, with an empty one or with too many is 400', async () => {
    await assertProblem(await gateway.get('/events'), 400);
    await assertProblem(await gateway.get('/events?channel='), 400);
    await assertProblem(await gateway.get('/events?channel=news&channel='), 400);
    const many = ['news', 'room.1', 'room.2', 'room.3'].map((name) => `channel=${name}`).join('&');
    assert.match(await assertProblem(await gateway.get(`/events?${many}`), 400), /channels_per_connection/);
  });

  test('hostile query strings are bounded and change nothing', async (t) => {
    const padding = Array.from({ length: 500 }, (_, index) => `x${index}=1`).join('&');
    const stream = gateway.stream(t, `/events/news?__proto__=x&constructor=y&${padding}`);
    await stream.opened();
    const long = await gateway.get(`/events/news?x=${'a'.repeat(100_000)}`);
    await long.text();
    assert.ok(long.status >= 400 && long.status < 500, `${long.status}`);
  });

  test('a channel limit that is reached is 503 for a publisher; a stream is told to come back', async (t) => {
    const small = await startGateway(t, {
      config: 'limits: {channels: 2}\nchannels: {"r.{n}": {memory: true}}\nallow: {subscribe: ["*"], publish: ["*"]}\n',
    });
    await small.publish('r.1', 'x');
    await small.publish('r.2', 'x');
    await assertProblem(await small.post('r.3', 'x'), 503);
    const stream = small.stream(t, '/events/r.4');
    assert.equal((await stream.responded()).status, 200);
    assert.equal(await stream.ended(), 'complete');
    assert.ok(stream.retry !== undefined && stream.retry > 0);
    assert.deepEqual(stream.events, []);
  });

  test('health is 200 and readiness tells the state of every source', async (t) => {
    assert.equal((await gateway.get('/healthz')).status, 200);
    assert.equal((await gateway.get('/healthz?x=1')).status, 200);
    assert.equal(await gateway.readiness(), 200);
    const two = await startGateway(t, {
      config: `sources: {up: {redis: "redis://127.0.0.1:1"}, down: {redis: "redis://127.0.0.1:2"}}\nchannels: {a: {source: up}, b: {source: down}}\n`,
    });
    const ready = await two.get('/readyz');
    const text = await ready.text();
    assert.equal(ready.status, 503);
    assert.match(text, /"?up"?[\s\S]*"?down"?/);
  });
});

describe('server.base_path', () => {
  test('moves every path of the gateway', async (t) => {
    const gateway = await startGateway(t, {
      config:
        'server: {base_path: /live}\nallow: {subscribe: ["*"], publish: ["*"]}\nchannels: {news: {memory: true}}\n',
    });
    const stream = gateway.stream(t, '/live/events/news');
    await stream.opened();
    const response = await gateway.get('/live/events/news', { method: 'POST', body: 'x' });
    assert.equal(response.status, 200, await response.text());
    assert.equal((await stream.next()).data, 'x');
    await assertProblem(await gateway.get('/events/news'), 404);
    await assertProblem(await gateway.get('/livestock/events/news'), 404);
  });
});
