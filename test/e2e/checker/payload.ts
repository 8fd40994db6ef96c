/** What producers write: a payload that says where it belongs and proves that nobody has touched it. */
import { crc32 } from 'node:zlib';
import type { Dice } from '../../support/random.ts';

/** Where a payload belongs. */
export interface Stamp {
  /** The stream's key, or the pub/sub channel's name. */
  readonly feed: string;
  readonly producer: string;
  /** Rises within a producer, over all that it writes to. */
  readonly seq: number;
  /** The SSE event type it must arrive with. */
  readonly type: string;
}

/** What a received payload says of itself. */
export interface Reading {
  readonly stamp: Stamp;
  readonly key: string;
  /** Whether the checksum holds. */
  readonly sound: boolean;
}

/** The name of one payload among all. */
export function keyOf({ feed, producer, seq }: Omit<Stamp, 'type'>): string {
  return `${feed} ${producer} ${seq}`;
}

/** `checksum feed producer seq type body`. */
export function makePayload(stamp: Stamp, body: string): string {
  const rest = `${keyOf(stamp)} ${stamp.type} ${body}`;
  return `${checksum(rest)} ${rest}`;
}

/** Undefined where the data does not even look like a payload. */
export function readPayload(data: string): Reading | undefined {
  const match = /^([0-9a-f]{8}) ((\S+) (\S+) (\d+) (\S+) .*)$/s.exec(data);
  if (match === null) return undefined;
  const [, sum = '', rest = '', feed = '', producer = '', seq = '', type = ''] = match;
  const stamp = { feed, producer, seq: Number(seq), type };
  return { stamp, key: keyOf(stamp), sound: sum === checksum(rest) };
}

/** What bodies are made of: text that is hard to carry in lines of `field: value`. */
const PIECES = [
  'x',
  'word ',
  '\n',
  '\n\n',
  'data: ',
  'id: 1-0\n',
  ':',
  ' ',
  'ü',
  '\u2028',
  '\u{1f600}',
  '\u0000',
  '{"a":1}',
];

/** One body in fifty is this long, in pieces: it spans several writes of a socket. */
const LONG_PIECES = 20_000;

/** A body of random pieces; most are short. */
export function randomBody(dice: Dice): string {
  const length = dice.below(50) === 0 ? dice.below(LONG_PIECES) : dice.below(30);
  const shift = dice.below(PIECES.length);
  const step = 1 + dice.below(PIECES.length - 1);
  return Array.from({ length }, (_, index) => PIECES[(shift + index * step) % PIECES.length]).join('');
}

function checksum(text: string): string {
  return crc32(text).toString(16).padStart(8, '0');
}
