/** How long a client waits before it tries again. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { BackOff } from '../../src/client/backoff.ts';

describe('the wait before a reconnect', () => {
  test('grows with every failure and never beyond 30 s', () => {
    const longest = new BackOff(() => 1);
    assert.deepEqual(
      Array.from({ length: 8 }, () => longest.next(undefined)),
      [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000],
    );
    const shortest = new BackOff(() => 0);
    assert.deepEqual([shortest.next(undefined), shortest.next(undefined)], [500, 1000]);
  });

  test('is short again after a success', () => {
    const backOff = new BackOff(() => 1);
    for (let index = 0; index < 9; index += 1) backOff.next(undefined);
    backOff.reset();
    assert.equal(backOff.next(undefined), 1000);
  });

  test('is never shorter than what the server asked for, and never so long that nobody comes back', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(3_600_000), (chance, retry) => {
        const wait = new BackOff(() => chance).next(retry);
        assert.ok(wait >= retry && wait <= Math.max(30_000, retry * 1.1));
      }),
    );
    assert.ok(new BackOff(() => 1).next(Number.MAX_VALUE) <= 4_000_000);
  });

  test('differs between clients', () => {
    let chance = 0;
    const waits = [0.1, 0.4, 0.9].map((value) => {
      chance = value;
      return new BackOff(() => chance).next(2000);
    });
    assert.equal(new Set(waits).size, 3);
  });
});
