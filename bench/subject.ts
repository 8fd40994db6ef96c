/** The servers that are measured: what the bench needs to know of each. */
import type { Owner } from '../test/support/owner.ts';
import type { Dialect } from './generator/dialect.ts';
import type { Load, Spec } from './generator/spec.ts';
import type { Command, Placement } from './machine.ts';

/** A server under test. */
export interface Subject {
  /** How the tables name it. */
  readonly name: string;
  /** Starts it for one run; it ends with its owner. */
  start(owner: Owner, load: Load, placement: Placement): Promise<Running>;
  /** What is executed, where the time of that is measured as well. */
  readonly command?: Command;
}

/** One that listens. */
export interface Running extends Pick<Spec, 'port' | 'publishPort' | 'redis'> {
  readonly dialect: Dialect;
  /** All its processes, at this moment. */
  readonly pids: () => readonly number[];
  /** Why it does not run any more, with what it printed; undefined while it does. */
  readonly ended: () => string | undefined;
}

/** How long a start may take, in milliseconds: the machine may be busy. */
export const START_LIMIT = 20_000;
