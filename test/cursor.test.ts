/** What a client has: cursors come back from their text, and nothing from outside is taken for one that is none. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type Cursor, formatCursor, logCursor, longestCursor, MAX_CURSOR_BYTES, parseCursor } from '../src/cursor.ts';
import type { Position } from '../src/position.ts';
import { channelNames, cursors, logPositions, positions } from './support/arbitrary.ts';

/** All that an id may be made of, so that no client and no proxy changes it. */
const ID_CHARACTERS = /^[A-Za-z0-9_.~^=,%-]+$/;

const log = (number: number): Position => ({ kind: 'log', epoch: 'k3', number });
const cursor = (main: Position | undefined, ...named: (readonly [string, Position])[]): Cursor => ({
  main,
  named: new Map(named),
});

const CURSORS: readonly (readonly [text: string, meaning: Cursor])[] = [
  ['k3-5', cursor(log(5))],
  ['^1-0', cursor({ kind: 'stream', id: '1-0', before: true })],
  ['~0', cursor({ kind: 'key', digest: '0' })],
  ['k3-5,rates=k3-4', cursor(log(5), ['rates', log(4)])],
  [
    'k3-5,chat=1-0,price=~ab',
    cursor(log(5), ['chat', { kind: 'stream', id: '1-0', before: false }], ['price', { kind: 'key', digest: 'ab' }]),
  ],
  [',chat=1-0', cursor(undefined, ['chat', { kind: 'stream', id: '1-0', before: false }])],
  ['k3-5,a%3Ab=k3-4', cursor(log(5), ['a:b', log(4)])],
  ['k3-5,a%3ab=k3-4', cursor(log(5), ['a:b', log(4)])],
  ['k3-5,%61=k3-4', cursor(log(5), ['a', log(4)])],
];

/** None of these is a cursor. */
const NONE: readonly string[] = [
  ...[
    '',
    ',',
    ',,',
    'k3-5,',
    ',k3-5',
    'k3-5,,a=k3-4',
    'k3-5,a',
    'k3-5,a=',
    'k3-5,=k3-4',
    'k3-5,a=k3-4,',
    'k3-5,a==k3-4',
  ],
  ...['k3-5,a=k3-4,a=k3-3', 'k3-5,a=k3-4,%61=k3-3', 'k3-5, a=k3-4', 'k3-5,a =k3-4', 'k3-5 ,a=k3-4', 'k3-5;a=k3-4'],
  ...[
    '1-0,a=k3-4',
    '~0,a=k3-4',
    '^1-0,a=k3-4',
    'x,a=k3-4',
    'k3-5,a=x',
    'k3-5,a:b=k3-4',
    'k3-5,a~=k3-4',
    'k3-5,\u00e9=k3-4',
  ],
  ...['k3-5,%=k3-4', 'k3-5,%4=k3-4', 'k3-5,%zz=k3-4', 'k3-5,%ff=k3-4', 'k3-5,%c0%af=k3-4', 'k3-5,a%=k3-4'],
];

describe('a cursor', () => {
  test('is read as what it says', () => {
    for (const [text, meaning] of CURSORS) assert.deepEqual(parseCursor(text), meaning, text);
  });

  test('of any form comes back from its text, which is made of what every client sends back as it is', () => {
    fc.assert(
      fc.property(cursors(), (given) => {
        const text = formatCursor(given);
        assert.match(text, ID_CHARACTERS);
        if (text.length <= MAX_CURSOR_BYTES) assert.deepEqual(parseCursor(text), given);
        else assert.equal(parseCursor(text), undefined);
      }),
    );
  });

  test('is never read from anything that only looks like one', () => {
    for (const text of NONE) assert.equal(parseCursor(text), undefined, JSON.stringify(text));
  });

  test('is read from any text without an error, and what is read means what the text says', () => {
    const part = fc.oneof(
      positions().map((position) => formatCursor(cursor(position))),
      fc.constantFrom('', ',', '=', 'a', '%61', '%', '%C3%A9', '%FF', 'a=', ',a=', ' ', '\0'),
    );
    const near = fc.array(part, { maxLength: 10 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), near), (text) => {
        const read = parseCursor(text);
        if (read === undefined) return;
        assert.deepEqual(parseCursor(formatCursor(read)), read);
        if (!text.includes('%')) assert.equal(formatCursor(read), text);
      }),
      { numRuns: 1000 },
    );
  });

  test('is at most 4 KiB', () => {
    const filled = (length: number): string => `k3-5,${'a'.repeat(length - 'k3-5,=k3-4'.length)}=k3-4`;
    assert.equal(filled(4096).length, MAX_CURSOR_BYTES);
    assert.notEqual(parseCursor(filled(4096)), undefined);
    assert.equal(parseCursor(filled(4097)), undefined);
  });
});

describe('the cursor of log channels', () => {
  const numbers = fc.uniqueArray(fc.tuple(channelNames(), fc.nat(4)), {
    minLength: 1,
    maxLength: 8,
    selector: ([name]) => name,
  });

  test('says for each where it stands', () => {
    fc.assert(
      fc.property(numbers, (entries) => {
        const { main, named } = logCursor('k3', new Map(entries));
        for (const [name, number] of entries) assert.deepEqual(named.get(name) ?? main, log(number));
      }),
    );
  });

  test('is a single position where all stand at one number, and names no more than it must', () => {
    assert.equal(
      formatCursor(
        logCursor(
          'k3',
          new Map([
            ['a', 7],
            ['b', 7],
          ]),
        ),
      ),
      'k3-7',
    );
    assert.equal(
      formatCursor(
        logCursor(
          'k3',
          new Map([
            ['a', 7],
            ['b', 4],
            ['c', 7],
          ]),
        ),
      ),
      'k3-7,b=k3-4',
    );
    fc.assert(
      fc.property(numbers, (entries) => {
        const counts = new Map<number, number>();
        for (const [, number] of entries) counts.set(number, (counts.get(number) ?? 0) + 1);
        assert.equal(logCursor('k3', new Map(entries)).named.size, entries.length - Math.max(...counts.values()));
      }),
    );
  });
});

describe('the longest that a cursor can become', () => {
  test('bounds every cursor of these channels in logs and streams', () => {
    const position = positions().filter(({ kind }) => kind !== 'key');
    const entry = fc.tuple(channelNames(), position);
    const several = fc.uniqueArray(entry, { minLength: 2, maxLength: 6, selector: ([name]) => name });
    fc.assert(
      fc.property(several, logPositions(), (named, main) => {
        const longest = longestCursor(named.map(([name]) => name));
        assert.ok(formatCursor(cursor(main, ...named)).length <= longest);
      }),
    );
    fc.assert(
      fc.property(entry, ([name, only]) => assert.ok(formatCursor(cursor(only)).length <= longestCursor([name]))),
    );
  });
});
