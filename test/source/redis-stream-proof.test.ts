/** What a look at a stream proves to somebody with a place in it, and what it cannot. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { compareIds, formatPosition, parsePosition, type StreamPosition } from '../../src/position.ts';
import type { Look } from '../../src/source/redis-stream-look.ts';
import { prove, type Reader } from '../../src/source/redis-stream-proof.ts';

/** A stream that holds these entries, all ids being `N-0`. */
interface Stream {
  readonly holds: readonly number[];
  readonly last: number;
  /** Undefined below Redis 7. */
  readonly added?: number;
  readonly deleted?: number;
}

/** One place in one stream, and what is to come of it: `gap position added` or `on position added`. */
interface Case {
  readonly title: string;
  readonly at: string;
  /** What is known of the place. */
  readonly added?: number;
  readonly stream: Stream | 'missing';
  readonly live: string;
  /** Where it differs from `live`; a client's place has no count. */
  readonly client?: string;
}

const full = (first: number, last: number): readonly number[] =>
  Array.from({ length: last - first + 1 }, (_, i) => first + i);

const CASES: readonly Case[] = [
  {
    title: 'a key that was not there and still is not',
    at: '0-0',
    added: 0,
    stream: 'missing',
    live: 'on 0-0 0',
  },
  { title: 'a stream that is gone', at: '5-0', added: 5, stream: 'missing', live: 'reset null 0-0 0' },
  {
    title: 'a place before an entry that is gone with its stream',
    at: '^5-0',
    stream: 'missing',
    live: 'reset null 0-0 0',
  },
  {
    title: 'a place in the middle',
    at: '3-0',
    added: 3,
    stream: { holds: full(1, 5), last: 5, added: 5 },
    live: 'on 3-0 3',
    client: 'on 3-0 undefined',
  },
  {
    title: 'a place before an entry that is there',
    at: '^3-0',
    added: 2,
    stream: { holds: full(3, 5), last: 5, added: 5 },
    live: 'on ^3-0 2',
    client: 'on ^3-0 undefined',
  },
  {
    title: 'the newest entry, whose count is known again',
    at: '5-0',
    added: 3,
    stream: { holds: full(1, 5), last: 5, added: 5 },
    live: 'on 5-0 5',
  },
  { title: 'a drained stream', at: '5-0', added: 5, stream: { holds: [], last: 5, added: 5 }, live: 'on 5-0 5' },
  {
    title: 'the newest entry, deleted by its owner',
    at: '5-0',
    added: 5,
    stream: { holds: full(1, 4), last: 5, added: 5, deleted: 5 },
    live: 'on 5-0 5',
  },
  {
    title: 'a drained stream that was continued',
    at: '5-0',
    added: 5,
    stream: { holds: [6, 7], last: 7, added: 7 },
    live: 'on 5-0 5',
    client: 'trimmed null ^6-0 5',
  },
  {
    title: 'a stream trimmed just up to the place',
    at: '5-0',
    added: 5,
    stream: { holds: full(6, 9), last: 9, added: 9 },
    live: 'on 5-0 5',
    client: 'trimmed null ^6-0 5',
  },
  {
    title: 'a stream trimmed beyond the place',
    at: '5-0',
    added: 5,
    stream: { holds: full(8, 9), last: 9, added: 9 },
    live: 'trimmed 2 ^8-0 7',
    client: 'trimmed null ^8-0 7',
  },
  {
    title: 'a stream trimmed beyond the beginning',
    at: '0-0',
    added: 0,
    stream: { holds: full(8, 9), last: 9, added: 9 },
    live: 'trimmed 7 ^8-0 7',
  },
  {
    title: 'the beginning of a stream that has all',
    at: '0-0',
    stream: { holds: full(1, 9), last: 9, added: 9 },
    live: 'on 0-0 0',
  },
  {
    title: 'the beginning of a drained stream',
    at: '0-0',
    stream: { holds: [], last: 9, added: 9 },
    live: 'trimmed 9 9-0 9',
  },
  {
    title: 'a place before an entry that was trimmed',
    at: '^5-0',
    added: 4,
    stream: { holds: full(8, 9), last: 9, added: 9 },
    live: 'trimmed 3 ^8-0 7',
    client: 'trimmed null ^8-0 7',
  },
  {
    title: 'a place before the newest entry, drained',
    at: '^5-0',
    added: 4,
    stream: { holds: [], last: 5, added: 5 },
    live: 'trimmed 1 5-0 5',
    client: 'trimmed null 5-0 5',
  },
  {
    title: 'a place before the newest entry, deleted by its owner',
    at: '^5-0',
    added: 4,
    stream: { holds: full(1, 4), last: 5, added: 5, deleted: 5 },
    live: 'fork ^1-0 1 removed',
    client: 'on ^5-0 undefined',
  },
  {
    title: 'a stream that was continued and drained',
    at: '5-0',
    added: 5,
    stream: { holds: [], last: 9, added: 9 },
    live: 'trimmed 4 9-0 9',
    client: 'trimmed null 9-0 9',
  },
  {
    title: 'a last id that was set ahead with nothing added',
    at: '5-0',
    added: 5,
    stream: { holds: [], last: 9, added: 5 },
    live: 'on 9-0 5',
    client: 'trimmed null 9-0 5',
  },
  {
    title: 'another stream under the same name, with higher ids',
    at: '5-0',
    added: 5,
    stream: { holds: full(6, 7), last: 7, added: 2 },
    live: 'reset null ^6-0 0',
  },
  {
    title: 'another stream, trimmed, which has not had as many entries',
    at: '5-0',
    added: 5,
    stream: { holds: full(7, 8), last: 8, added: 3 },
    live: 'reset null ^7-0 1',
    client: 'trimmed null ^7-0 1',
  },
  {
    title: 'another stream under the same name, with lower ids',
    at: '5-0',
    added: 5,
    stream: { holds: full(1, 2), last: 2, added: 2 },
    live: 'fork ^1-0 0',
    client: 'unknown-position null 2-0 2',
  },
  {
    title: 'another stream, empty, with a lower last id',
    at: '5-0',
    added: 5,
    stream: { holds: [], last: 2, added: 2 },
    live: 'fork 2-0 2',
    client: 'unknown-position null 2-0 2',
  },
  {
    title: 'a stream without any entry ever',
    at: '5-0',
    added: 5,
    stream: { holds: [], last: 0, added: 0 },
    live: 'fork 0-0 0',
    client: 'unknown-position null 0-0 0',
  },
  {
    title: 'a place that the stream went past another way',
    at: '5-0',
    added: 5,
    stream: { holds: [1, 2, 3, 7], last: 7, added: 4 },
    live: 'fork ^1-0 0',
    client: 'unknown-position null 5-0 undefined',
  },
  {
    title: 'a place that its owner has deleted',
    at: '5-0',
    added: 5,
    stream: { holds: [1, 2, 3, 4, 6], last: 6, added: 6, deleted: 5 },
    live: 'fork ^1-0 1 removed',
    client: 'on 5-0 undefined',
  },
  {
    title: 'a key that was not there, below Redis 7',
    at: '0-0',
    stream: { holds: full(1, 3), last: 3 },
    live: 'on 0-0 undefined',
  },
  {
    title: 'a trimmed place, below Redis 7',
    at: '5-0',
    stream: { holds: full(6, 7), last: 7 },
    live: 'trimmed null ^6-0 undefined',
  },
];

describe('a look at a stream', () => {
  for (const { title, at, added, stream, live, client = live } of CASES) {
    test(`${title}: ${live}${client === live ? '' : `, for a client ${client}`}`, () => {
      assert.equal(decide('live', at, added, stream), live);
      assert.equal(decide('client', at, undefined, stream), client);
    });
  }

  test('that finds something else there says what', () => {
    const place = { at: positionOf('5-0'), added: 5 };
    const reason = 'it holds a hash, which is no stream';
    assert.deepEqual(prove(place, { kind: 'unreadable', reason }, 'live'), { kind: 'unreadable', reason });
  });
});

function decide(reader: Reader, at: string, added: number | undefined, stream: Stream | 'missing'): string {
  const position = positionOf(at);
  const proof = prove({ at: position, added }, lookAt(stream, position), reader);
  switch (proof.kind) {
    case 'unreadable':
      return proof.reason;
    case 'fork':
      return `fork ${formatPosition(proof.otherwise.at)} ${proof.otherwise.added}${proof.removed ? ' removed' : ''}`;
    case 'place': {
      const { gap, place } = proof;
      if (gap !== undefined) assert.deepEqual(gap.at, place.at);
      const what = gap === undefined ? 'on' : `${gap.reason} ${gap.lost}`;
      return `${what} ${formatPosition(place.at)} ${place.added}`;
    }
    default:
      return proof satisfies never;
  }
}

function lookAt(stream: Stream | 'missing', { id }: StreamPosition): Look {
  if (stream === 'missing') return { kind: 'missing' };
  const ids = stream.holds.map((n) => `${n}-0`);
  return {
    kind: 'stream',
    last: `${stream.last}-0`,
    length: ids.length,
    added: stream.added,
    deleted: stream.added === undefined ? undefined : `${stream.deleted ?? 0}-0`,
    first: ids[0],
    entries: ids.filter((each) => compareIds(each, id) >= 0).map((each) => ({ id: each, fields: [] })),
  };
}

function positionOf(text: string): StreamPosition {
  const position = parsePosition(text);
  assert.ok(position?.kind === 'stream');
  return position;
}
