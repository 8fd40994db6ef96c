/** Parts of streams on request: where somebody begins, and what they are told who come with a place of their own. */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { SourceDownError } from '../../src/errors.ts';
import { formatPosition, parsePosition, type Replay, type StreamPosition } from '../../src/position.ts';
import type { RedisSource } from '../../src/source/redis-source.ts';
import { after } from '../../src/source/redis-stream-id.ts';
import type { Feed } from '../../src/source/source.ts';
import { suiteOwner } from '../support/owner.ts';
import { startRedis } from '../support/redis.ts';
import type { RespClient } from '../support/resp.ts';
import { waitFor } from '../support/wait.ts';
import { S, startBoth, startSource } from './streams.ts';

const owner = suiteOwner();
let client: RespClient;
let source: RedisSource;
before(async () => {
  const redis = await startRedis(owner);
  client = redis.client();
  source = startSource(owner, redis.port).source;
  await answers(source);
});

/** The first question makes the link, and is not answered where that takes longer than a second. */
async function answers(asked: RedisSource): Promise<void> {
  const page = () => asked.page(S, from('0-0')).catch(() => undefined);
  assert.deepEqual((await waitFor('an answer', page)).entries, []);
}

/** A stream of its own with entries `1-0` to `count-0`. */
async function streamOf(name: string, count: number, data = 'x'): Promise<Feed> {
  await client.pipeline(Array.from({ length: count }, (_, i) => ['XADD', name, `${i + 1}-0`, 'n', data]));
  return { kind: 'stream', name };
}

/** Reads all there is from a position on: the gaps, and the ids of the entries. */
async function walk(feed: Feed, from: StreamPosition): Promise<{ told: string[]; pages: number }> {
  const told: string[] = [];
  let at = from;
  for (let pages = 1; pages < 1000; pages += 1) {
    const { gap, entries, more } = await source.page(feed, at);
    if (gap !== undefined) told.push(`${gap.reason} ${gap.lost} ${gap.at && formatPosition(gap.at)}`);
    told.push(...entries.map(({ id }) => id));
    const last = entries.at(-1);
    at = last === undefined ? (gap?.at ?? at) : after(last.id);
    if (!more) return { told, pages };
  }
  throw new Error('a stream without an end');
}

const from = (text: string): StreamPosition => {
  const position = parsePosition(text);
  assert.ok(position?.kind === 'stream');
  return position;
};
const ids = (first: number, last: number): string[] =>
  Array.from({ length: last - first + 1 }, (_, i) => `${first + i}-0`);

describe('reading a stream on from a place', () => {
  test('gives all 10,000 entries behind it, in pages that grow', async () => {
    const feed = await streamOf('long', 10_000);
    const { told, pages } = await walk(feed, from('5-0'));
    assert.deepEqual(told, ids(6, 10_000));
    assert.ok(pages < 20, `${pages} pages`);
  });

  test('gives large entries a few at a time', async () => {
    const feed = await streamOf('large', 200, 'x'.repeat(64 * 1024));
    await source.page(feed, from('^1-0'));
    const { told, pages } = await walk(feed, from('^1-0'));
    assert.deepEqual(told, ids(1, 200));
    assert.ok(pages > 40, `${pages} pages`);
  });

  test('gives the entry before which it stands, and not the one behind which it stands', async () => {
    const feed = await streamOf('forms', 3);
    assert.deepEqual((await walk(feed, from('^2-0'))).told, ids(2, 3));
    assert.deepEqual((await walk(feed, from('2-0'))).told, ids(3, 3));
    assert.deepEqual((await walk(feed, from('3-0'))).told, []);
    assert.deepEqual((await walk(feed, from('0-0'))).told, ids(1, 3));
  });

  test('announces what was trimmed, and goes on with the oldest kept', async () => {
    const feed = await streamOf('trimmed', 10);
    await client.command('XTRIM', 'trimmed', 'MAXLEN', '3');
    assert.deepEqual((await walk(feed, from('2-0'))).told, ['trimmed null ^8-0', ...ids(8, 10)]);
    assert.deepEqual((await walk(feed, from('0-0'))).told, ['trimmed 7 ^8-0', ...ids(8, 10)]);
    assert.deepEqual((await walk(feed, from('^8-0'))).told, ids(8, 10));
  });

  test('finds nothing missing at the end of a drained stream', async () => {
    const feed = await streamOf('drained', 10);
    await client.command('XTRIM', 'drained', 'MAXLEN', '0');
    assert.deepEqual((await walk(feed, from('10-0'))).told, []);
  });

  test('announces a place that the stream does not know', async () => {
    const feed = await streamOf('unknown', 3);
    assert.deepEqual((await walk(feed, from('2-5'))).told, ['unknown-position null 2-5', ...ids(3, 3)]);
    assert.deepEqual((await walk(feed, from('9-0'))).told, ['unknown-position null 3-0']);
    const most = '18446744073709551615-18446744073709551615';
    assert.deepEqual((await walk(feed, from(most))).told, ['unknown-position null 3-0']);
  });

  test('announces a stream that is gone, or another one', async () => {
    assert.deepEqual((await walk({ kind: 'stream', name: 'gone' }, from('5-0'))).told, ['reset null 0-0']);
    await client.command('XADD', 'other', '7-0', 'n', 'x');
    assert.deepEqual((await walk({ kind: 'stream', name: 'other' }, from('5-0'))).told, ['reset null ^7-0', '7-0']);
  });

  test('announces what is no stream, and moves nothing', async () => {
    await client.command('SET', 'text', 'x');
    assert.deepEqual(await source.page({ kind: 'stream', name: 'text' }, from('5-0')), {
      gap: { reason: 'source-error', lost: null, at: undefined },
      entries: [],
      more: false,
    });
  });
});

describe('the start of a newcomer', () => {
  const start = async (feed: Feed, wanted: Replay): Promise<string> =>
    formatPosition(await source.startOf(feed, wanted));

  test('is the end, the first entry, or before so many of the newest', async () => {
    const feed = await streamOf('starts', 1000);
    assert.equal(await start(feed, { kind: 'none' }), '1000-0');
    assert.equal(await start(feed, { kind: 'all' }), '^1-0');
    assert.equal(await start(feed, { kind: 'last', count: 0 }), '1000-0');
    assert.equal(await start(feed, { kind: 'last', count: 1 }), '^1000-0');
    assert.equal(await start(feed, { kind: 'last', count: 700 }), '^301-0');
    assert.equal(await start(feed, { kind: 'last', count: 100_000 }), '^1-0');
  });

  test('is before the first entry of the last milliseconds, by the clock of the server', async () => {
    const feed = await streamOf('recent', 3);
    assert.equal(await start(feed, { kind: 'since', since: 60_000 }), '3-0');
    const id = await client.command('XADD', 'recent', '*', 'n', 'x');
    assert.equal(await start(feed, { kind: 'since', since: 60_000 }), `^${id}`);
    assert.equal(await start(feed, { kind: 'since', since: Number.MAX_SAFE_INTEGER }), '^1-0');
  });

  test('of a stream that is not there is its beginning, of a drained one its end', async () => {
    const feed = await streamOf('empty', 3);
    await client.command('XTRIM', 'empty', 'MAXLEN', '0');
    for (const wanted of [
      { kind: 'none' },
      { kind: 'all' },
      { kind: 'last', count: 5 },
      { kind: 'since', since: 1000 },
    ] as const) {
      assert.equal(await start({ kind: 'stream', name: 'nothing' }, wanted), '0-0');
      assert.equal(await start(feed, wanted), '3-0');
    }
  });
});

describe('asking a Redis that is not there', () => {
  test('is refused, and works again when it is back', async (t) => {
    const { redis, source: own } = await startBoth(t);
    await answers(own);
    await redis.kill();
    await assert.rejects(own.page(S, from('0-0')), SourceDownError);
    await assert.rejects(own.startOf(S, { kind: 'all' }), SourceDownError);
    await waitFor('the source to say so', () => own.status().detail !== undefined);
    await redis.start();
    await waitFor('the source to be up', () => own.status().up);
    assert.deepEqual((await own.page(S, from('0-0'))).entries, []);
  });

  test('that goes while it is asked is refused too', async (t) => {
    const { redis, source: own } = await startBoth(t);
    await answers(own);
    redis.freeze();
    const refused = assert.rejects(own.page(S, from('0-0')), SourceDownError);
    await redis.kill();
    await refused;
  });
});
