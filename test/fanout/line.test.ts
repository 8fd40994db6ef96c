/** The line: first in, first out, however long it is. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Line } from '../../src/fanout/line.ts';

test('what stands in a line comes out in the order it came, and nothing else does', () => {
  const steps = fc.array(fc.oneof(fc.integer({ min: 1, max: 2000 }), fc.integer({ min: -2500, max: -1 })), {
    maxLength: 30,
  });
  fc.assert(
    fc.property(steps, (counts) => {
      const line = new Line<number>();
      const model: number[] = [];
      let next = 0;
      for (const count of counts) {
        for (let left = count; left > 0; left -= 1) {
          next += 1;
          line.push(next);
          model.push(next);
        }
        for (let left = -count; left > 0; left -= 1) assert.equal(line.shift(), model.shift());
        assert.equal(line.length, model.length);
      }
    }),
  );
});
