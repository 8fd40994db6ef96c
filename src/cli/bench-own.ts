/** What this process itself took while it measured: where it is slow, it measures itself. */
import { systemClock } from '../clock.ts';
import { LoopDelay } from '../load/loop-delay.ts';

/** What the generator of a load took. */
export interface OwnFigures {
  /** Its share of one core, 0 to 1. */
  readonly cpu: number;
  /** How late it came to what waited for it, in milliseconds. */
  readonly delay: { readonly p50: number; readonly p99: number; readonly max: number };
}

export class OwnShare {
  readonly #delay = new LoopDelay(systemClock);
  readonly #cpu = process.threadCpuUsage();
  readonly #began = systemClock.now();
  #figures: OwnFigures | undefined;

  /** Ends the measurement at its first call. */
  figures(): OwnFigures {
    this.#figures ??= this.#end();
    return this.#figures;
  }

  #end(): OwnFigures {
    this.#delay.stop();
    const { user, system } = process.threadCpuUsage(this.#cpu);
    const { delays } = this.#delay;
    return {
      cpu: (user + system) / 1000 / (systemClock.now() - this.#began),
      delay: { p50: delays.at(0.5) / 1000, p99: delays.at(0.99) / 1000, max: delays.max / 1000 },
    };
  }
}
