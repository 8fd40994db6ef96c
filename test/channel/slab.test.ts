/** Slabs: events stand side by side in shared memory, whole, and no slab is larger than it must be. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { LARGEST_SLAB, SlabWriter } from '../../src/channel/slab.ts';
import { encodeEvent, measure } from '../../src/sse/encode.ts';

const event = (size: number) => ({ data: Buffer.alloc(size, `${size % 10}`), id: `k3-${size}` });

describe('a slab', () => {
  test('holds its events side by side, each as it was written', () => {
    const sizes = fc.array(fc.oneof(fc.nat(400), fc.nat(300_000)), { maxLength: 40 });
    fc.assert(
      fc.property(sizes, fc.nat(2 ** 20), (given, live) => {
        const writer = new SlabWriter();
        const places = given.map((size) => writer.write(measure(event(size)), live));
        for (const [i, { bytes, start, end }] of places.entries()) {
          assert.ok(bytes.subarray(start, end).equals(encodeEvent(event(given[i] ?? 0))));
          const before = places[i - 1];
          assert.equal(start, before?.bytes === bytes ? before.end : 0);
          assert.ok(bytes.length <= Math.max(LARGEST_SLAB, end - start));
        }
      }),
      { numRuns: 30 },
    );
  });

  test('is small for a channel that says little, and grows with what is kept to a bound', () => {
    const sizeAt = (live: number): number => new SlabWriter().write(measure(event(10)), live).bytes.length;
    assert.equal(sizeAt(0), 1024);
    assert.equal(sizeAt(5000), 8192);
    assert.equal(sizeAt(2 ** 30), LARGEST_SLAB);
    assert.equal(LARGEST_SLAB, 256 * 1024);
  });

  test('is one of its own for an event that no other has room for', () => {
    const { bytes, start, end } = new SlabWriter().write(measure(event(2 ** 20)), 0);
    assert.deepEqual([start, end], [0, bytes.length]);
  });
});
