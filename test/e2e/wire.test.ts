/** What is on the wire, byte by byte: the greeting, events, heartbeats and the end. */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { openData } from '../support/gateway-events.ts';
import { heard } from '../support/heard.ts';
import { suiteOwner } from '../support/owner.ts';
import { connectPeer } from '../support/peer.ts';
import { startRedis } from '../support/redis.ts';
import type { RespClient } from '../support/resp.ts';
import type { ReceivedEvent } from '../support/sse-reader.ts';

/** Line ends, every kind, and what only looks like one. */
const PAYLOADS: readonly (readonly [sent: string, received: string])[] = [
  ['plain', 'plain'],
  ['', ''],
  [' leading', ' leading'],
  [':colon', ':colon'],
  ['a\nb', 'a\nb'],
  ['a\r\nb', 'a\nb'],
  ['a\rb', 'a\nb'],
  ['a\n\nb', 'a\n\nb'],
  ['a\r\r\nb', 'a\n\nb'],
  ['\n', '\n'],
  ['\r\n\r\n', '\n\n'],
  ['end\n', 'end\n'],
  ['a\u2028b\u2029c\u0085d', 'a\u2028b\u2029c\u0085d'],
  ['\ufeffmark', '\ufeffmark'],
  ['nul\0nul', 'nul\0nul'],
  ['🎈 grün', '🎈 grün'],
  ['data: x\nid: y\nevent: z', 'data: x\nid: y\nevent: z'],
  ['x'.repeat(200_000), 'x'.repeat(200_000)],
  ['\n'.repeat(10_000), '\n'.repeat(10_000)],
];

/** Bytes that are no UTF-8. */
const BROKEN_UTF8 = ['ff', '61ff62', 'c3', 'e28261', 'f09f8e', 'c0af', 'eda080', '80', 'f4908080', '61c30a62'];

describe('the wire', () => {
  const owner = suiteOwner();
  let gateway: Gateway;
  let redis: RespClient;
  before(async () => {
    const server = await startRedis(owner);
    redis = server.client();
    gateway = await startGateway(owner, { args: ['--redis', server.url] });
    await gateway.becomes(200);
  });

  test('the greeting is retry and a comment, and gateway.open follows with the cursor it starts from', async (t) => {
    const peer = connectPeer(t, gateway.port);
    peer.request('GET /events/greeting HTTP/1.1', `Host: 127.0.0.1:${gateway.port}`);
    const { body } = await peer.body(0, 'gateway.open\n');
    assert.match(body, /^retry: ?\d+\n:\n/);
    const stream = await heard(t, gateway, '/events?channel=greeting&channel=other');
    const open = await stream.opened();
    assert.deepEqual(openData(open), { channels: ['greeting', 'other'], resumed: false, pending: [] });
    assert.match(open.id ?? '', /^[A-Za-z][A-Za-z0-9]*-\d+$/);
  });

  test('retry is jittered about the configured value', async (t) => {
    const retries = await Promise.all(Array.from({ length: 20 }, () => gateway.stream(t, '/events/retry').greeted()));
    assert.ok(new Set(retries).size > 5, `all the same: ${retries}`);
    for (const retry of retries) assert.ok(retry >= 500 && retry <= 4_000, `${retry} ms`);
  });

  test('every payload arrives as the standard says', async (t) => {
    const stream = await heard(t, gateway, '/events/payloads');
    for (const [sent] of PAYLOADS) await redis.publish('payloads', sent);
    const received = await stream.take(PAYLOADS.length);
    for (const [index, [, wanted]] of PAYLOADS.entries()) assert.equal(received[index]?.data, wanted);
  });

  test('bytes that are no UTF-8 become U+FFFD as TextDecoder has it', async (t) => {
    const stream = await heard(t, gateway, '/events/broken');
    for (const hex of BROKEN_UTF8) {
      await redis.publish('broken', Buffer.from(hex, 'hex'));
      const wanted = new TextDecoder('utf-8', { ignoreBOM: true }).decode(Buffer.from(hex, 'hex'));
      assert.equal((await stream.next()).data, wanted, hex);
    }
  });

  test('an event is its data, then its id, then a blank line, in a chunk of its own', async (t) => {
    await heard(t, gateway, '/events/order');
    const peer = connectPeer(t, gateway.port);
    peer.request('GET /events/order HTTP/1.1', `Host: 127.0.0.1:${gateway.port}`);
    await peer.body(0, 'gateway.open\n');
    await redis.publish('order', 'a\nb');
    await redis.publish('order', 'next');
    const { body } = await peer.body(0, 'data: next\n');
    assert.match(body, /\n\ndata: a\ndata: b\nid: \S+\n\ndata: next\n/);
  });

  test('positions grow, and one is the cursor of any channel of the process', async (t) => {
    const one = await heard(t, gateway, '/events/numbers.a');
    const both = await heard(t, gateway, '/events?channel=numbers.a&channel=numbers.b');
    for (let index = 0; index < 10; index += 1) await redis.publish(index % 2 === 0 ? 'numbers.a' : 'numbers.b', 'x');
    const numbers = (await both.take(10)).map(numberOf);
    assert.deepEqual(
      numbers,
      [...numbers].sort((a, b) => a - b),
    );
    assert.equal(new Set(numbers).size, 10);
    assert.deepEqual(
      (await one.take(5)).map(numberOf),
      numbers.filter((_, index) => index % 2 === 0),
    );
  });

  test('channels of one connection arrive in the order in which Redis sent them', async (t) => {
    const names = ['mix.a', 'mix.b', 'mix.c', 'mix.d'];
    const stream = await heard(t, gateway, `/events?${names.map((name) => `channel=${name}`).join('&')}`);
    const commands = Array.from({ length: 2_000 }, (_, index) => ['PUBLISH', names[(index * 7) % 4] ?? '', `${index}`]);
    await redis.pipeline(commands);
    assert.deepEqual(
      (await stream.take(2_000)).map((event) => event.data),
      commands.map((command) => command[2]),
    );
  });

  test('?open=0 leaves gateway.open out', async (t) => {
    await heard(t, gateway, '/events/quiet');
    const stream = gateway.stream(t, '/events/quiet?open=0');
    await stream.greeted();
    await redis.publish('quiet', 'x');
    assert.equal((await stream.next()).data, 'x');
    const unknown = gateway.stream(t, '/events/quiet?open=0', { lastEventId: 'garbage' });
    const gap = await unknown.next();
    assert.equal(gap.type, 'gateway.gap');
    assert.ok(gap.id !== undefined, 'the last gap carries the id');
  });

  test('a text channel of Redis refuses a type and an id, and says what carries them', async () => {
    for (const query of ['?event=price', '?id=1']) {
      const response = await gateway.post('typed', 'x', query);
      assert.equal(response.status, 400);
      assert.match(await response.text(), /format: envelope/);
    }
  });

  test('an Idempotency-Key on a feed that cannot keep it is 400, not ignored', async () => {
    const response = await gateway.post('typed', 'x', '', { headers: { 'idempotency-key': 'order-1' } });
    assert.equal(response.status, 400, await response.text());
  });

  test('the largest event that is allowed arrives whole', async (t) => {
    const stream = await heard(t, gateway, '/events/large');
    const payload = 'ü'.repeat(2 ** 19);
    await redis.publish('large', payload);
    assert.equal((await stream.next()).data, payload);
    assert.equal((await gateway.post('large', payload)).status, 200);
    assert.equal((await stream.next()).data, payload);
  });

  test('publishing through Redis answers how many heard it, and comes back as an event', async (t) => {
    const stream = await heard(t, gateway, '/events/echo');
    const response = await gateway.post('echo', Buffer.from('g\u00fc\r\nn'));
    assert.deepEqual(await response.json(), { channel: 'echo', receivers: 1 });
    assert.equal((await stream.next()).data, 'gü\nn');
  });
});

function numberOf(event: ReceivedEvent): number {
  return Number(event.id?.split('-')[1]);
}
