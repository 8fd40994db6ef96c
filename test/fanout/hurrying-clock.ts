/** A clock for slices: each look at it takes time, so that a turn of the fan-out is over after a few. */
import { FakeClock } from '../client/fake-clock.ts';

export class HurryingClock extends FakeClock {
  readonly #hurry: number;
  #ahead = 0;

  /** `hurry`: milliseconds that pass at each look. No timer comes due by them. */
  constructor(hurry: number) {
    super();
    this.#hurry = hurry;
  }

  override now(): number {
    this.#ahead += this.#hurry;
    return super.now() + this.#ahead;
  }
}
