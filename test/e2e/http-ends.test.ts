/** Channels that end: who is told, who is closed, and who need not come back. */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { openData, parseObject } from '../support/gateway-events.ts';
import { heard } from '../support/heard.ts';
import { suiteOwner } from '../support/owner.ts';
import { assertProblem } from '../support/problem.ts';
import { startRedis } from '../support/redis.ts';
import type { ReceivedEvent } from '../support/sse-reader.ts';

const ALLOW = 'allow: {subscribe: ["*"], publish: ["*"]}\n';

describe('a memory channel that ends', () => {
  const owner = suiteOwner();
  let gateway: Gateway;
  before(async () => {
    const config = `${ALLOW}channels: {"all.{n}": {memory: true, replay: all}, "*": {memory: true}}\n`;
    gateway = await startGateway(owner, { config });
  });

  test('by DELETE tells every client with the id that was answered, and closes it', async (t) => {
    const streams = [gateway.stream(t, '/events/deleted'), gateway.stream(t, '/events/deleted')];
    await Promise.all(streams.map((stream) => stream.opened()));
    const id = await endChannel(gateway, 'deleted');
    for (const stream of streams) {
      const end = await stream.next();
      assertEnd(end, 'deleted');
      assert.equal(end.id, id);
      assert.equal(await stream.ended(), 'complete');
    }
  });

  test('by ?end=true with a body sends the event first, without one the end alone', async (t) => {
    for (const [name, body] of [
      ['full', 'bye'],
      ['bare', ''],
    ] as const) {
      const stream = gateway.stream(t, `/events/${name}`);
      await stream.opened();
      await gateway.publish(name, body, '?end=true');
      if (body !== '') assert.equal((await stream.next()).data, body);
      assertEnd(await stream.next(), name);
      assert.equal(await stream.ended(), 'complete');
      const again = gateway.stream(t, `/events/${name}`, { lastEventId: stream.lastEventId });
      assert.equal((await again.responded()).status, 204);
    }
  });

  test('end=false is no end, and another word is a 400', async (t) => {
    const stream = gateway.stream(t, '/events/words');
    await stream.opened();
    await gateway.publish('words', '1', '?end=false');
    await assertProblem(await gateway.post('words', 'x', '?end=maybe'), 400);
    await gateway.publish('words', '2');
    assert.deepEqual(
      (await stream.take(2)).map((event) => event.data),
      ['1', '2'],
    );
  });

  test('closes a connection of several channels once all of them have ended', async (t) => {
    const stream = gateway.stream(t, '/events?channel=one&channel=two');
    await stream.opened();
    await endChannel(gateway, 'one');
    assertEnd(await stream.next(), 'one');
    await gateway.publish('two', 'still here');
    assert.equal((await stream.next()).data, 'still here');
    const half = gateway.stream(t, '/events?channel=one&channel=two', { lastEventId: stream.lastEventId });
    assert.equal(openData(await half.opened()).resumed, true);
    await endChannel(gateway, 'two');
    assertEnd(await stream.next(), 'two');
    assert.equal(await stream.ended(), 'complete');
    assertEnd(await half.until('the end of two', () => half.events.find((event) => isEndOf(event, 'two'))), 'two');
    assert.equal(await half.ended(), 'complete');
    const again = gateway.stream(t, '/events?channel=one&channel=two', { lastEventId: stream.lastEventId });
    assert.equal((await again.responded()).status, 204);
  });

  test('a channel that ends, opens again and ends within one connection of two leaves it open until the other has ended', async (t) => {
    const stream = gateway.stream(t, '/events?channel=twice&channel=other');
    await stream.opened();
    await endChannel(gateway, 'twice');
    await gateway.publish('twice', 'again');
    await endChannel(gateway, 'other');
    await gateway.publish('twice', 'open');
    const seen = await stream.take(4);
    assert.deepEqual(
      seen.map(({ type, data }) => (type === 'message' ? data : type)),
      ['gateway.end', 'again', 'gateway.end', 'open'],
    );
    await endChannel(gateway, 'twice');
    assertEnd(await stream.next(), 'twice');
    assert.equal(await stream.ended(), 'complete');
  });

  test('who comes back from before the end gets the rest and the end; from the end 204', async (t) => {
    const first = await gateway.publish('back', '1');
    await gateway.publish('back', '2');
    const end = await endChannel(gateway, 'back');
    const stream = gateway.stream(t, '/events/back', { lastEventId: first });
    await stream.opened();
    assert.equal((await stream.next()).data, '2');
    assertEnd(await stream.next(), 'back');
    assert.equal(await stream.ended(), 'complete');
    for (const path of [`/events/back?lastEventId=${end}`, `/events?channel=back&since=start&last_event_id=${end}`]) {
      const again = gateway.stream(t, path);
      assert.equal((await again.responded()).status, 204, path);
      assert.equal(await again.ended(), 'complete');
      assert.equal(again.text, '');
    }
    const head = await gateway.get('/events/back', { method: 'HEAD', headers: { 'last-event-id': end } });
    assert.equal(head.status, 204);
  });

  test('a later publish opens it again, for those who had its end too', async (t) => {
    await gateway.publish('reopened', '1');
    const end = await endChannel(gateway, 'reopened');
    await gateway.publish('reopened', '2');
    const stream = gateway.stream(t, '/events/reopened', { lastEventId: end });
    assert.equal(openData(await stream.opened()).resumed, true);
    await gateway.publish('reopened', '3');
    assert.deepEqual(
      (await stream.take(2)).map((event) => event.data),
      ['2', '3'],
    );
    assert.equal(stream.end, undefined);
  });

  test('a new client is answered 200, gets its replay and the end', async (t) => {
    for (const [name, replayed] of [
      ['fresh', []],
      ['all.fresh', ['1', '2']],
    ] as const) {
      await gateway.publish(name, '1');
      await gateway.publish(name, '2');
      await endChannel(gateway, name);
      const stream = gateway.stream(t, `/events/${name}`);
      await stream.opened();
      const events = await stream.take(replayed.length + 1);
      assert.deepEqual(
        events.slice(0, -1).map((event) => event.data),
        replayed,
      );
      for (const event of events.slice(-1)) assertEnd(event, name);
      assert.equal(await stream.ended(), 'complete');
      const again = gateway.stream(t, `/events/${name}`, { lastEventId: stream.lastEventId });
      assert.equal((await again.responded()).status, 204);
    }
  });

  test('who is cut between the last event and the end does not see the event again', async (t) => {
    const stream = gateway.stream(t, '/events/between');
    await stream.opened();
    await gateway.publish('between', 'bye', '?end=true');
    const { id } = await stream.next();
    const again = gateway.stream(t, '/events/between', { lastEventId: id });
    assert.equal(await again.ended(), 'complete');
    assert.ok(again.events.every((event) => event.type.startsWith('gateway.')));
  });

  test('of several that end while they are replayed every id that was seen resumes with the rest', async (t) => {
    for (let index = 0; index < 8; index += 1) await gateway.publish(index % 3 === 0 ? 'all.p' : 'all.q', `${index}`);
    await endChannel(gateway, 'all.q');
    await gateway.publish('all.p', '8');
    await endChannel(gateway, 'all.p');
    const path = '/events?channel=all.q&channel=all.p';
    const whole = gateway.stream(t, path);
    assert.equal(await whole.ended(), 'complete');
    assert.equal(whole.events.length, 1 + 9 + 2);
    for (const [index, { id }] of whole.events.entries()) {
      const stream = gateway.stream(t, path, { lastEventId: id });
      assert.equal(await stream.ended(), 'complete');
      const isLast = index === whole.events.length - 1;
      assert.equal(stream.head?.status, isLast ? 204 : 200);
      const published = (events: readonly ReceivedEvent[]) => events.filter((event) => event.type === 'message');
      const data = (events: readonly ReceivedEvent[]) => published(events).map((event) => event.data);
      assert.deepEqual(data(stream.events).sort(), data(whole.events.slice(index + 1)).sort(), `behind ${id}`);
      if (!isLast) assert.equal(stream.lastEventId, whole.lastEventId);
    }
  });

  test('a cursor of another process on an ended channel is a gap and the end, not 204', async (t) => {
    await gateway.publish('foreign', '1');
    await endChannel(gateway, 'foreign');
    const stream = gateway.stream(t, '/events/foreign', { lastEventId: 'zzzzzzzz-1' });
    assert.equal((await stream.responded()).status, 200);
    assert.equal(await stream.ended(), 'complete');
    assert.deepEqual(
      stream.events.map((event) => event.type),
      ['gateway.gap', 'gateway.open', 'gateway.end'],
    );
    const again = gateway.stream(t, '/events/foreign', { lastEventId: stream.lastEventId });
    assert.equal((await again.responded()).status, 204);
  });
});

describe('a Redis channel that ends', () => {
  test('closes who is connected; newcomers and those who come back are served', async (t) => {
    const redis = await startRedis(t);
    const config = `redis: ${redis.url}\n${ALLOW}channels: {news: {format: envelope}, plain: {}}\n`;
    const gateway = await startGateway(t, { config });
    const client = redis.client();
    await gateway.becomes(200);
    const ends = [
      async () => void (await client.publish('news', '{"data":"bye","end":true}')),
      async () => void (await gateway.post('news', 'bye', '?end=true')),
      async () => void (await client.publish('news', '{"data":"bye","end":"1"}')),
    ];
    for (const end of ends) {
      const connected = await heard(t, gateway, '/events/news');
      await end();
      assert.equal((await connected.next()).data, 'bye');
      assertEnd(await connected.next(), 'news');
      assert.equal(await connected.ended(), 'complete');
      const newcomer = gateway.stream(t, '/events/news');
      const back = gateway.stream(t, '/events/news', { lastEventId: connected.lastEventId });
      assert.equal(openData(await back.opened()).resumed, true);
      await newcomer.opened();
      await client.publish('news', '{"data":"on"}');
      for (const stream of [newcomer, back]) assert.equal((await stream.next()).data, 'on');
      for (const stream of [newcomer, back]) stream.cut();
    }
    const last = gateway.stream(t, '/events/news');
    await last.opened();
    const response = await gateway.get('/events/news', { method: 'DELETE' });
    assert.deepEqual(parseObject(await response.text()), { channel: 'news', receivers: 1 });
    assertEnd(await last.next(), 'news');
    assert.match(await assertProblem(await gateway.get('/events/plain', { method: 'DELETE' }), 400), /envelope/);
  });
});

test('a client that was away when a Redis channel ended gets the end once, and is served when it comes back', async (t) => {
  const redis = await startRedis(t);
  const config = `redis: ${redis.url}\n${ALLOW}channels: {news: {format: envelope}}\n`;
  const gateway = await startGateway(t, { config });
  const client = redis.client();
  const witness = await heard(t, gateway, '/events/news');
  const { lastEventId } = witness;
  await client.publish('news', '{"data":"bye","end":true}');
  assert.equal(await witness.ended(), 'complete');
  const away = gateway.stream(t, '/events/news', { lastEventId });
  await away.opened();
  assert.equal((await away.next()).data, 'bye');
  assertEnd(await away.next(), 'news');
  away.cut();
  const back = gateway.stream(t, '/events/news', { lastEventId: away.lastEventId });
  assert.equal(openData(await back.opened()).resumed, true);
  await client.publish('news', '{"data":"on"}');
  assert.equal((await back.next()).data, 'on');
});

/** Ends a memory channel and tells the id of the end. */
async function endChannel(gateway: Gateway, name: string): Promise<string> {
  const response = await gateway.get(`/events/${name}`, { method: 'DELETE' });
  const text = await response.text();
  assert.equal(response.status, 200, text);
  const { channel, id, ...more } = parseObject(text);
  assert.deepEqual([channel, more], [name, {}]);
  return String(id);
}

function isEndOf(event: ReceivedEvent, channel: string): boolean {
  return event.type === 'gateway.end' && parseObject(event.data)['channel'] === channel;
}

function assertEnd(event: ReceivedEvent, channel: string): void {
  assert.equal(event.type, 'gateway.end', JSON.stringify(event));
  assert.deepEqual(parseObject(event.data), { channel, reason: 'ended' });
}
