/** How late a process is, by a clock that a test moves. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Clock } from '../../src/clock.ts';
import { LoopDelay } from '../../src/load/loop-delay.ts';

test('a look that comes 40 ms after its time is a delay of 40 ms, and one in time is none', () => {
  let now = 100;
  let look = (): void => undefined;
  let cancelled = false;
  const clock: Clock = {
    now: () => now,
    wall: () => now,
    after: () => () => undefined,
    every: (_, run) => {
      look = run;
      return () => {
        cancelled = true;
      };
    },
  };
  const delay = new LoopDelay(clock);
  for (const step of [5, 45, 5, 5]) {
    now += step;
    look();
  }
  assert.deepEqual([delay.delays.total, delay.delays.at(0.5), delay.delays.max], [4, 0, 40_000]);
  delay.stop();
  assert.equal(cancelled, true);
});
