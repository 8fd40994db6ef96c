/** What a compacted log holds: the number of the newest event of each key. */

/** Beside its keys a compacted log holds the newest gap and an end, by these names. No conflation key is a word. */
const GAP = 'gap';
const END = 'end';

export class Newest {
  readonly #maxKeys: number;
  readonly #numbers = new Map<string, number>();

  /** `maxKeys`: how many keys are kept apart at most. */
  constructor(maxKeys: number) {
    this.#maxKeys = maxKeys;
  }

  /**
   * An event takes the place of the last one of its key. Gives the numbers that are not held any more: that one, an end
   * after which the channel was opened `again`, and the key that changed longest ago where there are too many.
   */
  put(key: string, number: number, again: boolean): number[] {
    const gone = [...(again ? this.#take(END) : []), ...this.#take(key)];
    this.#numbers.set(key, number);
    const notices = Number(this.#numbers.has(GAP)) + Number(this.#numbers.has(END));
    return this.#numbers.size - notices > this.#maxKeys ? [...gone, ...this.takeOldest()] : gone;
  }

  /** Lets go of the key that changed longest ago; gives its number, nothing where there is none. */
  takeOldest(): number[] {
    const oldest = [...this.#first(3)].find((key) => key !== GAP && key !== END);
    return oldest === undefined ? [] : this.#take(oldest);
  }

  /** The keys that changed longest ago; two of them may be notices. */
  *#first(count: number): Iterable<string> {
    let left = count;
    for (const key of this.#numbers.keys()) {
      if (left === 0) return;
      left -= 1;
      yield key;
    }
  }

  clear(): void {
    this.#numbers.clear();
  }

  #take(key: string): number[] {
    const number = this.#numbers.get(key);
    this.#numbers.delete(key);
    return number === undefined ? [] : [number];
  }
}
