/** Whether numbers that many clients are given are spread, so that they do not all act at once. */
import assert from 'node:assert/strict';

const BINS = 10;

/** Fails unless `values` lie around `middle`, over a quarter of it at least, and no tenth of their range has more than twice its share. */
export function assertSpread(values: readonly number[], middle: number): void {
  const least = Math.min(...values);
  const most = Math.max(...values);
  assert.ok(least >= middle / 2 && most <= middle * 2, `from ${least} to ${most}`);
  assert.ok(most - least >= middle / 4, `all of them from ${least} to ${most}`);
  const bins = new Array<number>(BINS).fill(0);
  for (const value of values) {
    const bin = Math.min(BINS - 1, Math.floor(((value - least) / (most - least)) * BINS));
    bins[bin] = (bins[bin] ?? 0) + 1;
  }
  assert.ok(Math.max(...bins) <= (values.length * 2) / BINS, `bins: ${bins}`);
}
