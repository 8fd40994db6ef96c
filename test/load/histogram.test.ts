/** The histogram of the bench: percentiles of many values, exact to a hundredth of themselves. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { Histogram } from '../../src/load/histogram.ts';

describe('the histogram', () => {
  test('a percentile is at most 1/128 below the exact one, and never above', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.nat(300), fc.nat(2 ** 31 - 1)), { minLength: 1 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (values, quantile) => {
          const sorted = values.toSorted((a, b) => a - b);
          const exact = sorted[Math.max(1, Math.ceil(quantile * sorted.length)) - 1] ?? 0;
          const told = filled(values).at(quantile);
          assert.ok(told <= exact && told > exact - exact / 128 - 1, `${told} for ${exact}`);
        },
      ),
    );
  });

  test('small values and the largest one are exact', () => {
    const histogram = filled([3, 1, 2, 1_234_567]);
    assert.deepEqual(
      [0.25, 0.5, 0.75].map((quantile) => histogram.at(quantile)),
      [1, 2, 3],
    );
    assert.equal(histogram.max, 1_234_567);
    assert.equal(histogram.total, 4);
  });

  test('what is below a bound is counted, to the width of a bucket', () => {
    const histogram = filled([0, 99, 100, 101, 5000]);
    assert.deepEqual(
      [0, 100, 101, 4000, 2 ** 31].map((bound) => histogram.below(bound)),
      [0, 2, 3, 4, 5],
    );
  });

  test('an empty one, or one that was cleared, tells 0', () => {
    const histogram = filled([5, 6]);
    histogram.clear();
    assert.deepEqual([histogram.total, histogram.max, histogram.at(0.99)], [0, 0, 0]);
  });
});

function filled(values: readonly number[]): Histogram {
  const histogram = new Histogram();
  for (const value of values) histogram.record(value);
  return histogram;
}
