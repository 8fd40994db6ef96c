/**
 * Which numbers each stream has had, so that nothing lost, doubled or out of order stays unseen.
 *
 * Publisher p of P sends p, p + P, p + 2P ...: the number alone tells who sent it and which one it is. A stream that gets
 * what comes next from a publisher moves one number on; only what is no such step is looked at closely.
 */

/** What went wrong with the messages of one publisher, summed over all streams. */
export interface Fault {
  readonly publisher: number;
  readonly missing: number;
  readonly duplicated: number;
  readonly outOfOrder: number;
}

/** Numbers that were passed over, both ends included. */
interface Hole {
  readonly from: number;
  readonly to: number;
}

export class Ledger {
  /** Messages that a stream had for the first time, over all streams. */
  delivered = 0;
  readonly #publishers: number;
  /** What each stream expects next from each publisher. */
  readonly #next: Int32Array;
  /** What a stream has passed over, by its place in `#next`. */
  readonly #holes = new Map<number, Hole[]>();
  readonly #duplicated: number[];
  readonly #outOfOrder: number[];

  constructor(streams: number, publishers: number) {
    this.#publishers = publishers;
    this.#next = new Int32Array(streams * publishers).map((_, at) => at % publishers);
    this.#duplicated = new Array<number>(publishers).fill(0);
    this.#outOfOrder = new Array<number>(publishers).fill(0);
  }

  /** A stream has got a number. */
  record(stream: number, number: number): void {
    const place = stream * this.#publishers + (number % this.#publishers);
    if (this.#next[place] === number) {
      this.#next[place] = number + this.#publishers;
      this.delivered += 1;
    } else {
      this.#unexpected(place, number);
    }
  }

  /**
   * The publishers with whom something went wrong. `published` is how many messages each has sent, `follows` whether a
   * stream is one of those that should have them.
   */
  faults(published: readonly number[], follows: (stream: number, publisher: number) => boolean): Fault[] {
    return this.faultsOf((stream, publisher) => (follows(stream, publisher) ? published[publisher] : undefined));
  }

  /** The same where publishers send each stream something else: `sent` is how many messages are for it, if any. */
  faultsOf(sent: (stream: number, publisher: number) => number | undefined): Fault[] {
    const missing = this.#duplicated.map(() => 0);
    for (let place = 0; place < this.#next.length; place++) {
      const [stream, publisher] = [Math.floor(place / this.#publishers), place % this.#publishers];
      const count = sent(stream, publisher);
      if (count === undefined) continue;
      const behind = count - this.reached(stream, publisher) + this.#passedOver(place);
      missing[publisher] = (missing[publisher] ?? 0) + behind;
    }
    return missing
      .map((count, publisher) => ({
        publisher,
        missing: count,
        duplicated: this.#duplicated[publisher] ?? 0,
        outOfOrder: this.#outOfOrder[publisher] ?? 0,
      }))
      .filter((fault) => fault.missing + fault.duplicated + fault.outOfOrder > 0);
  }

  /** How many messages of a publisher a stream has had or passed over. */
  reached(stream: number, publisher: number): number {
    return ((this.#next[stream * this.#publishers + publisher] ?? 0) - publisher) / this.#publishers;
  }

  #unexpected(place: number, number: number): void {
    const publisher = place % this.#publishers;
    const next = this.#next[place] ?? 0;
    const holes = this.#holes.get(place) ?? [];
    this.#holes.set(place, holes);
    if (number > next) {
      holes.push({ from: next, to: number - this.#publishers });
      this.#next[place] = number + this.#publishers;
      this.delivered += 1;
      return;
    }
    const at = holes.findIndex(({ from, to }) => from <= number && number <= to);
    const hole = holes[at];
    if (hole === undefined) {
      this.#duplicated[publisher] = (this.#duplicated[publisher] ?? 0) + 1;
      return;
    }
    const left = { from: hole.from, to: number - this.#publishers };
    const right = { from: number + this.#publishers, to: hole.to };
    holes.splice(at, 1, ...[left, right].filter(({ from, to }) => from <= to));
    this.#outOfOrder[publisher] = (this.#outOfOrder[publisher] ?? 0) + 1;
    this.delivered += 1;
  }

  #passedOver(place: number): number {
    const holes = this.#holes.get(place) ?? [];
    return holes.reduce((sum, { from, to }) => sum + (to - from) / this.#publishers + 1, 0);
  }
}
