/** What a client may ask to see differently, and the ids of publishers. */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { gapData, openData, parseObject } from '../support/gateway-events.ts';
import { heard } from '../support/heard.ts';
import { suiteOwner } from '../support/owner.ts';
import { connectPeer } from '../support/peer.ts';
import { startRedis } from '../support/redis.ts';

const CONFIG = `
allow: {subscribe: ["*"], publish: ["*"]}
channels:
  own.{n}: {memory: true, ids: publisher}
  few.{n}: {memory: true, ids: publisher, history: {events: 2}}
  "*": {memory: true}
`;

describe('views', () => {
  const owner = suiteOwner();
  let gateway: Gateway;
  before(async () => {
    gateway = await startGateway(owner, { config: CONFIG });
  });

  test('envelope=1 wraps the data of events, with the id of the publisher or null, and leaves types and ids', async (t) => {
    const [plain, wrapped] = ['', '?envelope=1'].map((query) => gateway.stream(t, `/events/wrapped${query}`));
    assert.ok(plain !== undefined && wrapped !== undefined);
    await Promise.all([plain.opened(), wrapped.opened()]);
    const data = 'a\nb "c" \u2028 prüf🎈';
    await gateway.publish('wrapped', data, '?event=price&id=one%20two');
    await gateway.publish('wrapped', '{"a":1}');
    await gateway.publish('wrapped', '');
    const wanted = [
      { channel: 'wrapped', event: 'price', id: 'one two', data },
      { channel: 'wrapped', event: 'message', id: null, data: '{"a":1}' },
      { channel: 'wrapped', event: 'message', id: null, data: '' },
    ];
    const [bare, seen] = [await plain.take(3), await wrapped.take(3)];
    assert.deepEqual(
      seen.map((event) => parseObject(event.data)),
      wanted,
    );
    const outside = (events: typeof seen) => events.map(({ type, id }) => [type, id]);
    assert.deepEqual(outside(seen), outside(bare));
  });

  test("the gateway's own events are never enveloped", async (t) => {
    const stream = gateway.stream(t, '/events/own-events?envelope=1', { lastEventId: 'garbage' });
    assert.deepEqual(openData(await stream.opened()).channels, ['own-events']);
    assert.deepEqual(
      stream.gapsBeforeOpen().map((gap) => gapData(gap).reason),
      ['unknown-position'],
    );
    await gateway.publish('own-events', '', '?end=true');
    assert.deepEqual(parseObject((await stream.next()).data), { channel: 'own-events', reason: 'ended' });
  });

  test('open=0 leaves gateway.open out, and nothing else', async (t) => {
    const id = await gateway.publish('quiet', '1');
    await gateway.publish('quiet', '2');
    const stream = gateway.stream(t, '/events/quiet?open=0', { lastEventId: id });
    assert.equal((await stream.next()).data, '2');
    await gateway.publish('quiet', '3');
    assert.equal((await stream.next()).data, '3');
    assert.equal(stream.events.length, 2);
  });

  test('with open=0 the last gap that was found when subscribing carries the cursor', async (t) => {
    const path = '/events?channel=gap.a&channel=gap.b&open=0';
    const stream = gateway.stream(t, path, { lastEventId: 'garbage' });
    const [first, last] = await stream.take(2);
    assert.deepEqual(
      [first, last].map((gap) => gap && gapData(gap).channel),
      ['gap.a', 'gap.b'],
    );
    assert.ok(first?.id === undefined && last?.id !== undefined);
    stream.cut();
    await gateway.publish('gap.a', 'a');
    await gateway.publish('gap.b', 'b');
    const again = gateway.stream(t, path, { lastEventId: last.id });
    assert.deepEqual(
      (await again.take(2)).map((event) => event.data),
      ['a', 'b'],
    );
  });

  test('envelope=0, open=1 and other parameters change nothing', async (t) => {
    const stream = gateway.stream(t, '/events/usual?envelope=0&open=1&_=17');
    await stream.opened();
    await gateway.publish('usual', 'x');
    assert.equal((await stream.next()).data, 'x');
  });
});

describe('ids: publisher', () => {
  const owner = suiteOwner();
  let gateway: Gateway;
  before(async () => {
    gateway = await startGateway(owner, { config: CONFIG });
  });

  test("puts the publisher's id into the stream, and the gateway's where there is none or it reads as a cursor", async (t) => {
    const stream = gateway.stream(t, '/events/own.ids');
    await stream.opened();
    const ids = [
      'order_1',
      '550e8400-e29b-41d4-a716-446655440000x',
      '',
      'order-1',
      ' a',
      'a ',
      'prüf',
      '1-0',
      '^1-0',
      '~x',
    ];
    for (const id of ids) {
      const cursor = await gateway.publish('own.ids', 'x', `?id=${encodeURIComponent(id)}`);
      const own = ids.indexOf(id) < 2;
      assert.equal((await stream.next()).id, own ? id : cursor, id);
    }
  });

  test('an id of any visible ASCII is sent as it is, and resumes', async (t) => {
    const visible = String.fromCharCode(...Array.from({ length: 94 }, (_, index) => index + 33));
    const host = `Host: 127.0.0.1:${gateway.port}`;
    const peer = connectPeer(t, gateway.port);
    peer.request('GET /events/own.raw HTTP/1.1', host);
    await peer.body(0, 'gateway.open');
    await gateway.publish('own.raw', 'one', `?id=${encodeURIComponent(visible)}`);
    await gateway.publish('own.raw', 'two');
    const { body } = await peer.body(0, 'two');
    assert.ok(body.split('\n').includes(`id: ${visible}`), body);
    const back = connectPeer(t, gateway.port);
    back.request('GET /events/own.raw HTTP/1.1', host, `Last-Event-ID: ${visible}`);
    const rest = (await back.body(0, 'two')).body;
    assert.ok(!rest.includes('gateway.gap') && !rest.includes('one'), rest);
  });

  test("an id with a blank in it is not visible ASCII: the gateway's stands in its place", async (t) => {
    const peer = connectPeer(t, gateway.port);
    peer.request('GET /events/own.blank HTTP/1.1', `Host: 127.0.0.1:${gateway.port}`);
    await peer.body(0, 'gateway.open');
    const id = await gateway.publish('own.blank', 'x', '?id=a%20b');
    const { body } = await peer.body(0, 'data: x\nid:');
    assert.ok(body.split('\n').includes(`id: ${id}`), body);
  });

  test('a client that follows several channels gets cursors of the gateway', async (t) => {
    const stream = gateway.stream(t, '/events?channel=own.several&channel=other');
    await stream.opened();
    const cursor = await gateway.publish('own.several', 'x', '?id=order_1');
    assert.equal((await stream.next()).id, cursor);
  });

  test('a client resumes behind any event, by either kind of id', async (t) => {
    const first = gateway.stream(t, '/events/own.resume');
    const open = await first.opened();
    const cursors: string[] = [];
    for (const [index, id] of ['a_1', '', 'a_3', 'a_4'].entries()) {
      cursors.push(await gateway.publish('own.resume', `${index}`, `?id=${id}`));
    }
    const seen = [open, ...(await first.take(4))];
    for (const [index, id] of [...seen.map((event) => event.id), open.id, ...cursors].entries()) {
      const stream = gateway.stream(t, '/events/own.resume', { lastEventId: id });
      assert.equal(openData(await stream.opened()).resumed, true, id);
      const rest = seen.slice((index % 5) + 1).map((event) => event.data);
      assert.deepEqual(
        (await stream.take(rest.length)).map((event) => event.data),
        rest,
        id,
      );
      stream.cut();
    }
  });

  test('an id that is not kept, or kept twice, is one gap and then the head', async (t) => {
    for (const id of ['once_1', 'twice_1', 'once_2', 'twice_1']) await gateway.publish('own.gaps', 'x', `?id=${id}`);
    for (const id of ['gone_1', 'kept_1', 'kept_2']) await gateway.publish('few.gaps', 'x', `?id=${id}`);
    for (const [name, id] of [
      ['own.gaps', 'never'],
      ['own.gaps', 'twice_1'],
      ['own.gaps', 'ONCE_1'],
      ['few.gaps', 'gone_1'],
    ] as const) {
      const stream = gateway.stream(t, `/events/${name}`, { lastEventId: id });
      assert.equal(openData(await stream.opened()).resumed, false, id);
      const [gap, ...more] = stream.gapsBeforeOpen();
      assert.ok(gap !== undefined && more.length === 0, id);
      assert.equal(gapData(gap).channel, name);
      await gateway.publish(name, `after ${id}`);
      assert.equal((await stream.next()).data, `after ${id}`);
      stream.cut();
    }
    const whole = gateway.stream(t, '/events/own.gaps', { lastEventId: 'once_2' });
    assert.equal(openData(await whole.opened()).resumed, true);
  });

  test('works for envelopes from Redis', async (t) => {
    const redis = await startRedis(t);
    const config = `redis: ${redis.url}\nchannels: {news: {format: envelope, ids: publisher}}\n`;
    const piped = await startGateway(t, { config });
    const stream = await heard(t, piped, '/events/news');
    const client = redis.client();
    await client.publish('news', '{"data":"1","id":"n_1"}');
    await client.publish('news', '{"data":"2","id":"n_2"}');
    assert.deepEqual(
      (await stream.take(2)).map((event) => event.id),
      ['n_1', 'n_2'],
    );
    const again = piped.stream(t, '/events/news', { lastEventId: 'n_1' });
    assert.equal(openData(await again.opened()).resumed, true);
    assert.equal((await again.next()).data, '2');
  });
});
