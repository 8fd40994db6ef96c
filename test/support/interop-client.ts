/** What every client that is not ours has in common here: it follows an address, and what it dispatched can be awaited. */
import type { Owner } from './owner.ts';
import type { ReceivedEvent } from './sse-reader.ts';
import { Watch } from './wait.ts';

/** The types that clients which must name them listen for. */
export const TYPES = ['message', 'price', 'gateway.open', 'gateway.gap', 'gateway.end'] as const;

/** A client that follows an address. */
export interface Following {
  readonly events: readonly ReceivedEvent[];
  /** Settles with the first event that `wanted` accepts. */
  until(what: string, wanted: (event: ReceivedEvent) => boolean, deadlineMs?: number): Promise<ReceivedEvent>;
}

/** A kind of client, by the name that people know it by. */
export interface ClientKind {
  readonly name: string;
  /** Follows `url` until its owner ends, coming back after a cut by its own means. */
  open(owner: Owner, url: string): Following | Promise<Following>;
}

/** Keeps what a client dispatches. */
export class Recorder implements Following {
  readonly events: ReceivedEvent[] = [];
  readonly #name: string;
  readonly #complaints: () => string;
  readonly #watch = new Watch();

  /** `complaints` is what else the client has to say where it fails. */
  constructor(name: string, complaints: () => string = () => '') {
    this.#name = name;
    this.#complaints = complaints;
  }

  readonly received = (event: ReceivedEvent): void => {
    this.events.push(event);
    this.#watch.changed();
  };

  until(what: string, wanted: (event: ReceivedEvent) => boolean, deadlineMs?: number): Promise<ReceivedEvent> {
    return this.#watch.until(
      () =>
        `${what} by ${this.#name}, which saw ${JSON.stringify(this.events.slice(-5)).slice(0, 2000)} ${this.#complaints()}`,
      () => this.events.find(wanted),
      deadlineMs,
    );
  }
}
