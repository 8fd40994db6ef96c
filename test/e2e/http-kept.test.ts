/** Publishing over HTTP to streams and keys: what then stands in Redis, and what is refused. */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { suiteOwner } from '../support/owner.ts';
import { assertProblem } from '../support/problem.ts';
import { startRedis } from '../support/redis.ts';
import type { Reply, RespClient } from '../support/resp.ts';

const CHANNELS = `
allow: {subscribe: ["*"], publish: ["*"]}
channels:
  chat.{room}: {stream: "chat:{room}", publish: {maxlen: 0, expire: 1h}}
  named: {stream: named, fields: {data: body, event: kind, end: done}}
  wrapped: {stream: wrapped, format: envelope}
  price.{of}: {key: "price:{of}"}
`;

describe('publishing over HTTP', () => {
  const owner = suiteOwner();
  let redis: RespClient;
  let gateway: Gateway;
  before(async () => {
    const server = await startRedis(owner);
    redis = server.client();
    gateway = await startGateway(owner, { config: `redis: ${server.url}\n${CHANNELS}` });
    await gateway.becomes(200);
  });

  /** The entries of a stream: id and fields. */
  function entries(stream: string): Promise<Reply> {
    return redis.command('XRANGE', stream, '-', '+');
  }

  /** The fields of the newest entry. */
  async function newest(stream: string): Promise<Reply> {
    const [entry] = [await redis.command('XREVRANGE', stream, '+', '-', 'COUNT', '1')].flat();
    return Array.isArray(entry) ? (entry[1] ?? null) : null;
  }

  test('adds an entry to a stream, with type, id and end, and answers where it stands', async () => {
    const plain = await gateway.publish('chat.a', 'hello');
    const full = await gateway.publish('chat.a', 'bye', '?event=tick&id=order-1&end=true');
    const empty = await gateway.publish('chat.a', '');
    assert.deepEqual(await entries('chat:a'), [
      [plain, ['data', 'hello']],
      [full, ['data', 'bye', 'event', 'tick', 'id', 'order-1', 'end', 'true']],
      [empty, ['data', '']],
    ]);
    assert.ok(Number(await redis.command('PTTL', 'chat:a')) > 3_500_000);
  });

  test('ends a stream by an entry without data', async () => {
    const response = await gateway.get('/events/chat.b', { method: 'DELETE' });
    assert.equal(response.status, 200, await response.clone().text());
    const { id } = (await response.json()) as { id: string };
    assert.deepEqual(await entries('chat:b'), [[id, ['end', 'true']]]);
    const other = await gateway.get('/events/named?end=1', { method: 'POST' });
    assert.equal(other.status, 200);
    assert.deepEqual(await newest('named'), ['done', 'true']);
  });

  test('writes the fields that the channel names, and an envelope where it is one', async () => {
    await gateway.publish('named', 'x', '?event=tick');
    assert.deepEqual(await newest('named'), ['body', 'x', 'kind', 'tick']);
    const wrapped = await gateway.publish('wrapped', 'x', '?event=tick');
    assert.deepEqual(await entries('wrapped'), [[wrapped, ['data', '{"data":"x"}', 'event', 'tick']]]);
    const bytes = await gateway.post('wrapped', new Uint8Array([255]));
    assert.match(await assertProblem(bytes, 400), /not UTF-8/);
  });

  test('adds an entry once for each Idempotency-Key', async () => {
    const keyed = (body: string): Promise<Response> =>
      gateway.post('chat.once', body, '', { headers: { 'idempotency-key': 'k' } });
    const first = (await (await keyed('x')).json()) as { id: string };
    const again = await keyed('x');
    assert.deepEqual(await again.json(), { channel: 'chat.once', id: first.id, duplicate: true });
    await assertProblem(await keyed('y'), 422);
    assert.equal(await redis.command('XLEN', 'chat:once'), 1);
  });

  test('sets a key, and answers the position of its value', async () => {
    const id = await gateway.publish('price.a', '100');
    assert.match(id, /^~/);
    assert.equal(await redis.command('GET', 'price:a'), '100');
    assert.equal(await gateway.publish('price.b', '100'), id);
    await gateway.publish('price.a', '');
    assert.equal(await redis.command('GET', 'price:a'), '');
  });

  test('to a key takes data alone', async () => {
    for (const query of ['?event=tick', '?id=1', '?end=true']) {
      assert.match(await assertProblem(await gateway.post('price.c', 'x', query), 400), /a key holds data alone/);
    }
    const keyed = await gateway.post('price.c', 'x', '', { headers: { 'idempotency-key': 'k' } });
    assert.match(await assertProblem(keyed, 400), /Idempotency-Key/);
    const ended = await gateway.get('/events/price.c', { method: 'DELETE' });
    assert.equal(ended.headers.get('allow'), 'GET, HEAD, POST');
    assert.match(await assertProblem(ended, 405), /DEL/);
    assert.equal(await redis.command('EXISTS', 'price:c'), 0);
  });

  test('takes many at once for streams and keys', async () => {
    const items = [
      { channel: 'chat.many', data: 'one', event: 'tick' },
      { channel: 'price.many', data: { n: 1 } },
      { channel: 'price.many', data: 'x', event: 'tick' },
      { channel: 'chat.many', end: true },
    ];
    const response = await gateway.get('/events', { method: 'POST', body: JSON.stringify(items) });
    const { results } = (await response.json()) as { results: { id?: string; error?: { status: number } }[] };
    assert.deepEqual(
      results.map(({ error }) => error?.status),
      [undefined, undefined, 400, undefined],
    );
    assert.equal(await redis.command('XLEN', 'chat:many'), 2);
    assert.deepEqual(await newest('chat:many'), ['end', 'true']);
    assert.equal(await redis.command('GET', 'price:many'), '{"n":1}');
  });
});
