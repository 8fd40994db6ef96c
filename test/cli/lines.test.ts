/** Lines out of a stream, wherever its pieces begin and end. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { readLines } from '../../src/cli/lines.ts';

describe('the lines of a stream', () => {
  const streams: readonly (readonly [stream: string, lines: readonly string[]])[] = [
    ['', []],
    ['a', ['a']],
    ['a\n', ['a']],
    ['a\n\nb\n', ['a', '', 'b']],
    ['\n', ['']],
    ['a\r\nb\r\n', ['a', 'b']],
    ['a\r\r\n\r\n', ['a\r', '']],
    ['a\rb\n', ['a\rb']],
    ['a\r', ['a']],
    ['grün\u2028🎈\n', ['grün\u2028🎈']],
  ];
  for (const [stream, lines] of streams) {
    test(`are found in ${JSON.stringify(stream)}`, async () => {
      assert.deepEqual(await linesOf([Buffer.from(stream)]), lines);
    });
  }

  test('are the same however the stream is cut', async () => {
    const piece = fc.string({ unit: fc.constantFrom('a', 'ü', '\r', '\n'), maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 8 }), fc.nat(20), async (texts, cut) => {
        const whole = Buffer.from(texts.join(''));
        const pieces = [whole.subarray(0, cut), whole.subarray(cut)];
        assert.deepEqual(await linesOf(pieces), await linesOf([whole]));
        assert.deepEqual(await linesOf(texts.map((text) => Buffer.from(text))), await linesOf([whole]));
      }),
    );
  });

  test('come as soon as they are there', async () => {
    const stuck = Promise.withResolvers<void>();
    async function* stream() {
      yield Buffer.from('a\nb');
      await stuck.promise;
    }
    const { value } = await readLines(stream()).next();
    assert.deepEqual(value?.map(String), ['a']);
    stuck.resolve();
  });

  test('are bytes: what is no text stays as it is', async () => {
    const [line] = await collect([Buffer.from([0xff, 0xfe, 0x0a])]);
    assert.deepEqual(line, Buffer.from([0xff, 0xfe]));
  });

  test('that are longer than any event end it with their number, in bounded memory', async () => {
    let pieces = 0;
    async function* endless() {
      yield Buffer.from('first\n');
      const piece = Buffer.alloc(1024 * 1024, 'x');
      for (;;) {
        pieces += 1;
        yield await Promise.resolve(piece);
      }
    }
    await assert.rejects(async () => {
      for await (const lines of readLines(endless())) assert.deepEqual(lines.map(String), ['first']);
    }, /line 2 is longer than 64 MiB/);
    assert.equal(pieces, 65);
  });
});

async function linesOf(pieces: readonly Buffer[]): Promise<string[]> {
  return (await collect(pieces)).map(String);
}

async function collect(pieces: readonly Buffer[]): Promise<Buffer[]> {
  async function* stream() {
    for (const piece of pieces) yield await Promise.resolve(piece);
  }
  const lines: Buffer[] = [];
  for await (const some of readLines(stream())) lines.push(...some);
  return lines;
}
