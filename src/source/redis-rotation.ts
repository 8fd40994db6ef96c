/** Goes round and round over everybody, a share at a time, so that one timer serves all. */

export class Rotation<T> {
  readonly #all: ReadonlyMap<unknown, T>;
  #next: Iterator<T>;

  /** `all` may change at any time. */
  constructor(all: ReadonlyMap<unknown, T>) {
    this.#all = all;
    this.#next = all.values();
  }

  /** The next of the round: `share` of all, at least one where there is one. */
  take(share: number): readonly T[] {
    const taken: T[] = [];
    for (let left = Math.ceil(this.#all.size * share); left > 0; left -= 1) {
      let next = this.#next.next();
      if (next.done === true) {
        this.#next = this.#all.values();
        next = this.#next.next();
      }
      if (next.done === true) break;
      taken.push(next.value);
    }
    return taken;
  }
}
