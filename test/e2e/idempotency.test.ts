/** `Idempotency-Key`: a publish that is repeated is one event. */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { parseObject } from '../support/gateway-events.ts';
import { heard } from '../support/heard.ts';
import { type Owner, suiteOwner } from '../support/owner.ts';
import { startReading } from '../support/pair.ts';
import { connectPeer } from '../support/peer.ts';
import { assertProblem, assertRawProblem } from '../support/problem.ts';
import { startProxy } from '../support/proxy.ts';
import { startRedis } from '../support/redis.ts';
import { waitFor } from '../support/wait.ts';

const MEMORY = `
allow: {subscribe: ["*"], publish: ["*"]}
channels:
  short: {memory: true, publish: {idempotency: 1s}}
  few.{n}: {memory: true, history: {events: 1}}
  "*": {memory: true}
`;

const STREAMS = `
allow: {subscribe: ["*"], publish: ["*"]}
channels:
  short: {stream: "s:short", publish: {idempotency: 1s}}
  few.{n}: {stream: "s:{n}", history: {events: 1}, publish: {maxlen: 1, expire: 1h}}
  "*": {stream: "*"}
`;

describe('a publish to memory with an Idempotency-Key', () => behaves(() => Promise.resolve(MEMORY)));

describe('a publish to a stream with an Idempotency-Key', () => {
  behaves(async (owner) => `redis: ${(await startRedis(owner)).url}\n${STREAMS}`);
});

function behaves(config: (owner: Owner) => Promise<string>): void {
  const owner = suiteOwner();
  let gateway: Gateway;
  before(async () => {
    gateway = await startReading(owner, await config(owner), '/events/first');
  });

  test('that is repeated writes nothing and answers the first id', async (t) => {
    const stream = await heard(t, gateway, '/events/repeat');
    const first = parseObject(await (await keyed(gateway, 'repeat', 'x', 'k')).text());
    assert.deepEqual(Object.keys(first), ['channel', 'id']);
    await gateway.publish('repeat', 'between');
    for (let count = 0; count < 3; count += 1) {
      const response = await keyed(gateway, 'repeat', 'x', 'k');
      assert.equal(response.status, 200);
      assert.deepEqual(parseObject(await response.text()), { ...first, duplicate: true });
    }
    await gateway.publish('repeat', 'last');
    assert.deepEqual(
      (await stream.take(3)).map((event) => event.data),
      ['x', 'between', 'last'],
    );
  });

  test('is remembered when its event has left history', async () => {
    const first = parseObject(await (await keyed(gateway, 'few.a', 'x', 'k')).text());
    for (let count = 0; count < 10; count += 1) await gateway.publish('few.a', 'more');
    const again = parseObject(await (await keyed(gateway, 'few.a', 'x', 'k')).text());
    assert.deepEqual(again, { ...first, duplicate: true });
  });

  test('that says another body, type, id or end is 422 and writes nothing', async (t) => {
    const stream = await heard(t, gateway, '/events/other');
    const first = await keyed(gateway, 'other', 'x', 'k', '?event=a&id=1');
    assert.equal(first.status, 200, await first.text());
    const others = [
      ['y', '?event=a&id=1'],
      ['', '?event=a&id=1'],
      ['x', ''],
      ['x', '?event=b&id=1'],
      ['x', '?event=a&id=2'],
      ['x', '?event=a&id=1&end=true'],
      ['x', '?event=a'],
    ] as const;
    for (const [body, query] of others) {
      const text = await assertProblem(await keyed(gateway, 'other', body, 'k', query), 422);
      assert.equal(parseObject(text)['code'], 'conflict');
    }
    const ended = { method: 'DELETE', headers: { 'idempotency-key': 'k' } };
    await assertProblem(await gateway.get('/events/other', ended), 422);
    await gateway.publish('other', 'last');
    assert.deepEqual(
      (await stream.take(2)).map((event) => event.data),
      ['x', 'last'],
    );
  });

  test('and the same key with another channel is no repeat', async (t) => {
    for (const name of ['same.a', 'same.b']) {
      const { channel, id, ...more } = parseObject(await (await keyed(gateway, name, 'x', 'k')).text());
      assert.deepEqual([channel, more], [name, {}]);
      const stream = await heard(t, gateway, `/events/${name}?since=start`);
      assert.deepEqual(await stream.next(), { type: 'message', data: 'x', id });
    }
  });

  test('sent 100 times at once is one event, and each answer names it', async (t) => {
    const stream = await heard(t, gateway, '/events/crowd');
    const responses = await Promise.all(Array.from({ length: 100 }, () => keyed(gateway, 'crowd', 'x', 'k')));
    const answers = await Promise.all(responses.map(async (response) => parseObject(await response.text())));
    await gateway.publish('crowd', 'last');
    const [event, last] = await stream.take(2);
    assert.deepEqual([event?.data, last?.data], ['x', 'last']);
    assert.ok(answers.every(({ id }) => id === event?.id));
    assert.equal(answers.filter(({ duplicate }) => duplicate === undefined).length, 1);
  });

  test('with different bodies at once: one is written, the others are 422', async (t) => {
    const stream = await heard(t, gateway, '/events/race');
    const bodies = Array.from({ length: 20 }, (_, index) => `${index}`);
    const responses = await Promise.all(bodies.map((body) => keyed(gateway, 'race', body, 'k')));
    const won = bodies.filter((_, index) => responses[index]?.status === 200);
    assert.ok(responses.every((response) => [200, 422].includes(response.status)));
    await gateway.publish('race', 'last');
    const seen = (await stream.take(2)).map((event) => event.data);
    assert.deepEqual([...won, 'last'], seen);
  });

  test('an end that is repeated does not end a channel that was opened again', async (t) => {
    const init = { method: 'DELETE', headers: { 'idempotency-key': 'end' } };
    assert.equal((await gateway.get('/events/ends', init)).status, 200);
    await gateway.publish('ends', 'open again');
    const stream = await heard(t, gateway, '/events/ends');
    assert.equal(parseObject(await (await gateway.get('/events/ends', init)).text())['duplicate'], true);
    await gateway.publish('ends', 'last');
    assert.equal((await stream.next()).data, 'last');
  });

  test('is forgotten after publish.idempotency', async () => {
    const first = parseObject(await (await keyed(gateway, 'short', 'x', 'k')).text());
    const again = await waitFor('the key to be forgotten', async () => {
      const answer = parseObject(await (await keyed(gateway, 'short', 'x', 'k')).text());
      return answer['duplicate'] === undefined && answer;
    });
    assert.notEqual(again['id'], first['id']);
  });

  test('that was refused is not remembered', async () => {
    await assertProblem(await keyed(gateway, 'refused', 'x', 'k', '?event=gateway.open'), 400);
    const response = await keyed(gateway, 'refused', 'y', 'k');
    assert.equal(parseObject(await response.text())['duplicate'], undefined);
    assert.equal(response.status, 200);
  });

  test('that is empty, too long, doubled or not visible ASCII is 400', async (t) => {
    for (const key of ['', 'a b', 'a\tb', 'gr\u00fcn', 'a'.repeat(256), 'a, a']) {
      const text = await assertProblem(await keyed(gateway, 'bad', 'x', key), 400);
      assert.match(text, /Idempotency-Key/);
    }
    for (const key of ['a'.repeat(255), '"quoted"', '~!@#$%^&*()', '0']) {
      assert.equal((await keyed(gateway, 'bad', 'x', key)).status, 200, key);
    }
    const peer = connectPeer(t, gateway.port);
    const fields = [`Host: 127.0.0.1:${gateway.port}`, 'Content-Length: 0', 'Idempotency-Key: a', 'Idempotency-Key: a'];
    peer.request('POST /events/bad HTTP/1.1', ...fields);
    assertRawProblem(await peer.response(), 400);
  });
}

describe('a publish to a stream that Redis does not answer well', () => {
  test('is 504 where the answer was lost, which says how to go on, and the repeat is one entry', async (t) => {
    const redis = await startRedis(t);
    const { proxy, port } = await startProxy(t, redis.port);
    const gateway = await startGateway(t, { config: `redis: redis://127.0.0.1:${port}\n${STREAMS}` });
    await gateway.becomes(200);
    proxy.loses = /\d{13}-\d/;
    const text = await assertProblem(await keyed(gateway, 'lost', 'x', 'k'), 504);
    assert.match(text, /same idempotency key/);
    await gateway.becomes(200);
    assert.match(await assertProblem(await gateway.post('lost', 'y'), 504), /check before publishing it again/);
    proxy.loses = undefined;
    await gateway.becomes(200);
    const again = await keyed(gateway, 'lost', 'x', 'k');
    assert.equal(parseObject(await again.text())['duplicate'], true);
    assert.equal(await redis.client().command('XLEN', 'lost'), 2);
  });

  test('is 503 where nothing was written, with what Redis says and what to do', async (t) => {
    const redis = await startRedis(t);
    const client = redis.client();
    const gateway = await startGateway(t, { config: `redis: ${redis.url}\n${STREAMS}` });
    await gateway.becomes(200);
    await client.command('CONFIG', 'SET', 'maxmemory', '1');
    assert.match(
      await assertProblem(await keyed(gateway, 'full', 'x', 'k'), 503),
      /OOM.*nothing was written; raise maxmemory/,
    );
    await client.command('CONFIG', 'SET', 'maxmemory', '0');
    await client.command('SET', 'full', 'no stream');
    assert.match(await assertProblem(await gateway.post('full', 'x'), 503), /WRONGTYPE/);
    await client.command('REPLICAOF', '127.0.0.1', '1');
    assert.match(await assertProblem(await gateway.post('replica', 'x'), 503), /READONLY/);
    await client.command('REPLICAOF', 'NO', 'ONE');
    await gateway.becomes(200);
    assert.equal((await keyed(gateway, 'replica', 'x', 'k')).status, 200);
    assert.equal(await client.command('XLEN', 'replica'), 1);
  });
});

test('an Idempotency-Key on a pub/sub channel is 400, for a repeat cannot be recognised there', async (t) => {
  const redis = await startRedis(t);
  const config = `redis: ${redis.url}\nallow: {subscribe: ["*"], publish: ["*"]}\nchannels: {news: {}}\n`;
  const gateway = await startGateway(t, { config });
  await assertProblem(await keyed(gateway, 'news', 'x', 'k'), 400);
});

function keyed(gateway: Gateway, channel: string, body: string, key: string, query = ''): Promise<Response> {
  return gateway.post(channel, body, query, { headers: { 'idempotency-key': key } });
}
