/** `POST /events/{channel}`: bodies, types, ids and limits. */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { suiteOwner } from '../support/owner.ts';
import { connectPeer } from '../support/peer.ts';
import { assertProblem, assertRawProblem } from '../support/problem.ts';
import { waitFor } from '../support/wait.ts';

const CONFIG = `
allow: {subscribe: ["*"], publish: ["*"]}
limits: {event_size: 64KiB}
channels:
  news: {memory: true}
  room.{n}: {memory: true}
`;

describe('publishing over HTTP', () => {
  const owner = suiteOwner();
  let gateway: Gateway;
  before(async () => {
    gateway = await startGateway(owner, { config: CONFIG });
  });

  test('publishing answers the channel and the id that subscribers see', async (t) => {
    const stream = gateway.stream(t, '/events/room.answers');
    await stream.opened();
    const response = await gateway.post('room.answers', 'x');
    assert.match(response.headers.get('content-type') ?? '', /^application\/json/);
    assert.deepEqual(await response.json(), { channel: 'room.answers', id: (await stream.next()).id });
  });

  test('bodies of any declared type are the data, byte for byte', async (t) => {
    const stream = gateway.stream(t, '/events/room.bodies');
    await stream.opened();
    for (const type of ['text/plain', 'application/json', 'application/x-www-form-urlencoded', 'image/png', '']) {
      const response = await gateway.post('room.bodies', `{"of": "${type}"}`, '', {
        headers: { 'content-type': type },
      });
      assert.equal(response.status, 200, await response.text());
      assert.equal((await stream.next()).data, `{"of": "${type}"}`);
    }
  });

  test('an empty body is an empty event, and a chunked body is taken whole', async (t) => {
    const stream = gateway.stream(t, '/events/room.empty');
    await stream.opened();
    await gateway.publish('room.empty', '');
    assert.equal((await stream.next()).data, '');
    const peer = connectPeer(t, gateway.port);
    const host = `Host: 127.0.0.1:${gateway.port}`;
    peer.write(
      'POST /events/room.empty HTTP/1.1',
      host,
      'Transfer-Encoding: chunked',
      '',
      '3',
      'abc',
      '3',
      'def',
      '0',
      '',
      '',
    );
    assert.equal((await peer.response()).head.status, 200);
    assert.equal((await stream.next()).data, 'abcdef');
  });

  test('a type and an id may come with it; reserved, broken and long ones are 400', async (t) => {
    const stream = gateway.stream(t, '/events/room.types');
    await stream.opened();
    const id = await gateway.publish('room.types', 'x', '?event=price&id=order-1');
    assert.deepEqual(await stream.next(), { type: 'price', data: 'x', id });
    const bad = ['event=gateway.open', 'event=a%0Ab', 'event=a%0Db', 'event=%00', 'id=a%0Ab', 'id=%00'];
    for (const query of [...bad, `event=${'a'.repeat(256)}`, `id=${'a'.repeat(256)}`]) {
      await assertProblem(await gateway.post('room.types', 'x', `?${query}`), 400);
    }
    await gateway.publish('room.types', 'last', `?event=${'a'.repeat(255)}`);
    assert.equal((await stream.next()).data, 'last');
  });

  test('a type may be any text without a line end; "message" and none are the same', async (t) => {
    const stream = gateway.stream(t, '/events/room.texts');
    await stream.opened();
    for (const type of ['prüf🎈', ' leading', 'a: b', 'message', '', 'gateway', 'a\u2028b']) {
      await gateway.publish('room.texts', 'x', `?event=${encodeURIComponent(type)}`);
      assert.equal((await stream.next()).type, type === '' ? 'message' : type);
    }
  });

  test('a peer that waits for 100 Continue gets it, or the refusal at once', async (t) => {
    const host = `Host: 127.0.0.1:${gateway.port}`;
    const patient = connectPeer(t, gateway.port);
    patient.request('POST /events/news HTTP/1.1', host, 'Content-Length: 3', 'Expect: 100-continue');
    assert.equal((await patient.response(0)).head.status, 100);
    patient.write('abc');
    assert.equal((await patient.response(1)).head.status, 200);
    const greedy = connectPeer(t, gateway.port);
    greedy.request('POST /events/news HTTP/1.1', host, 'Content-Length: 9999999', 'Expect: 100-continue');
    const refusals = [await greedy.response(0)];
    if (refusals[0]?.head.status === 100) refusals.push(await greedy.response(1));
    assert.equal(refusals.at(-1)?.head.status, 413);
  });

  test('a body beyond event_size is 413, whether it says its length or not', async (t) => {
    await assertProblem(await gateway.post('news', 'x'.repeat(64 * 1024 + 1)), 413);
    assert.equal((await gateway.post('room.big', 'x'.repeat(64 * 1024))).status, 200);
    const peer = connectPeer(t, gateway.port);
    const host = `Host: 127.0.0.1:${gateway.port}`;
    peer.write('POST /events/news HTTP/1.1', host, 'Transfer-Encoding: chunked', '', '11000', 'x'.repeat(0x11000), '');
    assertRawProblem(await peer.response(), 413);
    const lying = connectPeer(t, gateway.port);
    lying.write('POST /events/news HTTP/1.1', host, 'Content-Length: 1000000000', '', 'x');
    assertRawProblem(await lying.response(), 413);
  });

  test('a refusal reaches a client that is still sending, which is not reset', async (t) => {
    const body = 'x'.repeat(16 * 1024 * 1024);
    const before = await gateway.connections();
    for (let round = 0; round < 10; round += 1) await assertProblem(await gateway.post('news', body), 413);
    // Who leaves in the middle of it is gone, and nobody minds.
    const peers = Array.from({ length: 10 }, async () => {
      const peer = connectPeer(t, gateway.port);
      peer.write('POST /events/news HTTP/1.1', `Host: 127.0.0.1:${gateway.port}`, 'Content-Length: 99999999', '', body);
      assertRawProblem(await peer.response(), 413);
      peer.destroy();
    });
    await Promise.all(peers);
    await waitFor('nobody to be there', async () => (await gateway.connections()) <= before);
    assert.doesNotMatch(gateway.child.stderr, /Error/);
  });

  test('an encoded body is 415', async () => {
    await assertProblem(await gateway.post('news', 'x', '', { headers: { 'content-encoding': 'gzip' } }), 415);
  });
});
