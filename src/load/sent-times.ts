/** When messages were sent whose payload has no room for it. */

/** More than can be in flight, as a power of two. */
const KEPT = 2 ** 20;

export class SentTimes {
  readonly #times = new Float64Array(KEPT);

  /** A message was sent, at a time in microseconds. */
  record(number: number, at: number): void {
    this.#times[number & (KEPT - 1)] = at;
  }

  /** When a message was sent, where not a million others were since. */
  at(number: number): number {
    return this.#times[number & (KEPT - 1)] ?? 0;
  }
}
