/** Pacing: the most often that a conflated channel changes, however often its source does (`max_rate`). */
import type { Cancel, Clock } from '../clock.ts';

/** What a Pacing works with. */
export interface PacingOptions<T> {
  /** How many deliveries a second at most; `0.1` is one in ten seconds. */
  readonly perSecond: number;
  /** How many keys are held at most; one more has what is held delivered before its time. */
  readonly maxKeys: number;
  /** How many bytes are held at most; more has what is held delivered before its time. A single item is held whatever its size. */
  readonly maxBytes: number;
  /** The bytes that an item takes. */
  readonly sizeOf: (item: T) => number;
  readonly clock: Clock;
  /** Takes one delivery: the newest item of each key, in the order in which these came. */
  readonly deliver: (items: readonly T[]) => void;
}

/**
 * Lets through the newest item of each key, at most so often.
 *
 * The first item after a quiet time goes out at once. What comes less than an interval after a delivery is held, a newer
 * item in place of the older one of its key, and delivered together at the end of the interval. There is no timer while
 * nothing is held. The newest item of a key is never dropped: where too much would be held it is delivered early.
 */
export class Pacing<T extends NonNullable<unknown>> {
  readonly #options: PacingOptions<T>;
  /** In milliseconds. */
  readonly #interval: number;
  readonly #held = new Map<string, T>();
  #heldBytes = 0;
  /** From when on an item may go out at once. */
  #free = Number.NEGATIVE_INFINITY;
  #cancel: Cancel | undefined;

  constructor(options: PacingOptions<T>) {
    this.#options = options;
    this.#interval = 1000 / options.perSecond;
  }

  /** Delivers an item at once or holds it. */
  push(key: string, item: T): void {
    const { clock, sizeOf } = this.#options;
    if (this.#held.size === 0 && clock.now() >= this.#free) {
      this.#deliver([item]);
      return;
    }
    this.#forget(key);
    const bytes = sizeOf(item);
    if (!this.#hasRoom(bytes)) this.flush();
    this.#held.set(key, item);
    this.#heldBytes += bytes;
    // Rounded up: a timer that fires a moment too early would make the rate higher than it was asked for.
    this.#cancel ??= clock.after(Math.ceil(this.#free - clock.now()), () => this.flush());
  }

  /** Delivers what is held and then, whatever the rate, an item that has to stand in its place: an end or a gap. */
  pushAtOnce(item: T): void {
    this.#deliver([...this.#held.values(), item]);
  }

  /** Delivers what is held, if anything is. */
  flush(): void {
    if (this.#held.size > 0) this.#deliver([...this.#held.values()]);
  }

  /** Drops what is held; what is pushed from here on is treated as after a quiet time. */
  stop(): void {
    this.#clear();
    this.#free = Number.NEGATIVE_INFINITY;
  }

  /** Takes the older item of a key back, so that the newer one stands behind what came in between. */
  #forget(key: string): void {
    const item = this.#held.get(key);
    if (item === undefined) return;
    this.#heldBytes -= this.#options.sizeOf(item);
    this.#held.delete(key);
  }

  #hasRoom(bytes: number): boolean {
    const { maxKeys, maxBytes } = this.#options;
    return this.#held.size < maxKeys && this.#heldBytes + bytes <= maxBytes;
  }

  #deliver(items: readonly T[]): void {
    this.#clear();
    this.#free = this.#options.clock.now() + this.#interval;
    this.#options.deliver(items);
  }

  #clear(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#held.clear();
    this.#heldBytes = 0;
  }
}
