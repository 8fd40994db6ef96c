/** How many connections fit into what the process may open. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { capacityOf } from '../../src/http/capacity.ts';

test('what fits leaves descriptors for Redis and the log, and connections for those who are no streams', () => {
  const cases: readonly [configured: number | 'auto', descriptors: number | undefined, streams: number, all: number][] =
    [
      ['auto', 1024, 928, 992],
      ['auto', 200, 126, 168],
      ['auto', 40, 6, 8],
      ['auto', 10, 1, 1],
      ['auto', undefined, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY],
      [500, 1024, 500, 992],
      [5000, 1024, 928, 992],
      [5000, undefined, 5000, Number.POSITIVE_INFINITY],
    ];
  for (const [configured, descriptors, streams, connections] of cases) {
    assert.deepEqual(capacityOf(configured, descriptors), { streams, connections }, `${configured} of ${descriptors}`);
  }
});
