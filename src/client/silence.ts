/** Tells a dead connection from a quiet one: a stream that says nothing for too long is given up. */
import type { Clock } from '../clock.ts';

/** Three heartbeats of the default 15 s, in milliseconds. */
const FIRST_PATIENCE_MS = 45_000;
/** A gateway may be configured to speak less often than that, but not less than this, in milliseconds. */
const LONGEST_PATIENCE_MS = 600_000;

/** Learns how often a gateway speaks, over all its connections. */
export class Silence {
  #patience = FIRST_PATIENCE_MS;
  #longest = 0;

  /** Waits for `next`, but only as long as silence has to be believed; then `stop` is aborted, which makes `next` fail. */
  async watch<T>(next: () => Promise<T>, stop: AbortController, clock: Clock): Promise<T> {
    const since = clock.now();
    const limit = Math.max(this.#patience, 3 * this.#longest);
    const cancel = clock.after(limit, () => {
      this.#patience = Math.min(this.#patience * 2, LONGEST_PATIENCE_MS);
      stop.abort(new Error(`nothing heard for ${Math.round(limit / 1000)} s`));
    });
    try {
      const value = await next();
      this.#longest = Math.max(this.#longest, clock.now() - since);
      return value;
    } finally {
      cancel();
    }
  }
}
