/** Chunks taken apart: the body is what it was, however chunks and reads cut it. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { Chunks } from '../../src/load/chunks.ts';

describe('the chunks', () => {
  test('give back the body, wherever it was cut into chunks and the chunks into reads', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ minLength: 1, unit: 'binary-ascii' }), { maxLength: 20 }),
        fc.array(fc.integer({ min: 1, max: 30 })),
        (parts, cuts) => {
          const text = parts.map((part) => `${part.length.toString(16)}\r\n${part}\r\n`).join('');
          assert.equal(body(text, cuts), parts.join(''));
        },
      ),
    );
  });

  test('take sizes in either case, with leading zeros and extensions', () => {
    assert.equal(body('A;name="1"\r\n0123456789\r\n00a\r\nabcdefghij\r\n0\r\n\r\n', []), '0123456789abcdefghij');
  });
});

/** Reads `text` in pieces of these lengths, and the rest at once. */
function body(text: string, cuts: readonly number[]): string {
  const chunks = new Chunks();
  let found = '';
  let at = 0;
  for (const cut of [...cuts, text.length]) {
    const read = Buffer.from(text.slice(at, at + cut), 'latin1');
    at += cut;
    chunks.take(read, 0, read.length, (from, to) => {
      found += read.toString('latin1', from, to);
    });
  }
  return found;
}
