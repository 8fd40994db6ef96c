/** How streams and publishing connections are dealt out to channels. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { deal } from '../../src/load/deal.ts';

describe('dealing', () => {
  test('every channel has a line and listeners, every connection a line, and every stream the lines of its channel', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 9 }),
        fc.nat(40),
        fc.integer({ min: 1, max: 20 }),
        (count, more, publishers) => {
          const channels = Array.from({ length: count }, (_, at) => `c${at}`);
          const streams = count + more;
          const lines = deal({ streams, channels, publishers });
          assert.equal(lines.all.length, Math.max(count, publishers));
          assert.deepEqual([...new Set(lines.all.map(({ channel }) => channel))].sort(), channels);
          for (const [at, { channel, slot, audience }] of lines.all.entries()) {
            const audienceFound = streamsOf(streams, (stream) => lines.channelsOf(stream).includes(channel));
            assert.equal(audience, audienceFound.length);
            for (const stream of audienceFound) assert.equal(lines.lineOf(stream, slot), at);
            assert.ok(slot < lines.slots);
          }
        },
      ),
    );
  });
});

function streamsOf(count: number, follows: (stream: number) => boolean): number[] {
  return Array.from({ length: count }, (_, at) => at).filter(follows);
}
