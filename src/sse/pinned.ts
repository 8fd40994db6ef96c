/**
 * What clients that have not taken their bytes keep in memory together.
 *
 * They share what they wait for, so memory is counted once however many hold it. Where it becomes too much, whoever has
 * most pending is let go: it comes back and resumes.
 */
import type { EndingName } from '../ending.ts';

/** Somebody whose socket holds on to memory. */
export interface Holder {
  /** Bytes that its kernel has not taken. */
  readonly pending: number;
  destroy(ending: EndingName): void;
}

export class Pinned {
  #limit: number;
  readonly #holders = new Map<Holder, ArrayBufferLike>();
  readonly #holdersOf = new Map<ArrayBufferLike, number>();
  #bytes = 0;

  /** `limit` in bytes (`limits.buffered_total`). */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Holds this many bytes from now on. */
  limit(bytes: number): void {
    this.#limit = bytes;
    while (this.#bytes > bytes) this.#letGo();
  }

  /** Bytes that are held, each counted once. */
  get bytes(): number {
    return this.#bytes;
  }

  /** A holder waits for these bytes to be taken. */
  hold(holder: Holder, bytes: Buffer): void {
    this.release(holder);
    const memory = bytes.buffer;
    this.#holders.set(holder, memory);
    const holders = this.#holdersOf.get(memory) ?? 0;
    this.#holdersOf.set(memory, holders + 1);
    if (holders === 0) this.#bytes += memory.byteLength;
    while (this.#bytes > this.#limit) this.#letGo();
  }

  /** A holder waits for nothing any more, or is gone. */
  release(holder: Holder): void {
    const memory = this.#holders.get(holder);
    if (memory === undefined) return;
    this.#holders.delete(holder);
    const holders = (this.#holdersOf.get(memory) ?? 1) - 1;
    if (holders > 0) {
      this.#holdersOf.set(memory, holders);
      return;
    }
    this.#holdersOf.delete(memory);
    this.#bytes -= memory.byteLength;
  }

  #letGo(): void {
    let largest: Holder | undefined;
    for (const holder of this.#holders.keys()) {
      if (largest === undefined || holder.pending > largest.pending) largest = holder;
    }
    if (largest === undefined) return;
    this.release(largest);
    largest.destroy('crowded');
  }
}
