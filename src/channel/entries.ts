/**
 * The events that a log keeps, oldest first: in front the window (beyond history, some reader still needs them), behind
 * it history. Knows how many bytes each part holds; what goes from one to the other is the log's to decide.
 */
import type { Held } from './history.ts';
import type { Place } from './slab.ts';

/** An event in the log. */
export interface Entry extends Place {
  readonly number: number;
  /** When it was appended, on the monotonic clock. */
  readonly at: number;
  /** What a publisher said, or a gap, end or deletion that the gateway tells itself. */
  readonly kind: 'event' | 'gap' | 'end' | 'deleted';
  readonly type: string | undefined;
  /** The publisher's own id. */
  readonly id: string | undefined;
  /** Where it stands in its stream or key; undefined where its number says so. */
  readonly position: string | undefined;
}

/** Over how long a rate is taken. */
const RATE_MS = 60_000;
/** What is not worth packing, in bytes. */
const SMALL = 2048;

/**
 * What an event takes beside its bytes, measured on small ones; counted where memory is bounded over all logs, since
 * otherwise a million tiny events would be several times what the limit says.
 */
export const ENTRY_BYTES = 160;

export class Entries {
  readonly #held: Held;
  #items: Entry[] = [];
  /** Index of the first that is kept, and of the first within history. */
  #kept = 0;
  #history = 0;
  #historyBytes = 0;
  #windowBytes = 0;

  /** `held` is kept up to date with the bytes of both parts. */
  constructor(held: Held) {
    this.#held = held;
  }

  get newest(): Entry | undefined {
    return this.#items.at(-1);
  }

  /** The oldest within history. */
  get oldest(): Entry | undefined {
    return this.#items[this.#history];
  }

  /** The oldest beyond history; undefined where the window is empty. */
  get oldestInWindow(): Entry | undefined {
    return this.#kept < this.#history ? this.#items[this.#kept] : undefined;
  }

  /** How many history holds. */
  get size(): number {
    return this.#items.length - this.#history;
  }

  /** Bytes on the wire of what history holds. */
  get historyBytes(): number {
    return this.#historyBytes;
  }

  /** Memory that the window holds, in bytes: its events and what keeping them takes. */
  get windowBytes(): number {
    return this.#windowBytes;
  }

  push(entry: Entry): void {
    this.#items.push(entry);
    this.#historyBytes += sizeOf(entry);
    this.#held.history += sizeOf(entry) + ENTRY_BYTES;
  }

  /** Moves the oldest of history to the window. */
  passOldest(): void {
    const entry = this.oldest;
    if (entry === undefined) return;
    this.#history += 1;
    this.#historyBytes -= sizeOf(entry);
    this.#held.history -= sizeOf(entry) + ENTRY_BYTES;
    this.#countWindow(sizeOf(entry) + ENTRY_BYTES);
  }

  /** Drops the oldest of the window. */
  dropOldest(): void {
    const entry = this.oldestInWindow;
    if (entry === undefined) return;
    this.#kept += 1;
    this.#countWindow(-sizeOf(entry) - ENTRY_BYTES);
    this.#compact();
  }

  /** Takes out one event of history, wherever it stands. */
  remove(number: number): Entry | undefined {
    const index = this.indexAfter(number - 1);
    const entry = this.#items[index];
    if (entry?.number !== number || index < this.#history) return undefined;
    if (index === this.#history && this.oldestInWindow === undefined) {
      this.passOldest();
      this.dropOldest();
      return entry;
    }
    this.#items.splice(index, 1);
    this.#historyBytes -= sizeOf(entry);
    this.#held.history -= sizeOf(entry) + ENTRY_BYTES;
    return entry;
  }

  /** The event at an index of one of the methods below, or one counted on from it; undefined behind the newest. */
  at(index: number): Entry | undefined {
    return this.#items[index];
  }

  /** Index of the first kept event above `number`. */
  indexAfter(number: number): number {
    let low = this.#kept;
    let high = this.#items.length;
    if (number >= (this.newest?.number ?? 0)) return high;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#items[middle]?.number ?? 0) > number) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** The event of history before which the last `count` messages begin; undefined where history begins with them. */
  beforeLast(count: number): Entry | undefined {
    let index = this.#items.length;
    for (let left = count; left > 0 && index > this.#history; index--) {
      if (this.#items[index - 1]?.kind === 'event') left -= 1;
    }
    return this.#before(index);
  }

  /** The newest event of history that is older than `at`; undefined where there is none. */
  beforeTime(at: number): Entry | undefined {
    return this.#before(this.#indexSince(at));
  }

  /** Events of history of the last minute, a second. */
  rateAt(now: number): number {
    const count = this.#items.length - this.#indexSince(now - RATE_MS);
    return Math.round((count / (RATE_MS / 1000)) * 100) / 100;
  }

  /** The one event of history with this publisher's id; undefined where there is none, or more than one. */
  withId(id: string): Entry | undefined {
    const [found, another] = this.#items.filter((entry, index) => index >= this.#history && entry.id === id);
    return another === undefined ? found : undefined;
  }

  /**
   * Moves everything into memory of its own size where it stands in slabs that are far larger: slabs are made for more
   * to come, and a few old events must not keep them.
   */
  pack(): void {
    const kept = this.#items.slice(this.#kept);
    const slabs = new Set(kept.map((entry) => entry.bytes));
    const pinned = [...slabs].reduce((sum, slab) => sum + slab.length, 0);
    const live = kept.reduce((sum, entry) => sum + sizeOf(entry), 0);
    if (pinned <= 2 * live + SMALL) return;
    const packed = Buffer.allocUnsafeSlow(live);
    let at = 0;
    this.#items = kept.map((entry) => {
      const start = at;
      at += entry.bytes.copy(packed, at, entry.start, entry.end);
      return { ...entry, bytes: packed, start, end: at };
    });
    this.#history -= this.#kept;
    this.#kept = 0;
  }

  #before(index: number): Entry | undefined {
    return index > this.#history ? this.#items[index - 1] : undefined;
  }

  #indexSince(at: number): number {
    let low = this.#history;
    let high = this.#items.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#items[middle]?.at ?? 0) >= at) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #countWindow(bytes: number): void {
    this.#windowBytes += bytes;
    this.#held.window += bytes;
  }

  /** Frees the dropped front of the array once it is the larger half, so that dropping stays cheap. */
  #compact(): void {
    if (this.#kept < 32 && this.#kept < this.#items.length) return;
    if (this.#kept * 2 < this.#items.length) return;
    this.#items = this.#items.slice(this.#kept);
    this.#history -= this.#kept;
    this.#kept = 0;
  }
}

function sizeOf(entry: Entry): number {
  return entry.end - entry.start;
}
