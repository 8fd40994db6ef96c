/** Ids of streams beyond what a JavaScript number holds. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { compareIds } from '../../src/position.ts';
import { idBelow, timeOf } from '../../src/source/redis-stream-id.ts';

const u64 = fc.oneof(fc.bigInt(0n, 3n), fc.bigInt(0n, 2n ** 64n - 1n), fc.constant(2n ** 64n - 1n));
const halves = fc.tuple(u64, u64);
const written = ([time, count]: readonly [bigint, bigint]): string => `${time}-${count}`;
const asNumber = ([time, count]: readonly [bigint, bigint]): bigint => time * 2n ** 64n + count;

describe('ids of entries', () => {
  test('compare as two unsigned 64-bit numbers', () => {
    fc.assert(
      fc.property(halves, halves, (a, b) => {
        const [x, y] = [asNumber(a), asNumber(b)];
        const expected = x < y ? -1 : Number(x > y);
        assert.equal(Math.sign(compareIds(written(a), written(b))), expected);
      }),
    );
  });

  test('have a next lower one, down to the beginning', () => {
    fc.assert(
      fc.property(halves, (id) => {
        const below = idBelow(written(id));
        const [time = '', count = ''] = below.split('-');
        const number = asNumber(id);
        assert.equal(asNumber([BigInt(time), BigInt(count)]), number === 0n ? 0n : number - 1n);
      }),
    );
  });

  test('have the time at which they were given', () => {
    assert.equal(timeOf('1700000000000-3'), 1_700_000_000_000);
  });
});
