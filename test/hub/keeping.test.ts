/** What is kept over all channels: histories and windows stay within their bounds, and the right ones give way. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ENTRY_BYTES } from '../../src/channel/entries.ts';
import type { LogReader } from '../../src/channel/log.ts';
import { Keeping } from '../../src/hub/keeping.ts';
import { Numbering } from '../../src/position.ts';
import { encodeEvent } from '../../src/sse/encode.ts';
import { FakeClock } from '../client/fake-clock.ts';
import { Core, type CoreOptions } from '../support/core.ts';
import { UNBOUNDED } from '../support/fake-socket.ts';
import { FakeSource } from '../support/fake-source.ts';

const DATA = 'x'.repeat(100);

/** How much memory an event of DATA takes in a log, with an id of three digits. */
const SIZE = encodeEvent({ data: Buffer.from(DATA), id: 'here-100' }).length + ENTRY_BYTES;

/** A core whose events all have ids of three digits, so that they are of one size. */
function evenCore(options: CoreOptions): Core {
  const core = new Core(options);
  while (core.numbering.last < 100) core.numbering.next();
  return core;
}

/** Somebody who is stuck at one place. */
function stuckAt(number: number): LogReader {
  return { wake: () => undefined, floor: () => number, keenFloor: () => number };
}

describe('limits.history_total', () => {
  test('empties the log that was silent longest first, those without listeners before those with', () => {
    const core = evenCore({ limits: { historyTotal: 6 * SIZE } });
    const names = ['followed', 'older', 'oldest', 'newest'];
    for (const name of names) core.follow(name);
    for (const name of ['followed', 'older', 'oldest', 'newest', 'older']) {
      core.publish(name, DATA);
      core.clock.advance(2000);
    }
    for (const name of ['oldest', 'older', 'newest']) core.hub.release(core.channel(name));
    const sizes = () => names.map((name) => core.hub.live.get(name)?.log.size ?? 0);
    core.publish('newest', DATA);
    assert.deepEqual(sizes(), [1, 2, 1, 2]);
    core.publish('newest', DATA);
    assert.deepEqual(sizes(), [1, 0, 0, 3]);
    assert.ok(core.keeping.context.held.history <= 6 * SIZE);
  });

  test('is held also where all have listeners, whose cursors at the head still prove everything', () => {
    const core = evenCore({ limits: { historyTotal: 3 * SIZE } });
    for (const name of ['a', 'b', 'c', 'd', 'e']) {
      core.follow(name);
      core.publish(name, DATA);
      core.clock.advance(2000);
    }
    assert.ok(core.keeping.context.held.history <= 3 * SIZE);
    const client = core.subscribe(['a'], core.numbering.text(core.channel('a').log.head));
    assert.equal(client.body.events.length, 1);
  });

  test('is held also by channels whose only events are gaps', () => {
    const source = new FakeSource();
    const core = evenCore({ source, maxEventSize: 1, limits: { historyTotal: 2000 } });
    core.follow('a');
    for (let i = 0; i < 100; i += 1) source.hear('a', 'too large');
    assert.ok(core.keeping.context.held.history <= 2000, `${core.keeping.context.held.history} bytes`);
  });
});

describe('ageing', () => {
  test('lets go of what is too old without anything being published', () => {
    const core = evenCore({ history: { age: 5000 } });
    const { log } = core.follow('a');
    core.publish('a', DATA);
    core.clock.advance(5000);
    assert.equal(log.size, 1);
    core.clock.advance(1001);
    assert.deepEqual([log.size, core.keeping.context.held.history, core.keeping.context.held.window], [0, 0, 0]);
  });

  test('stops when it is told to', () => {
    const core = new Core();
    core.hub.stop();
    assert.deepEqual(core.clock.pending, []);
  });
});

describe('a window that is full', () => {
  const bounds = [{ window: 5 * SIZE }, { bufferedTotal: 5 * SIZE }];

  test('pauses the source once, until everybody was given what they can take; then the rest is overtaken', () => {
    for (const limits of bounds) {
      const source = new FakeSource();
      const core = evenCore({ source, history: { events: 1 }, limits });
      const { log } = core.follow('a');
      log.readers.add(stuckAt(log.head));
      for (let i = 0; i < 6; i += 1) source.hear('a', DATA);
      assert.deepEqual(source.asked, ['follow a']);
      for (let i = 0; i < 4; i += 1) source.hear('a', DATA);
      assert.deepEqual(source.asked, ['follow a', 'pause']);
      assert.equal(log.windowBytes, 9 * SIZE);
      core.keeping.settle(true);
      assert.deepEqual(source.asked, ['follow a', 'pause', 'resume']);
      assert.ok(log.windowBytes <= 5 * SIZE);
      assert.equal(log.size, 1);
      core.keeping.settle(true);
      assert.deepEqual(source.asked, ['follow a', 'pause', 'resume']);
    }
  });

  test('of another channel gives way first where all windows together are too much, the largest before others', () => {
    const source = new FakeSource();
    const core = evenCore({ source, history: { events: 1 }, limits: { bufferedTotal: 8 * SIZE } });
    const [large, small] = [core.follow('large').log, core.follow('small').log];
    for (const log of [large, small]) log.readers.add(stuckAt(log.head));
    for (let i = 0; i < 8; i += 1) source.hear('large', DATA);
    for (let i = 0; i < 3; i += 1) source.hear('small', DATA);
    assert.equal(source.asked.at(-1), 'pause');
    core.keeping.settle(true);
    assert.equal(small.windowBytes, 2 * SIZE);
    assert.ok(large.windowBytes > 0 && large.windowBytes <= 6 * SIZE);
  });

  test('of too large messages is bounded like any other', () => {
    const source = new FakeSource();
    const core = evenCore({ source, maxEventSize: 1, history: { events: 1 }, limits: { window: 1000 } });
    const { log } = core.follow('a');
    log.readers.add(stuckAt(log.head));
    for (let i = 0; i < 100; i += 1) source.hear('a', 'too large');
    core.keeping.settle(true);
    assert.ok(log.windowBytes <= 1000, `${log.windowBytes} bytes`);
  });
});

test('a clock may be an object with a state of its own', () => {
  const limits = { historyTotal: UNBOUNDED, window: UNBOUNDED, bufferedTotal: UNBOUNDED };
  const clock = new FakeClock();
  const keeping = new Keeping(new Numbering('here'), limits, clock, () => undefined);
  clock.advance(7);
  assert.equal(keeping.context.now(), 7);
});
