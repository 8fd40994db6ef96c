/** `POST /events`: many events in one request, each answered on its own. */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { parseObject } from '../support/gateway-events.ts';
import { heard } from '../support/heard.ts';
import { suiteOwner } from '../support/owner.ts';
import { assertProblem } from '../support/problem.ts';
import { startRedis } from '../support/redis.ts';

const CONFIG = `
allow: {subscribe: ["*"], publish: ["open.*"]}
limits: {event_size: 64KiB}
channels:
  open.{n}: {memory: true}
  closed.{n}: {memory: true}
`;

describe('a batch', () => {
  const owner = suiteOwner();
  let gateway: Gateway;
  before(async () => {
    gateway = await startGateway(owner, { config: CONFIG });
  });

  test('is a JSON array or an object a line; results and events are in its order', async (t) => {
    const items = ['a', 'b', 'a', 'c'].map((name, index) => ({ channel: `open.${name}`, data: `${index}` }));
    const lines = items.map((item) => JSON.stringify(item));
    const bodies = [
      ['application/json', JSON.stringify(items)],
      ['application/json; charset=utf-8', JSON.stringify(items, null, 2)],
      ['application/x-ndjson', lines.join('\n')],
      ['application/x-ndjson', `\r\n${lines.join('\r\n\r\n')}\r\n`],
      ['', lines.join('\n')],
    ] as const;
    for (const [type, body] of bodies) {
      const stream = gateway.stream(t, '/events?channel=open.a&channel=open.b&channel=open.c&envelope=1');
      await stream.opened();
      const { status, results } = await postBatch(gateway, body, type);
      assert.equal(status, 200, body);
      const seen = await stream.take(4);
      assert.deepEqual(
        results,
        seen.map(({ id }, index) => ({ channel: items[index]?.channel, id })),
      );
      assert.deepEqual(
        seen.map(({ data }) => parseObject(data)['data']),
        ['0', '1', '2', '3'],
      );
      stream.cut();
    }
  });

  test('a type, an id and an end come with an item as with a single publish', async (t) => {
    const stream = gateway.stream(t, '/events/open.fields?envelope=1');
    await stream.opened();
    const { results } = await postBatch(
      gateway,
      '{"channel":"open.fields","data":"x","event":"price","id":"one"}\n{"channel":"open.fields","end":true}',
    );
    const [event, end] = await stream.take(2);
    assert.deepEqual(parseObject(event?.data ?? ''), { channel: 'open.fields', event: 'price', id: 'one', data: 'x' });
    assert.deepEqual([event?.type, end?.type, end?.id], ['price', 'gateway.end', idOf(results[1])]);
    assert.equal(await stream.ended(), 'complete');
  });

  test('data that is no string is its JSON text exactly as it was sent', async (t) => {
    const texts = [
      '12345678901234567890123456789.10',
      '1e400',
      '-0.0',
      'null',
      'true',
      '[ 1,2 , 3 ]',
      '{ "b" : 1, "a":"\\u00e9\\/", "n": 9007199254740993 }',
      '{"a":{"channel":"open.other","data":"}]"}}',
    ];
    const stream = gateway.stream(t, '/events/open.exact');
    await stream.opened();
    const items = texts.map((text) => `{"channel":"open.exact","data":${text}}`);
    for (const body of [items.join('\n'), `[${items.join(' ,\n')}]`]) {
      assert.equal((await postBatch(gateway, body)).status, 200, body);
      const seen = await stream.take(texts.length);
      assert.deepEqual(
        seen.map((event) => event.data),
        texts,
      );
    }
  });

  test('data that is a string is its text', async (t) => {
    const stream = gateway.stream(t, '/events/open.texts');
    await stream.opened();
    const texts = ['', 'a\nb', 'prüf🎈', '"', '{"a":1}', ' x '];
    const body = texts.map((data) => JSON.stringify({ channel: 'open.texts', data })).join('\n');
    assert.equal((await postBatch(gateway, body)).status, 200);
    assert.deepEqual(
      (await stream.take(texts.length)).map((event) => event.data),
      texts,
    );
  });

  test('the failed are told one by one, the others are written, and the status is that of the first that failed', async (t) => {
    const stream = gateway.stream(t, '/events/open.mixed');
    await stream.opened();
    const good = '{"channel":"open.mixed","data":"good"}';
    const bad = [
      ['{"channel":"closed.a","data":"x"}', 401],
      ['{"channel":"open.a.b","data":"x"}', 404],
      [`{"channel":"open.mixed","data":"${'x'.repeat(64 * 1024 + 1)}"}`, 413],
      ['{"channel":"open.mixed"}', 400],
      ['{"data":"x"}', 400],
      ['{"channel":1,"data":"x"}', 400],
      ['{"channel":"open.mixed","data":"x","event":"gateway.open"}', 400],
      ['{"channel":"open.mixed","data":"x","id":"a\\nb"}', 400],
      ['{"channel":"open.mixed","data":"x","evnet":"typo"}', 400],
      ['{"channel":"open.mixed","data":"x"', 400],
      ['"text"', 400],
      ['17', 400],
    ] as const;
    for (const [text, wanted] of bad) {
      const { status, results } = await postBatch(gateway, [good, text, '{"channel":""}', good].join('\n'));
      assert.equal(status, wanted, text);
      assert.equal(results.length, 4, text);
      const { error } = results[1] ?? {};
      assert.ok(typeof error === 'object' && error !== null && 'code' in error && 'detail' in error, text);
      assert.equal('status' in error && error.status, wanted, text);
      assert.deepEqual(
        (await stream.take(2)).map(({ data, id }) => [data, id]),
        [
          ['good', idOf(results[0])],
          ['good', idOf(results[3])],
        ],
      );
    }
  });

  test('an item goes to the channel whose right was looked up, however its members are written', async (t) => {
    const stream = gateway.stream(t, '/events?channel=open.names&channel=closed.names&envelope=1');
    await stream.opened();
    const items = [
      '{"channel":"open.names","channel":"closed.names","data":"bad"}',
      '{"channel":"open.names","ch\\u0061nnel":"closed.names","data":"bad"}',
      '{"channel":"closed.n\\u0061mes","data":"bad"}',
      '{"__proto__":{"channel":"open.names"},"data":"bad"}',
    ];
    const { results } = await postBatch(gateway, items.join('\n'));
    assert.ok(results.every((result) => 'error' in result));
    await postBatch(gateway, '{"ch\\u0061nnel":"open.n\\u0061mes","d\\u0061ta":"good"}');
    const { channel, data } = parseObject((await stream.next()).data);
    assert.deepEqual([channel, data], ['open.names', 'good']);
  });

  test('a refusal does not send back at length what was sent', async () => {
    const long = 'a'.repeat(100_000);
    for (const item of [`{"channel":"${long}","data":"x"}`, `{"channel":"open.a","data":"x","${long}":1}`]) {
      const response = await sendBatch(gateway, item);
      assert.ok((await response.text()).length < 2_000, item.slice(0, 20));
    }
  });

  test('takes 1,000 items; one more, none at all and half an array are 400 and write nothing', async (t) => {
    const stream = gateway.stream(t, '/events/open.many');
    await stream.opened();
    const item = '{"channel":"open.many","data":"no"}';
    const refused = [`[${Array(1_001).fill(item).join()}]`, Array(1_001).fill(item).join('\n'), '', '[]', '\n\n'];
    for (const body of [...refused, `[${item}`, `[${item},]`, `[${item}]]`, `[${item}]\n${item}`]) {
      await assertProblem(await sendBatch(gateway, body), 400);
    }
    const { results } = await postBatch(gateway, Array(1_000).fill(item.replace('no', 'yes')).join('\n'));
    assert.equal(results.length, 1_000);
    const seen = await stream.take(1_000);
    assert.ok(seen.every((event) => event.data === 'yes'));
  });

  test('an Idempotency-Key, a parameter and another media type are refused', async () => {
    const body = '{"channel":"open.a","data":"x"}';
    await assertProblem(await sendBatch(gateway, body, { 'idempotency-key': 'k' }), 400);
    const init = { method: 'POST', body };
    for (const query of ['?event=x', '?channel=open.a', '?x=1']) {
      await assertProblem(await gateway.get(`/events${query}`, init), 400);
    }
    for (const type of ['application/x-www-form-urlencoded', 'multipart/form-data', 'image/png', 'application/jsonx']) {
      assert.match(await assertProblem(await sendBatch(gateway, body, { 'content-type': type }), 415), /media-type/);
    }
    await assertProblem(await sendBatch(gateway, body, { 'content-encoding': 'gzip' }), 415);
  });

  test('who may publish nothing at all is 401 before anything is read', async (t) => {
    const closed = await startGateway(t, { config: 'channels: {"*": {memory: true}}\n' });
    await assertProblem(await sendBatch(closed, '{"channel":"a","data":"x"}'), 401);
  });

  test('to Redis channels is answered with receivers, and arrives in order', async (t) => {
    const redis = await startRedis(t);
    const config = `redis: ${redis.url}\nallow: {subscribe: ["*"], publish: ["*"]}\nchannels: {news: {}}\n`;
    const piped = await startGateway(t, { config });
    await piped.becomes(200);
    const stream = await heard(t, piped, '/events/news');
    const numbers = Array.from({ length: 300 }, (_, index) => `${index}`);
    const body = numbers.map((data) => `{"channel":"news","data":${data}}`).join('\n');
    const { results } = await postBatch(piped, body);
    assert.ok(results.every((result) => result['channel'] === 'news' && result['receivers'] === 1));
    assert.deepEqual(
      (await stream.take(300)).map((event) => event.data),
      numbers,
    );
  });
});

/** What a hostile publisher may send: nearly as much as a batch may be at most, made to be slow to read. */
const SIZE = 15 * 1024 * 1024;
/** The largest item that is looked into, and the largest data of one that is no string. */
const [LARGE, DATA] = [6_000_000, 1_000_000];
const HOSTILE: readonly (readonly [string, () => string])[] = [
  ['brackets', () => '['.repeat(SIZE)],
  ['braces', () => '{"a":'.repeat(SIZE / 5)],
  ['commas', () => `[${','.repeat(SIZE)}]`],
  ['numbers', () => `[${'1,'.repeat(SIZE / 2)}1]`],
  ['line ends', () => '\n'.repeat(SIZE)],
  ['blanks', () => ' '.repeat(SIZE)],
  ['quotes', () => '"'.repeat(SIZE)],
  ['NUL', () => '\0'.repeat(SIZE)],
  ['short lines', () => '{\n'.repeat(SIZE / 2)],
  ['a string without an end', () => `[{"channel":"${'a'.repeat(SIZE)}`],
  ['1,000 items that are broken at their end', () => `${'['.repeat(15_000)}\n`.repeat(1_000)],
  ['1,000 items that are broken inside', () => `{"channel":"a","data":[${'[],'.repeat(5_000)}}\n`.repeat(1_000)],
  ['deep data', () => lines(`{"channel":"a","data":${'['.repeat(DATA / 2)}${']'.repeat(DATA / 2)}}`)],
  ['data that is too deep by half', () => lines(`{"channel":"a","data":${'[{"a":'.repeat(DATA / 6)}}`)],
  ['a very deep item', () => lines(`{"a":${'['.repeat(LARGE / 2)}${']'.repeat(LARGE / 2)}}`)],
  ['long numbers', () => lines(`{"channel":"a","data":${'9'.repeat(DATA)}}`)],
  ['backslashes', () => lines(`{"channel":"a","data":"${'\\\\'.repeat(LARGE / 2)}"}`)],
  ['escapes', () => lines(`{"channel":"a","data":"${'\\u0001'.repeat(DATA)}"}`)],
  ['lone surrogates', () => lines(`{"channel":"a","data":"${'\\ud800'.repeat(DATA / 3)}"}`)],
  ['data of line ends', () => lines(`{"channel":"a","data":"${'\\r'.repeat(DATA)}"}`)],
  ['a long channel name', () => lines(`{"channel":"${'a'.repeat(LARGE)}","data":1}`)],
  ['a long name of a member', () => lines(`{"${'a'.repeat(LARGE)}":1}`)],
  ['one member again and again', () => lines(`{${'"data":1,'.repeat(LARGE / 9)}"channel":"a"}`)],
  ['many members', () => lines(`{${Array.from({ length: LARGE / 12 }, (_, index) => `"${index}":1`).join()}}`)],
];

/** As many lines as go into a batch. */
function lines(line: string): string {
  return `${line}\n`.repeat(Math.max(1, Math.floor(SIZE / line.length)));
}

/** What its answer may take, and one to somebody else meanwhile, on a slow machine: where reading is quadratic it is hours. */
const [ANSWER_MS, OTHERS_MS] = [15_000, 8_000];

describe('a hostile batch', () => {
  const owner = suiteOwner();
  let gateway: Gateway;
  before(async () => {
    gateway = await startGateway(owner);
  });

  for (const [name, body] of HOSTILE) {
    test(`of ${name} is answered in time, and others meanwhile`, async () => {
      const bytes = Buffer.from(body());
      let answered = false;
      const start = performance.now();
      const answer = sendBatch(gateway, bytes).then((response) => {
        answered = true;
        return response;
      });
      let slowest = 0;
      while (!answered) {
        const asked = performance.now();
        await (await gateway.get('/healthz')).text();
        slowest = Math.max(slowest, performance.now() - asked);
      }
      const { status } = await answer;
      const took = performance.now() - start;
      assert.ok([200, 400, 404, 413].includes(status), `${status}`);
      assert.ok(took < ANSWER_MS, `took ${took} ms`);
      assert.ok(slowest < OTHERS_MS, `/healthz took ${slowest} ms`);
    });
  }
});

function sendBatch(
  gateway: Gateway,
  body: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = {},
): Promise<Response> {
  return gateway.get('/events', { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } });
}

/** Sends a batch of which every item is answered. */
async function postBatch(gateway: Gateway, body: string, type = 'application/x-ndjson') {
  const response = await sendBatch(gateway, body, { 'content-type': type });
  const text = await response.text();
  const { results, ...more } = parseObject(text);
  assert.ok(Array.isArray(results), text);
  assert.deepEqual(more, {});
  return { status: response.status, results: results.map((result) => parseObject(JSON.stringify(result))) };
}

function idOf(result: Record<string, unknown> | undefined): unknown {
  return result?.['id'];
}
