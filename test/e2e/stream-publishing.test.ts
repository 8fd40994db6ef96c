/** Publishing to streams and keys over HTTP: what is written to Redis, once, and what is refused. */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { commandCalls, dataOf, openConfig } from '../support/entries.ts';
import { type Gateway, runCommand, startGateway } from '../support/gateway.ts';
import { parseObject } from '../support/gateway-events.ts';
import { heard } from '../support/heard.ts';
import { suiteOwner } from '../support/owner.ts';
import { startPair } from '../support/pair.ts';
import { assertProblem } from '../support/problem.ts';
import { startProxy } from '../support/proxy.ts';
import { startRedis } from '../support/redis.ts';
import type { Reply, RespClient } from '../support/resp.ts';
import { freePort } from '../support/scratch.ts';
import { waitFor } from '../support/wait.ts';

const CHANNELS = [
  's.{n}: {stream: "s:{n}"}',
  'few.{n}: {stream: "few:{n}", publish: {maxlen: 100, expire: 1h}}',
  'brief.{n}: {stream: "brief:{n}", publish: {idempotency: 1s}}',
  'every.{n}: {stream: "every:{n}", publish: {maxlen: 0}}',
  'env.{n}: {stream: "env:{n}", format: envelope}',
  'named.{n}: {stream: "named:{n}", fields: {data: d, event: e, id: i, end: z}}',
  'k.{n}: {key: "k:{n}"}',
  'p.{n}: {pubsub: "p:{n}"}',
];

describe('publishing to a stream', () => {
  const owner = suiteOwner();
  let client: RespClient;
  let gateway: Gateway;
  let other: Gateway;
  before(async () => {
    ({ client, gateway, other } = await startPair(owner, CHANNELS));
  });

  /** The entries of a stream, each its id and fields. */
  async function entries(key: string): Promise<(readonly [string, ...Reply[]])[]> {
    const reply = await client.command('XRANGE', key, '-', '+');
    assert.ok(Array.isArray(reply));
    return reply.map((entry) => {
      assert.ok(Array.isArray(entry) && Array.isArray(entry[1]));
      return [String(entry[0]), ...entry[1]];
    });
  }

  test('adds an entry with its fields, answers its id, and all gateways see it', async (t) => {
    const streams = await Promise.all([gateway, other].map((from) => heard(t, from, '/events/s.add?envelope=1')));
    const id = await gateway.publish('s.add', 'x\ny', '?event=tick&id=mine');
    for (const stream of streams) {
      const event = await stream.next();
      assert.deepEqual([event.type, event.id], ['tick', id]);
      assert.deepEqual(parseObject(event.data), { channel: 's.add', event: 'tick', id: 'mine', data: 'x\ny' });
    }
    const [entry] = await entries('s:add');
    assert.equal(entry?.[0], id);
    assert.deepEqual(asMap(entry?.slice(1)), { data: 'x\ny', event: 'tick', id: 'mine' });
    const empty = await gateway.publish('s.add', '');
    assert.deepEqual((await entries('s:add'))[1], [empty, 'data', '']);
  });

  test('uses the names of fields that are configured, and carries what looks like an envelope as it is', async (t) => {
    const stream = await heard(t, gateway, '/events/named.a');
    const enveloped = await heard(t, gateway, '/events/env.a');
    await gateway.publish('named.a', 'x', '?event=tick&id=mine&end=true');
    const [entry] = await entries('named:a');
    const { z, ...fields } = asMap(entry?.slice(1));
    assert.deepEqual(fields, { d: 'x', e: 'tick', i: 'mine' });
    assert.match(String(z), /^(1|true)$/);
    assert.equal((await stream.next()).data, 'x');
    assert.equal((await stream.next()).type, 'gateway.end');
    const data = '{"data":"inner","event":"no"}';
    await gateway.publish('env.a', data, '?event=outer');
    const event = await enveloped.next();
    assert.deepEqual([event.type, event.data], ['outer', data]);
  });

  test('keeps about maxlen entries and sets the expiry anew each time', async () => {
    const items = Array.from({ length: 1_000 }, (_, index) => ({ channel: 'few.len', data: `${index}` }));
    const same = items.map((item) => ({ ...item, channel: 'every.len' }));
    for (const batch of [items, same]) {
      const response = await gateway.get('/events', {
        method: 'POST',
        body: JSON.stringify(batch),
        headers: JSON_TYPE,
      });
      assert.equal(response.status, 200, await response.text());
    }
    const kept = Number(await client.command('XLEN', 'few:len'));
    assert.ok(kept >= 100 && kept < 300, `${kept} entries`);
    assert.equal(await client.command('XLEN', 'every:len'), 1_000);
    assert.equal(await client.command('TTL', 'every:len'), -1);
    assert.ok(Number(await client.command('TTL', 'few:len')) > 3_000);
    await client.command('EXPIRE', 'few:len', '1000');
    await gateway.publish('few.len', 'once more');
    assert.ok(Number(await client.command('TTL', 'few:len')) > 3_000);
    assert.equal((await entries('few:len')).at(-1)?.[2], 'once more');
  });

  test('with an Idempotency-Key is one entry however often it is repeated, on any gateway', async () => {
    const first = await keyed(gateway, 's.once', 'x', 'key');
    for (const from of [gateway, other, gateway]) {
      assert.deepEqual(await keyed(from, 's.once', 'x', 'key'), { ...first, duplicate: true });
    }
    const crowd = await Promise.all(
      Array.from({ length: 40 }, (_, index) => keyed(index % 2 ? gateway : other, 's.once', 'crowd', 'key2')),
    );
    assert.equal(new Set(crowd.map(({ id }) => id)).size, 1);
    assert.equal(crowd.filter(({ duplicate }) => duplicate === undefined).length, 1);
    assert.equal((await entries('s:once')).length, 2);
    const channel = await keyed(gateway, 's.once2', 'x', 'key');
    assert.deepEqual(Object.keys(channel), ['channel', 'id']);
  });

  test('with the key of another event is a 422 and writes nothing', async () => {
    await keyed(gateway, 's.other', 'x', 'key', '?event=a');
    for (const [body, query] of [
      ['y', '?event=a'],
      ['x', ''],
      ['x', '?event=b'],
      ['x', '?event=a&id=1'],
      ['x', '?event=a&end=true'],
    ] as const) {
      const init = { headers: { 'idempotency-key': 'key' } };
      await assertProblem(await other.post('s.other', body, query, init), 422);
    }
    assert.equal((await entries('s:other')).length, 1);
  });

  test('remembers the key of an entry that is trimmed away, and forgets it after its time', async () => {
    const first = await keyed(gateway, 's.forget', 'x', 'key');
    await client.command('XTRIM', 's:forget', 'MAXLEN', '0');
    assert.deepEqual(await keyed(gateway, 's.forget', 'x', 'key'), { ...first, duplicate: true });
    const brief = await keyed(gateway, 'brief.forget', 'x', 'key');
    const again = await waitFor('the key to be forgotten', async () => {
      const answer = await keyed(other, 'brief.forget', 'x', 'key');
      return answer['duplicate'] === undefined && answer;
    });
    assert.notEqual(again['id'], brief['id']);
  });

  test('in a batch answers an item each, in order, and writes in order', async () => {
    const items = [
      { channel: 's.batch', data: '1' },
      { channel: 's.batch', data: { n: 12345678901234567890n.toString() }, event: 'tick', id: 'mine' },
      { channel: 'k.batch', data: 'value' },
      { channel: 'p.batch', data: 'heard' },
      { channel: 's.batch', data: '', end: true },
    ];
    const response = await gateway.get('/events', { method: 'POST', body: JSON.stringify(items), headers: JSON_TYPE });
    const { results } = parseObject(await response.text());
    assert.equal(response.status, 200);
    assert.ok(Array.isArray(results) && results.length === items.length);
    const written = await entries('s:batch');
    assert.deepEqual(
      [0, 1, 4].map((index) => results[index]),
      written.map(([id]) => ({ channel: 's.batch', id })),
    );
    assert.equal(written.length, 3);
    assert.deepEqual(results[3], { channel: 'p.batch', receivers: 0 });
    assert.match(String(results[2].id), /^~/);
    assert.equal(await client.command('GET', 'k:batch'), 'value');
    const failing = [
      items[0],
      { channel: 'k.batch', data: 'x', event: 'tick' },
      { channel: 'nobody', data: 'x' },
      items[0],
    ];
    const refused = await gateway.get('/events', { method: 'POST', body: JSON.stringify(failing), headers: JSON_TYPE });
    assert.equal(refused.status, 400, await refused.text());
  });

  test('a key channel takes data alone', async () => {
    for (const query of ['?event=tick', '?id=mine', '?end=true']) {
      await assertProblem(await gateway.post('k.refuse', 'x', query), 400);
    }
    await assertProblem(await gateway.post('k.refuse', 'x', '', { headers: { 'idempotency-key': 'k' } }), 400);
    await assertProblem(await gateway.get('/events/k.refuse', { method: 'DELETE' }), 405);
    assert.equal(await client.command('EXISTS', 'k:refuse'), 0);
  });

  test('a stream of another type, or without room, is refused and writes nothing', async () => {
    await client.command('SET', 's:string', 'x');
    const response = await gateway.post('s.string', 'x');
    assert.ok(response.status >= 400 && response.status < 600 && response.status !== 504, `${response.status}`);
    await response.text();
    assert.equal(await client.command('GET', 's:string'), 'x');
    await client.command('XADD', 's:full', '18446744073709551615-18446744073709551615', 'a', 'b');
    const full = await gateway.post('s.full', 'x');
    assert.ok(full.status >= 400 && full.status !== 504, `${full.status}`);
    await full.text();
  });

  test('refuses types and ids that cannot go on the wire', async () => {
    for (const query of ['event=gateway.open', 'event=a%0Ab', 'id=%00', `event=${'a'.repeat(256)}`, 'end=maybe']) {
      await assertProblem(await gateway.post('s.bad', 'x', `?${query}`), 400);
    }
    assert.equal(await client.command('EXISTS', 's:bad'), 0);
  });

  test('carries any bytes to Redis as they are', async (t) => {
    const bytes = new Uint8Array([0, 255, 13, 10, 195, 40]);
    const response = await gateway.post('s.bytes', bytes);
    assert.equal(response.status, 200, await response.text());
    assert.equal(await client.command('EVAL', LENGTH_OF_FIRST, '1', 's:bytes'), bytes.length);
    const stream = await heard(t, gateway, '/events/s.bytes?since=start');
    assert.equal((await stream.next()).data, '\0\uFFFD\n\uFFFD(');
  });
});

describe('publishing to a stream while Redis is not well', () => {
  test('is a 503 where it is down, and nothing was written', async (t) => {
    const gateway = await startGateway(t, { config: openConfig(`redis://127.0.0.1:${await freePort(t)}`, CHANNELS) });
    for (const channel of ['s.a', 'k.a']) await assertProblem(await gateway.post(channel, 'x'), 503);
    const command = runCommand(t, ['publish', 's.a', 'x', '--url', gateway.url], gateway);
    assert.equal((await command.ends()).code, 1, command.stderr);
  });

  test('is a 504 where it hangs, and is never sent again by itself', async (t) => {
    const redis = await startRedis(t);
    const client = redis.client();
    const gateway = await startGateway(t, { config: openConfig(redis, CHANNELS) });
    await gateway.becomes(200);
    await gateway.publish('s.hang', 'before');
    await gateway.publish('k.hang', 'before');
    redis.freeze();
    const [entry, value] = await Promise.all([gateway.post('s.hang', 'x'), gateway.post('k.hang', 'x')]);
    for (const response of [entry, value]) assert.match(await assertProblem(response, 504), /outcome-unknown/);
    // Until the connection that publishes was found to be dead: then what is published next goes by a new one.
    let tries = 0;
    await waitFor('a publish to be refused', async () => {
      tries += 1;
      const response = await gateway.post('s.hang', `x ${tries}`);
      await response.text();
      return response.status === 503;
    });
    await gateway.becomes(503);
    redis.thaw();
    await gateway.becomes(200);
    await gateway.publish('s.hang', 'after');
    const stream = await heard(t, gateway, '/events/s.hang?since=start');
    await stream.until('the last', () => stream.events.at(-1)?.data === 'after');
    const seen = dataOf(stream.events.slice(1));
    assert.deepEqual(seen, [...new Set(seen)], 'an event was written twice');
    // `before`, `x`, what was tried but for the last, which was refused, and `after`.
    assert.ok(Number((await commandCalls(client)).get('xadd')) <= 2 + tries);
  });

  test('is a 504 where the answer is lost, exit code 75; with an Idempotency-Key the repeat answers the first id', async (t) => {
    const redis = await startRedis(t);
    const { proxy, port } = await startProxy(t, redis.port);
    const gateway = await startGateway(t, { config: openConfig(`redis://127.0.0.1:${port}`, CHANNELS) });
    await gateway.becomes(200);
    await gateway.publish('s.lost', 'before');
    proxy.loses = /\d{13}-\d/;
    await assertProblem(await gateway.post('s.lost', 'x', '', { headers: { 'idempotency-key': 'key' } }), 504);
    await gateway.becomes(200);
    const command = runCommand(t, ['publish', 's.lost', 'by command', '--url', gateway.url], gateway);
    assert.equal((await command.ends()).code, 75, command.stderr);
    proxy.loses = undefined;
    assert.ok(proxy.lost >= 2);
    const again = await waitFor('the repeat', async () => {
      const response = await gateway.post('s.lost', 'x', '', { headers: { 'idempotency-key': 'key' } });
      const text = await response.text();
      return response.status === 200 && parseObject(text);
    });
    assert.equal(again['duplicate'], true);
    assert.equal(await redis.client().command('XLEN', 's:lost'), 3);
  });
});

const JSON_TYPE = { 'content-type': 'application/json' };

const LENGTH_OF_FIRST = "return #redis.call('XRANGE', KEYS[1], '-', '+')[1][2][2]";

/** Publishes with an Idempotency-Key and gives the answer. */
async function keyed(gateway: Gateway, channel: string, body: string, key: string, query = '') {
  const response = await gateway.post(channel, body, query, { headers: { 'idempotency-key': key } });
  const text = await response.text();
  assert.equal(response.status, 200, text);
  return parseObject(text);
}

function asMap(fields: readonly Reply[] = []): Record<string, Reply> {
  const pairs = Array.from({ length: fields.length / 2 }, (_, index): [string, Reply] => [
    String(fields[index * 2]),
    fields[index * 2 + 1] ?? null,
  ]);
  return Object.fromEntries(pairs);
}
