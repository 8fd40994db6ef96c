/** Time as it is handed down: the machine's own, and jitter. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { jitter, systemClock, watchLoop } from '../src/clock.ts';

describe("the machine's time", () => {
  test('goes on by itself and never back', () => {
    const first = systemClock.now();
    assert.ok(systemClock.now() >= first);
    assert.ok(Math.abs(systemClock.wall() - Date.now()) < 60_000);
  });

  test('calls once after a while, and again and again until it is cancelled', async () => {
    const alive = setInterval(() => undefined, 1000);
    await new Promise<void>((resolve) => void systemClock.after(1, resolve));
    let calls = 0;
    await new Promise<void>((resolve) => {
      const cancel = systemClock.every(1, () => {
        calls += 1;
        if (calls < 3) return;
        cancel();
        resolve();
      });
    });
    await new Promise<void>((resolve) => void systemClock.after(10, resolve));
    assert.equal(calls, 3);
    clearInterval(alive);
  });

  test('does not call what was cancelled, and cancelling again does nothing', async () => {
    const alive = setInterval(() => undefined, 1000);
    const cancel = systemClock.after(1, () => assert.fail('called after all'));
    cancel();
    cancel();
    await new Promise<void>((resolve) => void systemClock.after(10, resolve));
    clearInterval(alive);
  });

  test('takes a delay that no timer holds for a long one, not for none', async () => {
    const alive = setInterval(() => undefined, 1000);
    const cancels = [2 ** 31, 2 ** 53, Number.POSITIVE_INFINITY].map((ms) =>
      systemClock.after(ms, () => assert.fail('called at once')),
    );
    await new Promise<void>((resolve) => void systemClock.after(10, resolve));
    for (const cancel of cancels) cancel();
    clearInterval(alive);
  });
});

describe('the delay of the event loop', () => {
  test('is told since it was last asked', async () => {
    const read = watchLoop();
    const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 50));
    await pause();
    const end = performance.now() + 200;
    while (performance.now() < end); // blocks the loop
    await pause();
    const { p99, p999, max } = read();
    assert.ok(max >= 0.15 && max >= p999 && p999 >= p99 && p99 >= 0, `${p99} ${p999} ${max}`);
    assert.deepEqual(read(), { p99: 0, p999: 0, max: 0 });
  });
});

describe('jitter', () => {
  test('moves a value by no more than its share, in both directions', () => {
    const unit = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(fc.nat(1e9), unit, unit, (value, share, chance) => {
        const moved = jitter(value, share, () => chance);
        assert.ok(moved >= value * (1 - share) - 1e-6 && moved <= value * (1 + share) + 1e-6);
      }),
    );
    assert.deepEqual(
      [0, 0.5, 1].map((chance) => jitter(100, 0.5, () => chance)),
      [50, 100, 150],
    );
  });
});
