/** Where an event stands: in a log of this process, in a Redis stream, or as the value of a key. */

/** In a log channel: the process's epoch and the number of the event. Written `epoch-number`. */
export interface LogPosition {
  readonly kind: 'log';
  readonly epoch: string;
  readonly number: number;
}

/** In a Redis stream: `1-0` is after that entry, `^1-0` before it (what a gap resumes from). */
export interface StreamPosition {
  readonly kind: 'stream';
  /** Both halves are unsigned 64-bit numbers in decimal. */
  readonly id: string;
  readonly before: boolean;
}

/** Below every entry of a stream: the last id of one that was never written to. */
export const BEGINNING = '0-0';

/** The value of a key, as a digest. Written `~digest`; `~0` is a key that does not exist. */
export interface KeyPosition {
  readonly kind: 'key';
  readonly digest: string;
}

export type Position = LogPosition | StreamPosition | KeyPosition;

/** What a newcomer without a cursor gets first: nothing, all there is, the newest so many, or the last milliseconds. */
export type Replay =
  | { readonly kind: 'none' }
  | { readonly kind: 'all' }
  | { readonly kind: 'last'; readonly count: number }
  | { readonly kind: 'since'; readonly since: number };

const LOG = /^([A-Za-z][A-Za-z0-9]{1,15})-(0|[1-9][0-9]{0,15})$/;
const STREAM = /^(\^?)((?:0|[1-9][0-9]{0,19})-(?:0|[1-9][0-9]{0,19}))$/;
const KEY = /^~([A-Za-z0-9_-]{1,64})$/;
const MAX_U64 = 2n ** 64n - 1n;

/** Reads one position; undefined for anything that is none. Never throws: it is input from outside. */
export function parsePosition(text: string): Position | undefined {
  const log = LOG.exec(text);
  if (log?.[1] !== undefined && log[2] !== undefined) {
    const number = Number(log[2]);
    return Number.isSafeInteger(number) ? { kind: 'log', epoch: log[1], number } : undefined;
  }
  const stream = STREAM.exec(text);
  if (stream?.[2] !== undefined) {
    const fits = stream[2].split('-').every((half) => BigInt(half) <= MAX_U64);
    return fits ? { kind: 'stream', id: stream[2], before: stream[1] === '^' } : undefined;
  }
  const key = KEY.exec(text);
  return key?.[1] === undefined ? undefined : { kind: 'key', digest: key[1] };
}

/** The position in a stream that a text says; undefined where it says another or none. */
export function streamPosition(text: string | undefined): StreamPosition | undefined {
  const position = text === undefined ? undefined : parsePosition(text);
  return position?.kind === 'stream' ? position : undefined;
}

/** Orders two entry ids of a stream: below 0 where `a` comes first. Both are as `StreamPosition` has them. */
export function compareIds(a: string, b: string): number {
  const [msA = '', seqA = ''] = a.split('-');
  const [msB = '', seqB = ''] = b.split('-');
  return compareDigits(msA, msB) || compareDigits(seqA, seqB);
}

/** Without leading zeros the longer one is the larger. */
function compareDigits(a: string, b: string): number {
  if (a.length !== b.length) return a.length - b.length;
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** Writes a position as it travels in a cursor. */
export function formatPosition(position: Position): string {
  switch (position.kind) {
    case 'log':
      return `${position.epoch}-${position.number}`;
    case 'stream':
      return `${position.before ? '^' : ''}${position.id}`;
    case 'key':
      return `~${position.digest}`;
    default:
      return position satisfies never;
  }
}

/**
 * The one counter of a process: every event of every log channel takes its number from here, so that a single
 * position is the cursor of any number of log channels and the order between channels is defined.
 */
export class Numbering {
  /** Random for each process, so that a cursor of another one is known as foreign. Begins with a letter. */
  readonly epoch: string;
  #last = 0;

  constructor(epoch: string) {
    this.epoch = epoch;
  }

  /** The number that was given out last; 0 before the first. */
  get last(): number {
    return this.#last;
  }

  /** Takes the next number. */
  next(): number {
    this.#last += 1;
    return this.#last;
  }

  /** The text of a number of this process. */
  text(number: number): string {
    return `${this.epoch}-${number}`;
  }
}

const EPOCH_LETTERS = 'abcdefghijklmnopqrstuvwxyz';
const EPOCH_CHARACTERS = `${EPOCH_LETTERS}0123456789`;

/** A new epoch from seven random bytes: short, since it travels with every event; 5e10 values. */
export function epochFrom(bytes: Uint8Array): string {
  const pick = (from: string, byte: number): string => from.charAt(byte % from.length);
  return [...bytes.subarray(0, 7)].map((byte, i) => pick(i === 0 ? EPOCH_LETTERS : EPOCH_CHARACTERS, byte)).join('');
}
