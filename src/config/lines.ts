/** The lines of a text: where an offset stands, and what a line says. */
import type { Place } from './node.ts';

/** Built once for a text; each question costs a binary search. */
export class Lines {
  readonly #text: string;
  readonly #starts: readonly number[];

  constructor(text: string) {
    this.#text = text;
    this.#starts = [0, ...Array.from(text.matchAll(/\n/g), (end) => end.index + 1)];
  }

  /** The place of an offset in UTF-16 units; the column counts them too, as editors do. */
  placeOf(offset: number): Place {
    let low = 0;
    let high = this.#starts.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((this.#starts[middle] ?? 0) <= offset) low = middle;
      else high = middle;
    }
    return { line: low + 1, column: offset - (this.#starts[low] ?? 0) + 1 };
  }

  /** The line without its end; lines count from 1. */
  textOf(line: number): string {
    return this.#text.slice(this.#starts[line - 1], this.#starts[line]).replace(/\r?\n$/, '');
  }
}
