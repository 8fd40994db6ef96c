/** One line on a terminal that says how far a command is. */
import type { Output } from './terminal.ts';

/** How often the line changes, in milliseconds: more is not readable. */
const EVERY_MS = 200;

/** Writes nothing where `stream` is no terminal. */
export class Progress {
  readonly #stream: Output;
  readonly #now: () => number;
  #last = Number.NEGATIVE_INFINITY;
  #shown = false;

  /** `now` in milliseconds. */
  constructor(stream: Output, now: () => number) {
    this.#stream = stream;
    this.#now = now;
  }

  /** Shows the line, unless it has just changed. */
  show(text: string): void {
    const now = this.#now();
    if (this.#stream.isTTY !== true || now - this.#last < EVERY_MS) return;
    this.#last = now;
    this.#shown = true;
    this.#stream.write(`${CLEAR}${text}`);
  }

  /** Takes the line away, so that other text can follow. */
  clear(): void {
    if (this.#shown) this.#stream.write(CLEAR);
    this.#shown = false;
  }
}

/** To the first column, and everything behind it erased. */
const CLEAR = '\r\x1b[K';
