/** What property tests draw from: positions, cursors, channel names and payloads as anybody may send them. */
import fc from 'fast-check';
import { type Cursor, formatCursor } from '../../src/cursor.ts';
import type { LogPosition, Position } from '../../src/position.ts';

/** Every character that a channel's name may have. */
const NAME_CHARACTERS = 'ABCXYZabcxyz0189_.:@~|+=-';

/** Names of channels. */
export function channelNames(): fc.Arbitrary<string> {
  const unit = fc.constantFrom(...NAME_CHARACTERS);
  return fc.oneof(fc.string({ unit, minLength: 1, maxLength: 12 }), fc.string({ unit, minLength: 1, maxLength: 255 }));
}

/** Positions in logs. */
export function logPositions(): fc.Arbitrary<LogPosition> {
  const epoch = fc.stringMatching(/^[A-Za-z][A-Za-z0-9]{1,15}$/);
  return fc.tuple(epoch, fc.maxSafeNat()).map(([text, number]) => ({ kind: 'log', epoch: text, number }));
}

/** Positions of every kind. */
export function positions(): fc.Arbitrary<Position> {
  const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
  const stream = fc
    .tuple(u64, u64, fc.boolean())
    .map(([ms, sequence, before]): Position => ({ kind: 'stream', id: `${ms}-${sequence}`, before }));
  const key = fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/).map((digest): Position => ({ kind: 'key', digest }));
  return fc.oneof(logPositions(), stream, key);
}

/** Cursors of every form: one position, or a vector with or without a position for all the rest. */
export function cursors(): fc.Arbitrary<Cursor> {
  const named = fc.uniqueArray(fc.tuple(channelNames(), positions()), { maxLength: 6, selector: ([name]) => name });
  const vector = fc
    .tuple(fc.option(logPositions(), { nil: undefined }), named)
    .filter(([main, entries]) => main !== undefined || entries.length > 0)
    .map(([main, entries]) => ({ main, named: new Map(entries) }));
  return fc.oneof(
    vector,
    positions().map((main) => ({ main, named: new Map<string, Position>() })),
  );
}

/** Cursors as they travel. */
export function cursorTexts(): fc.Arbitrary<string> {
  return cursors().map(formatCursor);
}

/** Payloads: any bytes, with line ends, NUL and bytes that are no UTF-8 more often than chance has them. */
export function payloads(): fc.Arbitrary<Buffer> {
  const odd = [
    '\r',
    '\n',
    '\r\n',
    '\n\r',
    '\0',
    '\u2028',
    '\u2029',
    '\u0085',
    '\uFEFF',
    '\u{1F600}',
    ' ',
    ':',
    'id: 1',
  ];
  const broken = ['ff', 'c0af', 'eda080', 'f09f', 'e280', '80'].map((hex) => Buffer.from(hex, 'hex'));
  const piece = fc.oneof(
    fc.constantFrom(...odd.map((text) => Buffer.from(text)), ...broken),
    fc.string({ unit: 'binary', maxLength: 8 }).map((text) => Buffer.from(text)),
  );
  return fc.oneof(
    fc.array(piece, { maxLength: 20 }).map((pieces) => Buffer.concat(pieces)),
    fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  );
}

/** Event types that may go to the wire. */
export function eventTypes(): fc.Arbitrary<string> {
  return fc.string({ unit: 'binary', maxLength: 40 }).map((text) => text.replace(/[\r\n\0]/g, ''));
}
