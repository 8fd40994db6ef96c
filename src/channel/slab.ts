/** Slabs: the shared memory in which a log's events stand side by side, encoded once, so that a range is one `subarray`. */
import { type Measured, writeEvent } from '../sse/encode.ts';

/** The smallest slab: a channel that says little costs little. */
const SMALLEST = 1024;

/** The largest slab; an event beyond it gets one of its own. Also the most that one write takes. */
export const LARGEST_SLAB = 256 * 1024;

/** Where an encoded event stands. */
export interface Place {
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
}

/** Hands out places in slabs, one slab after the other. A slab goes when nothing points into it any more. */
export class SlabWriter {
  #bytes: Buffer | undefined;
  #used = 0;

  /** Writes an event. `live` is how many bytes the log keeps: a new slab is about as large, within the bounds above. */
  write(event: Measured, live: number): Place {
    const bytes = this.#room(event.size, live);
    const start = this.#used;
    this.#used = writeEvent(event, bytes, start);
    return { bytes, start, end: this.#used };
  }

  /** Forgets the slab that is written to: where a log is empty, nothing is to be kept for it. */
  release(): void {
    this.#bytes = undefined;
  }

  #room(size: number, live: number): Buffer {
    const current = this.#bytes;
    // A slab that has become far too large for what the log keeps would be pinned by a few small events.
    const fits = current !== undefined && current.length - this.#used >= size && current.length <= 4 * slabSize(live);
    if (fits) return current;
    this.#bytes = Buffer.allocUnsafeSlow(Math.max(size, slabSize(live)));
    this.#used = 0;
    return this.#bytes;
  }
}

/** A place of its own: what is replaced soon must not stand in memory that others keep. */
export function alone(event: Measured): Place {
  const bytes = Buffer.allocUnsafeSlow(event.size);
  return { bytes, start: 0, end: writeEvent(event, bytes, 0) };
}

function slabSize(live: number): number {
  let size = SMALLEST;
  while (size < live && size < LARGEST_SLAB) size *= 2;
  return size;
}
