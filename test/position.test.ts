/** Where an event stands: what is a position, what is none, and the one counter of a process. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { epochFrom, formatPosition, Numbering, type Position, parsePosition } from '../src/position.ts';
import { positions } from './support/arbitrary.ts';

const POSITIONS: readonly (readonly [text: string, position: Position])[] = [
  ['k3-0', { kind: 'log', epoch: 'k3', number: 0 }],
  ['kfj29ax-5000', { kind: 'log', epoch: 'kfj29ax', number: 5000 }],
  ['Kfj29axKfj29axAb-9007199254740991', { kind: 'log', epoch: 'Kfj29axKfj29axAb', number: 2 ** 53 - 1 }],
  ['0-0', { kind: 'stream', id: '0-0', before: false }],
  ['1700000000000-3', { kind: 'stream', id: '1700000000000-3', before: false }],
  ['^1-0', { kind: 'stream', id: '1-0', before: true }],
  [`${2n ** 64n - 1n}-${2n ** 64n - 1n}`, { kind: 'stream', id: `${2n ** 64n - 1n}-${2n ** 64n - 1n}`, before: false }],
  ['~0', { kind: 'key', digest: '0' }],
  ['~aZ09_-', { kind: 'key', digest: 'aZ09_-' }],
];

/** None of these is a position, however close it comes. */
const NONE: readonly string[] = [
  ...['', '-', '~', '^', '0', '1-', '-1', '1--1', '+1-0', '1-+1', ' 1-0', '1-0 ', '1-0\n', '\n1-0', '1.0-0', '0x1-0'],
  ...[`${2n ** 64n}-0`, `0-${2n ** 64n}`, '99999999999999999999-0', '00-0', '01-0', '1-00', '^^1-0', '^~0', '1-1-1'],
  ...[
    'k-0',
    'k3-',
    'k3-01',
    'k3--1',
    'k3-1e3',
    'k3-9007199254740992',
    'k3-99999999999999999',
    '3k-1',
    '^k3-1',
    'k_3-1',
  ],
  ...['kfj29axkfj29axabc-1', '\u00e93-1', '~', '~~0', '~a b', '~a=b', `~${'a'.repeat(65)}`, '~\u00e9', '$', '*', '>'],
  ...['k3-1,', 'k3-1,a=k3-2', '1-0\0', '\u0661-0', '1-\u0661', 'NaN', 'null', '[object Object]'],
];

describe('a position', () => {
  test('is read as what it says, and written the same', () => {
    for (const [text, position] of POSITIONS) {
      assert.deepEqual(parsePosition(text), position, text);
      assert.equal(formatPosition(position), text);
    }
  });

  test('of any kind comes back from its text', () => {
    fc.assert(
      fc.property(positions(), (position) => assert.deepEqual(parsePosition(formatPosition(position)), position)),
    );
  });

  test('is never read from anything that only looks like one', () => {
    for (const text of NONE) assert.equal(parsePosition(text), undefined, JSON.stringify(text));
  });

  test('is read from any text without an error, and only where that text is how it is written', () => {
    const near = fc.string({ unit: fc.constantFrom(...'k39^~-_,= 01'), maxLength: 24 });
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), near), (text) => {
        const position = parsePosition(text);
        if (position !== undefined) assert.equal(formatPosition(position), text);
      }),
    );
  });
});

describe('the numbering of a process', () => {
  test('counts from 1 and says what it gave last', () => {
    const numbering = new Numbering('k3');
    assert.equal(numbering.last, 0);
    assert.deepEqual([numbering.next(), numbering.next(), numbering.last], [1, 2, 2]);
    assert.deepEqual(parsePosition(numbering.text(2)), { kind: 'log', epoch: 'k3', number: 2 });
  });

  test('has an epoch that begins with a letter and stands in a position, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 7, maxLength: 7 }), (bytes) => {
        const epoch = epochFrom(bytes);
        assert.match(epoch, /^[a-z][a-z0-9]{6}$/);
        assert.deepEqual(parsePosition(`${epoch}-1`), { kind: 'log', epoch, number: 1 });
      }),
    );
  });

  test('has another epoch in another process', () => {
    const bytes = Uint8Array.from({ length: 7 }, (_, i) => i * 7);
    const others = Array.from({ length: 7 }, (_, i) => epochFrom(bytes.map((byte, j) => (i === j ? byte + 1 : byte))));
    assert.equal(new Set([epochFrom(bytes), ...others]).size, 8);
  });
});
