/**
 * Finds the payloads of a load in the raw bytes of one stream: neither HTTP nor SSE is decoded, no string is made.
 *
 * A generator shares its machine with the server that it measures, so what it does for each event counts. The gateway
 * frames whole events, so the head of a payload, `"n":12,"t":345,`, is cut by the reads of a socket alone. What a read
 * leaves over is put before the next one, in the headroom of the buffer that is read into.
 */
import { SMALLEST_PAYLOAD } from './payload.ts';

/** Is told of every payload, in the order of the stream. `sentAt` is -1 where the payload does not hold it. */
export type Found = (number: number, sentAt: number) => void;

/** Is told of every `gateway.gap`. */
export type GapFound = () => void;

/** Bytes that must be free before what is scanned: more than the head of a payload takes. */
export const HEADROOM = 64;

const QUOTE = 34;
const LETTER_N = 110;
const COLON = 58;
const ZERO = 48;
/** `"n":`, and the same for what stands between number and time. */
const MARKER_LENGTH = 4;
const BETWEEN_LENGTH = ',"t":'.length;

const GAP = Buffer.from('gateway.gap');

/** What is kept of a read for the next one: less than whatever is looked for, so that nothing is found twice. */
const OVERLAP = GAP.length - 1;

export class Scanner {
  readonly #found: Found;
  readonly #gapFound: GapFound | undefined;
  readonly #payloadSize: number;
  readonly #rest = new Uint8Array(HEADROOM);
  #restLength = 0;
  /** From one payload to the next: where the next one is looked for first. */
  #stride = 0;
  /** Whether a gap stood before the next payload, which is then farther away than usual. */
  #gapBefore = false;

  /** Every payload has exactly `payloadSize` bytes. Gaps are looked for where somebody is to be told of them. */
  constructor(payloadSize: number, found: Found, gapFound?: GapFound) {
    this.#payloadSize = payloadSize;
    this.#found = found;
    this.#gapFound = gapFound;
  }

  /** Takes the bytes from `start` to `end`. Those from `start - HEADROOM` to `start` are overwritten. */
  scan(buffer: Uint8Array, start: number, end: number): void {
    const begin = start - this.#restLength;
    for (let i = 0; i < this.#restLength; i++) buffer[begin + i] = this.#rest[i] ?? 0;
    let marker = nextMarker(buffer, begin, end);
    this.#lookForGaps(buffer, begin, marker < 0 ? end : marker);
    let from = begin;
    while (marker >= 0) {
      const after = this.#read(buffer, marker, end);
      if (after < 0) break;
      from = after;
      const next = this.#following(buffer, marker, from, end);
      if (next >= 0) this.#stride = this.#gapBefore ? 0 : next - marker;
      marker = next;
    }
    this.#keep(buffer, marker < 0 ? Math.max(from, end - OVERLAP) : marker, end);
  }

  /** Reads the head of a payload; gives the offset behind it, or -1 where the bytes end before it does. */
  #read(buffer: Uint8Array, marker: number, end: number): number {
    let at = marker + MARKER_LENGTH;
    let number = 0;
    for (; at < end; at++) {
      const digit = (buffer[at] ?? 0) - ZERO;
      if (digit < 0 || digit > 9) break;
      number = number * 10 + digit;
    }
    if (this.#payloadSize < SMALLEST_PAYLOAD) {
      if (at >= end) return -1;
      this.#found(number, -1);
      return at;
    }
    at += BETWEEN_LENGTH;
    let sentAt = 0;
    for (; at < end; at++) {
      const digit = (buffer[at] ?? 0) - ZERO;
      if (digit < 0 || digit > 9) break;
      sentAt = sentAt * 10 + digit;
    }
    if (at >= end) return -1;
    this.#found(number, sentAt);
    return at;
  }

  /**
   * The next marker. Usually it is as far away as the last one was: less than two payloads away there is no other
   * payload between. Otherwise it is searched for behind this one.
   */
  #following(buffer: Uint8Array, marker: number, from: number, end: number): number {
    const guess = marker + this.#stride;
    if (guess > from && this.#stride < 2 * this.#payloadSize && isMarker(buffer, guess, end)) return guess;
    this.#gapBefore = false;
    const rest = Math.max(from, marker + this.#payloadSize - 1);
    const next = nextMarker(buffer, rest, end);
    this.#lookForGaps(buffer, rest, next < 0 ? end : next);
    return next;
  }

  /** Where a payload is as far from the last one as usual nothing can stand between them, and nothing is looked for. */
  #lookForGaps(buffer: Uint8Array, from: number, to: number): void {
    if (this.#gapFound === undefined) return;
    for (let at = from; at <= to - GAP.length; at++) {
      if (!startsWith(buffer, at, GAP)) continue;
      this.#gapBefore = true;
      this.#gapFound();
    }
  }

  #keep(buffer: Uint8Array, from: number, end: number): void {
    this.#restLength = Math.max(0, end - from);
    for (let i = 0; i < this.#restLength; i++) this.#rest[i] = buffer[from + i] ?? 0;
  }
}

function startsWith(buffer: Uint8Array, at: number, text: Uint8Array): boolean {
  for (let i = 0; i < text.length; i++) if (buffer[at + i] !== text[i]) return false;
  return true;
}

function nextMarker(buffer: Uint8Array, from: number, end: number): number {
  for (let at = from; at <= end - MARKER_LENGTH; at++) if (isMarker(buffer, at, end)) return at;
  return -1;
}

function isMarker(buffer: Uint8Array, at: number, end: number): boolean {
  return (
    at <= end - MARKER_LENGTH &&
    buffer[at] === QUOTE &&
    buffer[at + 1] === LETTER_N &&
    buffer[at + 2] === QUOTE &&
    buffer[at + 3] === COLON
  );
}
