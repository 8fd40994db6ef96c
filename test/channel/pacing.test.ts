/** How often a paced channel changes, and that what it says in the end is the newest. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { Pacing, type PacingOptions } from '../../src/channel/pacing.ts';
import { FakeClock } from '../client/fake-clock.ts';

/** One delivery: when it came and what was in it. */
type Delivery = readonly [at: number, ...items: string[]];

describe('a paced channel', () => {
  test('lets the first item after a quiet time through at once, and sets no timer for it', () => {
    const { clock, pacing, delivered } = paced();
    pacing.push('k', 'a');
    assert.deepEqual(delivered, [[0, 'a']]);
    assert.deepEqual(clock.pending, []);
    clock.advance(100);
    pacing.push('k', 'b');
    assert.deepEqual(delivered, [
      [0, 'a'],
      [100, 'b'],
    ]);
  });

  test('holds what follows, and delivers the newest at the end of the interval', () => {
    const { clock, pacing, delivered } = paced();
    pacing.push('k', 'a');
    clock.advance(30);
    pacing.push('k', 'b');
    clock.advance(30);
    pacing.push('k', 'c');
    clock.advance(39);
    assert.deepEqual(delivered, [[0, 'a']]);
    clock.advance(1);
    assert.deepEqual(delivered, [
      [0, 'a'],
      [100, 'c'],
    ]);
  });

  test('runs from one interval into the next while items come, and is quiet afterwards', () => {
    const { clock, pacing, delivered } = paced();
    for (let at = 0; at < 250; at += 10) {
      pacing.push('k', `${at}`);
      clock.advance(10);
    }
    clock.advance(1000);
    assert.deepEqual(delivered, [
      [0, '0'],
      [100, '90'],
      [200, '190'],
      [300, '240'],
    ]);
    assert.deepEqual(clock.pending, []);
  });

  test('delivers the newest of each key together, in the order in which these came', () => {
    const { clock, pacing, delivered } = paced();
    for (const item of ['x0', 'a1', 'b1', 'c1', 'a2', 'b2', 'a3']) pacing.push(item.slice(0, 1), item);
    clock.advance(100);
    assert.deepEqual(delivered, [
      [0, 'x0'],
      [100, 'c1', 'b2', 'a3'],
    ]);
  });

  test('delivers what is held before an end or gap, which does not wait', () => {
    const { clock, pacing, delivered } = paced();
    pacing.push('k', 'a');
    clock.advance(20);
    pacing.push('k', 'b');
    pacing.pushAtOnce('gap');
    pacing.pushAtOnce('end');
    clock.advance(10);
    pacing.push('k', 'c');
    clock.advance(1000);
    assert.deepEqual(delivered, [
      [0, 'a'],
      [20, 'b', 'gap'],
      [20, 'end'],
      [120, 'c'],
    ]);
  });

  test('delivers early rather than to hold too many keys', () => {
    const { clock, pacing, delivered } = paced({ maxKeys: 2 });
    for (const item of ['x0', 'a1', 'b1', 'a2', 'c1']) pacing.push(item.slice(0, 1), item);
    assert.deepEqual(delivered, [
      [0, 'x0'],
      [0, 'b1', 'a2'],
    ]);
    clock.advance(100);
    assert.deepEqual(delivered.slice(2), [[100, 'c1']]);
  });

  test('delivers early rather than to hold too many bytes, and holds one item of any size', () => {
    const { clock, pacing, delivered } = paced({ maxBytes: 10 });
    for (const item of ['x0', 'a12345', 'b123', 'b12345', 'b1', 'c12345678901']) pacing.push(item.slice(0, 1), item);
    assert.deepEqual(delivered, [
      [0, 'x0'],
      [0, 'a12345'],
      [0, 'b1'],
    ]);
    clock.advance(100);
    assert.deepEqual(delivered.slice(3), [[100, 'c12345678901']]);
  });

  test('delivers what is held when it is asked to, and nothing where nothing is held', () => {
    const { clock, pacing, delivered } = paced();
    pacing.flush();
    pacing.push('k', 'a');
    pacing.push('k', 'b');
    clock.advance(10);
    pacing.flush();
    pacing.flush();
    assert.deepEqual(delivered, [
      [0, 'a'],
      [10, 'b'],
    ]);
    assert.deepEqual(clock.pending, []);
  });

  test('delivers nothing more once it was stopped, and leaves no timer', () => {
    const { clock, pacing, delivered } = paced();
    pacing.push('k', 'a');
    pacing.push('k', 'b');
    pacing.stop();
    assert.deepEqual(clock.pending, []);
    clock.advance(1000);
    assert.deepEqual(delivered, [[0, 'a']]);
  });

  test('can be slower than once a second, and is never faster than it was asked for', () => {
    const slow = paced({ perSecond: 0.1 });
    slow.pacing.push('k', 'a');
    slow.pacing.push('k', 'b');
    slow.clock.advance(9999);
    assert.equal(slow.delivered.length, 1);
    slow.clock.advance(1);
    assert.equal(slow.delivered.length, 2);
    const odd = paced({ perSecond: 3 });
    odd.pacing.push('k', 'a');
    odd.pacing.push('k', 'b');
    assert.deepEqual(odd.clock.pending, [334]);
  });

  test('keeps its rate, its order and every last word, whatever comes when', () => {
    fc.assert(
      fc.property(SCRIPT, fc.constantFrom(0.5, 3, 10, 400), (steps, perSecond) => {
        const run = play(steps, { perSecond });
        assertRate(run.delivered, perSecond);
        assertOrder(run);
        assert.deepEqual(run.clock.pending, []);
      }),
    );
  });

  test('keeps its order and every last word with ends, gaps and bounds, and holds no more than they say', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(STEP, STEP, AT_ONCE)), fc.integer({ min: 1, max: 4 }), (steps, maxKeys) => {
        const run = play(steps, { maxKeys, maxBytes: 40 });
        assertOrder(run);
        for (const [, ...items] of run.delivered) assert.ok(items.length <= maxKeys + 1);
        assert.deepEqual(run.clock.pending, []);
      }),
    );
  });
});

/** Waits `wait` ms and pushes an item of `key`; without a key one that does not wait. */
interface Step {
  readonly wait: number;
  readonly key: string | undefined;
}

const STEP = fc.record({ wait: fc.oneof(fc.constant(0), fc.nat(40), fc.nat(3000)), key: fc.constantFrom(...'abcdef') });
const AT_ONCE = fc.record({ wait: fc.nat(150), key: fc.constant(undefined) });
const SCRIPT = fc.array(STEP, { maxLength: 60 });

interface Run {
  readonly clock: FakeClock;
  readonly delivered: readonly Delivery[];
  readonly pushed: readonly string[];
}

/** Plays the steps and a long quiet time behind them. Items are the key and a number that counts all of them. */
function play(steps: readonly Step[], options: Partial<PacingOptions<string>>): Run {
  const { clock, pacing, delivered } = paced(options);
  const pushed = steps.map(({ wait, key }, at) => {
    clock.advance(wait);
    const item = `${key ?? '!'}${at}`;
    if (key === undefined) pacing.pushAtOnce(item);
    else pacing.push(key, item);
    return item;
  });
  clock.advance(60_000);
  return { clock, delivered, pushed };
}

function paced(options: Partial<PacingOptions<string>> = {}) {
  const clock = new FakeClock();
  const delivered: Delivery[] = [];
  const pacing = new Pacing<string>({
    perSecond: 10,
    maxKeys: 100,
    maxBytes: 1000,
    sizeOf: (item) => item.length,
    clock,
    deliver: (items) => void delivered.push([clock.now(), ...items]),
    ...options,
  });
  return { clock, pacing, delivered };
}

/** In any stretch of time there are at most as many deliveries as the rate allows, and the one at its beginning. */
function assertRate(delivered: readonly Delivery[], perSecond: number): void {
  for (const [from, [start]] of delivered.entries()) {
    for (const [further, [end]] of delivered.slice(from).entries()) {
      assert.ok(further <= ((end - start) / 1000) * perSecond + 1e-9, `${further + 1} in ${end - start} ms`);
    }
  }
}

/** What was delivered is in the order in which it came, nothing twice; each key's last item and all that does not wait are there. */
function assertOrder({ delivered, pushed }: Run): void {
  const items = delivered.flatMap(([, ...rest]) => rest);
  const numbers = items.map((item) => Number(item.slice(1)));
  assert.deepEqual(
    numbers,
    [...new Set(numbers)].sort((a, b) => a - b),
  );
  const last = new Map(pushed.map((item) => [item.slice(0, 1), item]));
  for (const item of last.values()) assert.ok(items.includes(item), `${item} is missing`);
  for (const item of pushed.filter((text) => text.startsWith('!')))
    assert.ok(items.includes(item), `${item} is missing`);
}
