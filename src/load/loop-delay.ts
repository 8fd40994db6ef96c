/** How late this process gets to what waits for it: time that is its own, and would be told as the server's latency. */
import type { Cancel, Clock } from '../clock.ts';
import { Histogram } from './histogram.ts';

/** How often it is looked, in milliseconds. */
const EVERY_MS = 5;

export class LoopDelay {
  /** In microseconds. */
  readonly delays = new Histogram();
  readonly #cancel: Cancel;

  /** Begins to look. */
  constructor(clock: Clock) {
    let last = clock.now();
    this.#cancel = clock.every(EVERY_MS, () => {
      const now = clock.now();
      this.delays.record(Math.round((now - last - EVERY_MS) * 1000));
      last = now;
    });
  }

  stop(): void {
    this.#cancel();
  }
}
