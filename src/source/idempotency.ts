/** Repeats: a publish that is sent again with the same key is answered as the first was, and writes nothing. */
import { ConflictError } from '../errors.ts';
import type { Feed, Once } from './source.ts';

/** Keys that are remembered at most, the oldest going first. */
const MOST = 100_000;

/** What was published with a key. Times are on the monotonic clock. */
interface First {
  readonly fingerprint: string;
  readonly number: number;
  readonly until: number;
}

export class Repeats {
  readonly #now: () => number;
  /** By feed and key, the oldest first. */
  readonly #firsts = new Map<string, First>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** The number of the first publish with this key. Throws ConflictError where that was another event. */
  find(feed: Feed, once: Once): number | undefined {
    const first = this.#firsts.get(keyOf(feed, once));
    if (first === undefined || first.until <= this.#now()) return undefined;
    if (first.fingerprint === once.fingerprint) return first.number;
    throw new ConflictError('this Idempotency-Key was used for another event', {
      hint: 'use a new key for each event',
    });
  }

  /** Remembers a publish. */
  remember(feed: Feed, once: Once, number: number): void {
    const key = keyOf(feed, once);
    this.#firsts.delete(key);
    this.#firsts.set(key, { fingerprint: once.fingerprint, number, until: this.#now() + once.keep });
    for (const [oldest, { until }] of this.#firsts) {
      if (until > this.#now() && this.#firsts.size <= MOST) return;
      this.#firsts.delete(oldest);
    }
  }
}

function keyOf(feed: Feed, once: Once): string {
  return `${feed.name} ${once.key}`;
}
