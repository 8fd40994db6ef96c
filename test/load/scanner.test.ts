/** The scanner of a load: finds every payload, however a stream is cut, and nothing else. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { payload, SMALLEST_PAYLOAD } from '../../src/load/payload.ts';
import { HEADROOM, Scanner } from '../../src/load/scanner.ts';

const SIZE = 128;

/** Number and time of sending. */
type Message = readonly [number: number, sentAt: number];

const message = fc.tuple(fc.nat(2 ** 31 - 1), fc.nat(2 ** 31 - 1));

/** What may stand between two events: a heartbeat, a notice, or nothing. */
const GAP = `29\r\nevent: gateway.gap\ndata: {"channel":"bench"}\n\n\r\n`;
const between = fc.constantFrom('', '2\r\n:\n\r\n', GAP);

describe('the scanner', () => {
  test('finds every payload in order, wherever the reads cut the stream', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(message, between), { maxLength: 20 }),
        fc.array(fc.integer({ min: 1, max: 400 })),
        fc.integer({ min: SMALLEST_PAYLOAD, max: 300 }),
        (parts, cuts, size) => {
          const text = parts.map(([sent, other], at) => other + event(sent, at, size)).join('');
          const messages = parts.map(([sent]) => sent);
          assert.deepEqual(found(pieces(text, cuts), size), messages);
        },
      ),
    );
  });

  test('finds every gap between payloads, wherever the reads cut the stream', () => {
    const gaps = fc.array(fc.tuple(message, fc.nat(3)), { maxLength: 20 });
    fc.assert(
      fc.property(
        gaps,
        fc.array(fc.integer({ min: 1, max: 400 })),
        fc.integer({ min: 48, max: 300 }),
        (parts, cuts, size) => {
          const text = parts.map(([sent, count], at) => GAP.repeat(count) + event(sent, at, size)).join('') + GAP;
          const reads = pieces(text, cuts);
          assert.equal(
            gapsIn(reads, size),
            parts.reduce((sum, [, count]) => sum + count, 1),
          );
          assert.equal(found(reads, size).length, parts.length);
        },
      ),
    );
  });

  test('finds payloads that have no room for the time', () => {
    const numbers = fc.array(fc.nat(2 ** 31 - 1), { maxLength: 20 });
    fc.assert(
      fc.property(
        numbers,
        fc.array(fc.integer({ min: 1, max: 400 })),
        fc.integer({ min: 16, max: 47 }),
        (all, cuts, size) => {
          const text = all.map((number, at) => event([number, 0], at, size)).join('');
          assert.deepEqual(
            found(pieces(text, cuts), size),
            all.map((number) => [number, -1]),
          );
        },
      ),
    );
  });

  test('finds every payload where each byte is a read of its own', () => {
    const messages: readonly Message[] = [
      [0, 1],
      [1, 20],
      [2, 300],
    ];
    const text = messages.map((sent, at) => event(sent, at)).join('');
    assert.deepEqual(found([...text]), messages);
  });

  test('passes over no payload where two suddenly take the room that one took before', () => {
    const long = 'x'.repeat(event([1, 1], 1).length);
    const text = [0, 1, 2, 3, 4].map((n) => event([n, n], n) + (n === 0 ? long : '')).join('');
    assert.deepEqual(
      found([text]).map(([number]) => number),
      [0, 1, 2, 3, 4],
    );
  });

  test('a payload has exactly its size', () => {
    for (const size of [SMALLEST_PAYLOAD, SIZE, 1000]) {
      assert.equal(payload(2 ** 31 - 1, 2 ** 31 - 1, size).length, size);
      assert.doesNotThrow(() => JSON.parse(payload(0, 0, size)));
    }
  });
});

/** An event as the gateway frames it. */
function event([number, sentAt]: Message, at: number, size: number = SIZE): string {
  const text = `data: ${payload(number, sentAt, size)}\nid: bench0-${at}\n\n`;
  return `${text.length.toString(16)}\r\n${text}\r\n`;
}

function pieces(text: string, cuts: readonly number[]): string[] {
  const all: string[] = [];
  let at = 0;
  for (const cut of cuts) {
    all.push(text.slice(at, at + cut));
    at += cut;
  }
  return [...all, text.slice(at)];
}

/** What a scanner finds that reads these pieces one after the other into the same buffer, as sockets do. */
function found(reads: readonly string[], size: number = SIZE): Message[] {
  const all: Message[] = [];
  scanAll(new Scanner(size, (number, sentAt) => all.push([number, sentAt])), reads);
  return all;
}

/** How many gaps it tells of. */
function gapsIn(reads: readonly string[], size: number): number {
  let gaps = 0;
  const count = (): void => {
    gaps += 1;
  };
  scanAll(new Scanner(size, () => undefined, count), reads);
  return gaps;
}

function scanAll(scanner: Scanner, reads: readonly string[]): void {
  const buffer = Buffer.alloc(HEADROOM + Math.max(...reads.map((read) => read.length)));
  for (const read of reads) {
    const length = buffer.write(read, HEADROOM, 'latin1');
    scanner.scan(buffer, HEADROOM, HEADROOM + length);
  }
}
