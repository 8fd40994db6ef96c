/** When a quiet connection is taken for dead. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Silence } from '../../src/client/silence.ts';
import { FakeClock } from './fake-clock.ts';

describe('a connection that says nothing', () => {
  test('is given up after 45 s', async () => {
    const clock = new FakeClock();
    const stop = await watchSilently(new Silence(), clock, 44_999);
    assert.equal(stop.signal.aborted, false);
    clock.advance(1);
    assert.match(String(stop.signal.reason), /nothing heard for 45 s/);
  });

  test('is given more time where the gateway was seen to speak seldom', async () => {
    const clock = new FakeClock();
    const silence = new Silence();
    await hear(silence, clock, 40_000);
    const stop = await watchSilently(silence, clock, 119_999);
    assert.equal(stop.signal.aborted, false);
    clock.advance(1);
    assert.equal(stop.signal.aborted, true);
  });

  test('is given twice the time after each time it was given up, up to ten minutes', async () => {
    const clock = new FakeClock();
    const silence = new Silence();
    const limits: number[] = [];
    for (let index = 0; index < 6; index += 1) {
      const since = clock.now();
      const stop = await watchSilently(silence, clock, 0);
      while (!stop.signal.aborted) clock.advance(1000);
      limits.push(clock.now() - since);
    }
    assert.deepEqual(limits, [45_000, 90_000, 180_000, 360_000, 600_000, 600_000]);
  });

  test('does not count the time in which nobody waited for it', async () => {
    const clock = new FakeClock();
    const silence = new Silence();
    await hear(silence, clock, 10);
    clock.advance(3_600_000);
    const stop = await watchSilently(silence, clock, 44_000);
    assert.equal(stop.signal.aborted, false);
  });
});

async function hear(silence: Silence, clock: FakeClock, ms: number): Promise<void> {
  const heard = Promise.withResolvers<void>();
  const watched = silence.watch(() => heard.promise, new AbortController(), clock);
  clock.advance(ms);
  heard.resolve();
  await watched;
}

/** Waits for something that never comes, `ms` long. */
function watchSilently(silence: Silence, clock: FakeClock, ms: number): Promise<AbortController> {
  const stop = new AbortController();
  void silence.watch(() => new Promise(() => undefined), stop, clock);
  clock.advance(ms);
  return Promise.resolve(stop);
}
