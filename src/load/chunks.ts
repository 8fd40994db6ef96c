/** Takes HTTP chunks apart (RFC 9112, section 7.1) without a copy, however the reads of a socket cut them. */

const LF = 10;
const CR = 13;
const SEMICOLON = 59;

export class Chunks {
  /** Bytes of the chunk that are still to come. */
  #left = 0;
  /** The size that is being read. The line end of the chunk before reads as a size of 0. */
  #size = 0;
  /** Inside what may stand behind a size. */
  #extension = false;

  /** Calls `body` with the ranges between `start` and `end` that belong to the body. */
  take(buffer: Uint8Array, start: number, end: number, body: (from: number, to: number) => void): void {
    let at = start;
    while (at < end) {
      if (this.#left === 0) {
        this.#header(buffer[at] ?? 0);
        at += 1;
        continue;
      }
      const to = Math.min(end, at + this.#left);
      this.#left -= to - at;
      body(at, to);
      at = to;
    }
  }

  #header(byte: number): void {
    if (byte === LF) {
      this.#left = this.#size;
      this.#size = 0;
      this.#extension = false;
      return;
    }
    if (byte === SEMICOLON) this.#extension = true;
    if (byte === CR || this.#extension) return;
    this.#size = this.#size * 16 + digitOf(byte);
  }
}

/** Digits, then letters of either case; what is no digit counts as 0. */
function digitOf(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48;
  const letter = byte | 32;
  return letter >= 97 && letter <= 102 ? letter - 87 : 0;
}
