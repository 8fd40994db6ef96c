/** Where a subscriber of a log starts, and which gap it is told: every decision there is. */
import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { isPastEnd, type Resuming, startOf } from '../../src/channel/continuity.ts';
import { Held } from '../../src/channel/history.ts';
import { Log } from '../../src/channel/log.ts';
import { Numbering } from '../../src/position.ts';
import { broughtBy } from '../support/core.ts';

const FROM_HEAD: Resuming = { replay: { kind: 'none' }, publisherIds: false };

/** Number 1 is of another channel; 2 to 6 are of this one, of which 5 and 6 are kept; 7 and 8 are of another again. */
let numbering: Numbering;
let log: Log;
beforeEach(() => {
  numbering = new Numbering('here');
  const context = { numbering, held: new Held(), now: () => 0 };
  const limits = { events: 2, age: 1000, bytes: 1000 };
  const other = new Log('b', limits, 0, context);
  log = new Log('a', limits, 0, context);
  other.append({ data: Buffer.from('1') });
  for (const id of ['x', 'y', 'z', 'x', 'y']) log.append({ data: Buffer.from('.'), id });
  for (const data of ['7', '8']) other.append({ data: Buffer.from(data) });
  assert.deepEqual([log.base, log.head, numbering.last], [4, 6, 8]);
});

/** What a client brings, where it starts, the reason of the gap if there is one, and its `after` where that is another text. */
const DECISIONS: readonly (readonly [
  text: string | undefined,
  from: number,
  reason?: string,
  after?: string | null,
])[] = [
  [undefined, 8],
  ['here-8', 8],
  ['here-7', 7],
  ['here-6', 6],
  ['here-5', 5],
  ['here-4', 4],
  ['here-3', 4, 'trimmed'],
  ['here-0', 4, 'trimmed'],
  ['here-9', 8, 'unknown-position'],
  ['here-9007199254740991', 8, 'unknown-position'],
  ['there-5', 8, 'restarted'],
  ['there-0', 8, 'restarted'],
  ['there-99', 8, 'restarted'],
  ['5-0', 8, 'unknown-position'],
  ['^5-0', 8, 'unknown-position'],
  ['~5', 8, 'unknown-position'],
  ['not a cursor', 8, 'unknown-position', null],
  ['', 8, 'unknown-position', null],
  ['here-8,a=here-5', 5],
  ['here-5,a=here-8', 8],
  ['here-8,a=here-3', 4, 'trimmed', 'here-3'],
  ['here-8,a=there-5', 8, 'restarted', 'there-5'],
  ['here-8,a=5-0', 8, 'unknown-position', '5-0'],
  ['here-5,b=here-1', 5],
  ['there-5,a=here-5', 5],
  [',a=here-5', 5],
  [',b=here-5', 8, 'unknown-position', null],
];

describe('where a subscriber of a log starts', () => {
  test('is decided by its cursor alone, and nothing that cannot be proved goes without a gap', () => {
    for (const [text, from, reason, after] of DECISIONS) {
      const start = startOf(log, broughtBy(text), FROM_HEAD, numbering);
      const gap = { channel: 'a', reason, after: after === undefined ? text : after, lost: null };
      assert.deepEqual(start, { from, gap: reason === undefined ? undefined : gap }, `${text}`);
    }
  });

  test('is what the channel replays where nothing is brought, and never a replay where a cursor is', () => {
    const starts = [
      ['none', 8],
      ['all', 4],
    ] as const;
    for (const [kind, from] of starts) {
      const resuming: Resuming = { replay: { kind }, publisherIds: false };
      assert.deepEqual(startOf(log, broughtBy(undefined), resuming, numbering), { from, gap: undefined });
      assert.equal(startOf(log, broughtBy('here-5'), resuming, numbering).from, 5);
      assert.equal(startOf(log, broughtBy('no cursor'), resuming, numbering).from, 8);
      assert.equal(startOf(log, broughtBy('there-5'), resuming, numbering).from, 8);
    }
    const last: Resuming = { replay: { kind: 'last', count: 1 }, publisherIds: false };
    assert.deepEqual(startOf(log, broughtBy(undefined), last, numbering), { from: 5, gap: undefined });
  });

  test('does not become a gap by age: a client may be away for as long as nothing is dropped', () => {
    log.forget();
    assert.deepEqual(startOf(log, broughtBy('here-6'), FROM_HEAD, numbering), { from: 6, gap: undefined });
    assert.equal(startOf(log, broughtBy('here-5'), FROM_HEAD, numbering).gap?.reason, 'trimmed');
  });
});

describe("where a subscriber starts whose ids are the publisher's", () => {
  const resuming: Resuming = { replay: { kind: 'none' }, publisherIds: true };

  test('is after the kept event with that id', () => {
    assert.deepEqual(startOf(log, broughtBy('x'), resuming, numbering), { from: 5, gap: undefined });
    assert.deepEqual(startOf(log, broughtBy('y'), resuming, numbering), { from: 6, gap: undefined });
  });

  test('is the head after a gap where no kept event has that id', () => {
    for (const text of ['z', 'w', '']) {
      const { from, gap } = startOf(log, broughtBy(text), resuming, numbering);
      assert.deepEqual([from, gap?.reason], [8, 'unknown-position'], text);
    }
  });

  test('is the head after a gap where two kept events have that id: the client may have either', () => {
    for (let i = 0; i < 2; i += 1) log.append({ data: Buffer.from('.'), id: 'twice' });
    assert.equal(startOf(log, broughtBy('twice'), resuming, numbering).gap?.reason, 'unknown-position');
  });

  test("is where the gateway's own cursor says, since the first id of a stream is one", () => {
    assert.deepEqual(startOf(log, broughtBy('here-5'), resuming, numbering), { from: 5, gap: undefined });
  });
});

describe('a reconnect to a channel that has ended', () => {
  test('has everything at or past the end, and only with a cursor of this process', () => {
    log.append({ end: true });
    const end = numbering.last;
    numbering.next();
    const cases = [
      [`here-${end}`, true],
      [`here-${end + 1}`, true],
      [`here-${end - 1}`, false],
      [`here-${end + 2}`, false],
      [`there-${end}`, false],
      [`here-1,a=here-${end}`, true],
      [`here-${end},a=here-5`, false],
      ['9-0', false],
      ['no cursor', false],
      [undefined, false],
    ] as const;
    for (const [text, past] of cases) assert.equal(isPastEnd(log, broughtBy(text), numbering), past, `${text}`);
  });

  test('has not where the channel goes on, or was opened again', () => {
    assert.equal(isPastEnd(log, broughtBy('here-8'), numbering), false);
    log.append({ end: true });
    log.append({ data: Buffer.from('again') });
    assert.equal(isPastEnd(log, broughtBy(`here-${numbering.last}`), numbering), false);
  });
});
