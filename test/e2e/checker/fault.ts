/** What a fault is: something that happens to a deployment and is over again. */
import type { Deployment, Persistence } from './deployment.ts';

/** How much time a fault takes: `short` for every run of the tests, `long` for a soak. */
export type Length = 'short' | 'long';

/** One fault, named by what it does. */
export interface Fault {
  readonly name: string;
  /** Default: either. */
  readonly persistence?: Persistence;
  /** Whether Redis has a replica and Sentinels; default: not. */
  readonly sentinel?: boolean;
  /** How many gateways it needs; default 1. */
  readonly gateways?: number;
  /** Settles when it is over; what must be seen of it beside the events is checked inside. */
  run(deployment: Deployment, length: Length): Promise<void>;
}

/** Something that is wrong though no client saw it. */
export function odd(deployment: Deployment, detail: string): void {
  deployment.oddities.push({ kind: 'odd', who: 'gateway', channel: '', at: performance.now(), detail });
}
