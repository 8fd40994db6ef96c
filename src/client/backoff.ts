/** How long a client waits before it tries again: longer each time, never in step with others. */
import { jitter, type Random } from '../clock.ts';

/** The first wait where the server has not named one, in milliseconds. */
const FIRST_MS = 1000;
/** No back-off of ours is longer, in milliseconds; only the server's `retry:` may ask for more. */
const LONGEST_MS = 30_000;
/** What a server may ask for at most, in milliseconds: a `retry:` of years would be a client that never comes back. */
const LONGEST_RETRY_MS = 3_600_000;

/** Waits that double from one second to thirty. */
export class BackOff {
  readonly #random: Random;
  #failures = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  /** How long to wait now, in milliseconds; at least `retry`, the server's own wish. */
  next(retry: number | undefined): number {
    const grown = Math.min(FIRST_MS * 2 ** this.#failures, LONGEST_MS);
    this.#failures += 1;
    // Down only: half of a wait that is already the longest allowed.
    const ours = Math.round(jitter(grown * 0.75, 1 / 3, this.#random));
    const theirs = Math.min(retry ?? 0, LONGEST_RETRY_MS) * (1 + this.#random() / 10);
    return Math.max(ours, theirs);
  }

  /** After a success: the next wait is a short one again. */
  reset(): void {
    this.#failures = 0;
  }
}
