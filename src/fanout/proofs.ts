/** Whether a stream goes on behind the positions that clients bring: many who come at once are answered by a few reads. */
import type { Gap } from '../event.ts';
import { formatPosition, type StreamPosition } from '../position.ts';
import type { Page } from './page.ts';

/** What was found of a place in the stream: what a reader goes on from, and the gap that comes before. */
export interface Proof {
  readonly gap: Gap | undefined;
  readonly position: StreamPosition;
  /** The gap was found at the position itself, and does not move it. */
  readonly stays: boolean;
  /** Something comes behind the position. */
  readonly more: boolean;
}

/** Somebody who asks for a proof. */
interface Asked {
  readonly from: StreamPosition;
  readonly resolve: (proof: Proof) => void;
  readonly reject: (error: unknown) => void;
}

export class Proofs {
  readonly #read: (from: StreamPosition) => Promise<Page>;
  readonly #offer: (page: Page) => void;
  #asked: Asked[] = [];

  /** `read` gives the page behind a position; `offer` is given each page, which those who asked may want at once. */
  constructor(read: (from: StreamPosition) => Promise<Page>, offer: (page: Page) => void) {
    this.#read = read;
    this.#offer = offer;
  }

  /**
   * Looks whether the stream goes on behind a position, by a page that is read from now on. Rejects with SourceDownError.
   * Whoever asks meanwhile and stands in the same page has the same answer.
   */
  prove(from: StreamPosition): Promise<Proof> {
    const { promise, resolve, reject } = Promise.withResolvers<Proof>();
    this.#asked.push({ from, resolve, reject });
    if (this.#asked.length === 1) void this.#answer();
    return promise;
  }

  async #answer(): Promise<void> {
    for (let asked = [...this.#asked]; asked.length > 0; asked = [...this.#asked]) {
      const [first] = asked;
      if (first === undefined) return;
      let answered = [first];
      try {
        const page = await this.#read(first.from);
        answered = asked.filter(({ from }) => page.numberOf(from) !== undefined);
        for (const { from, resolve } of answered) resolve(proofBy(page, from));
        this.#offer(page);
      } catch (error) {
        for (const { reject } of answered) reject(error);
      }
      this.#asked = this.#asked.filter((proof) => !answered.includes(proof));
    }
  }
}

/** What a page says of a place in it. */
function proofBy(page: Page, from: StreamPosition): Proof {
  if (page.numberOf(from) !== 0) return { gap: undefined, position: from, stays: false, more: true };
  const { gap, begins, log, empty } = page;
  const text = formatPosition(begins);
  return {
    gap,
    position: begins,
    stays: gap !== undefined && text === formatPosition(from),
    more: !empty && log.position !== text,
  };
}
