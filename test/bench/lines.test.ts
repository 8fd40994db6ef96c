/** The lines of the bench: who sends what to whom, dealt out evenly. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { linesOf } from '../../bench/generator/lines.ts';
import type { Load } from '../../bench/generator/spec.ts';
import { Ledger } from '../../src/load/ledger.ts';

const LOAD: Load = {
  kind: 'flow',
  streams: 6,
  channels: 2,
  publishers: 4,
  via: 'redis',
  size: 128,
  warmUp: { seconds: 0, window: 1 },
  measured: { seconds: 0, window: 1 },
};

describe('the lines of a load', () => {
  test('each channel has as many lines as any other, told apart by their slots', () => {
    const { all, slots, shared } = linesOf(LOAD);
    assert.equal(slots, 2);
    assert.equal(shared, undefined);
    assert.deepEqual(
      all.map(({ channel, slot, audience }) => [channel, slot, audience]),
      [
        ['bench.0', 0, 3],
        ['bench.1', 0, 3],
        ['bench.0', 1, 3],
        ['bench.1', 1, 3],
      ],
    );
  });

  test('a stream has the lines of its channel, and the one that all have', () => {
    const lines = linesOf({ ...LOAD, shared: 10 });
    for (let stream = 0; stream < 6; stream++) {
      const has = [0, 1, 2].map((slot) => lines.all[lines.lineOf(stream, slot)]?.channel);
      const own = `bench.${stream % 2}`;
      assert.deepEqual(has, [own, own, 'bench.all']);
      assert.deepEqual(lines.channelsOf(stream), [own, 'bench.all']);
    }
    assert.deepEqual(lines.all.at(-1), { channel: 'bench.all', slot: 2, audience: 6 });
  });

  test('the ledger asks each stream for what its lines have sent', () => {
    const lines = linesOf(LOAD);
    const ledger = new Ledger(6, lines.slots);
    const published = [1, 2, 0, 1];
    for (let stream = 0; stream < 6; stream++) {
      for (let slot = 0; slot < lines.slots; slot++) {
        const count = published[lines.lineOf(stream, slot)] ?? 0;
        for (let at = 0; at < count; at++) ledger.record(stream, slot + at * lines.slots);
      }
    }
    const sent = (stream: number, slot: number): number | undefined => published[lines.lineOf(stream, slot)];
    assert.deepEqual(ledger.faultsOf(sent), []);
    assert.deepEqual([ledger.reached(1, 0), ledger.reached(1, 1), ledger.reached(0, 1)], [2, 1, 0]);
    published[2] = 1;
    assert.deepEqual(ledger.faultsOf(sent), [{ publisher: 1, missing: 3, duplicated: 0, outOfOrder: 0 }]);
  });

  test('what cannot be dealt out evenly is refused', () => {
    assert.throws(() => linesOf({ ...LOAD, publishers: 3 }), /evenly/);
    assert.throws(() => linesOf({ ...LOAD, streams: 7 }), /evenly/);
    assert.throws(() => linesOf({ ...LOAD, size: 16 }), /one channel/);
    assert.throws(() => linesOf({ ...LOAD, via: 'http', shared: 2 }), /Redis/);
  });
});
