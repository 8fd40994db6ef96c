/** A subscriber: one open response and its cursor in the logs it follows. */

import type { Log } from '../channel/log.ts';
import type { Cancel } from '../clock.ts';
import type { EndingName } from '../ending.ts';
import type { Channel } from '../hub/channel.ts';
import type { Replay, StreamPosition } from '../position.ts';
import type { Outlet, OutletOwner } from '../sse/outlet.ts';

/**
 * Where a subscriber is served: `opening` not yet; `head` with its audience, sharing bytes; `behind` alone, until it
 * reaches the head; `gone` never again.
 */
export type Place = 'opening' | 'head' | 'behind' | 'gone';

/** Logs that do not stand at one number: each at its own, until all have reached `target`. */
export interface Uneven {
  readonly at: Map<Log, number>;
  readonly target: number;
}

/** A channel that a subscriber is not given from its log: it stands at a place of the stream that the log does not hold. */
export interface Apart {
  readonly subscriber: Subscriber;
  readonly channel: Channel;
  /** What it has of the stream; undefined while that is to be found, and for a key whose value is waited for. */
  position: StreamPosition | undefined;
  /** Where it begins in a stream that could not be looked at yet. */
  readonly find?: Replay | undefined;
  /** Where the stream stood when it came, if that was known. */
  readonly stood?: string | undefined;
  /** Where it was told of a gap that does not move it, such as that the stream cannot be read there. */
  told?: string | undefined;
  /** The page that it is given, and the number in the log of that page up to which it was. */
  page?: { readonly log: Log; readonly number: number };
}

/** Who is told what a subscriber's socket does. */
export interface SubscriberOwner {
  drained(subscriber: Subscriber): void;
  closed(subscriber: Subscriber, ending: EndingName): void;
}

export class Subscriber implements OutletOwner {
  readonly outlet: Outlet;
  readonly channels: readonly Channel[];
  readonly #owner: SubscriberOwner;
  #waiting: Cancel[] | undefined;
  place: Place = 'opening';
  /** The number up to which it was given everything; the audience's head stands for it while at the head. */
  cursor = 0;
  /** The number that it began at. */
  from = 0;
  uneven: Uneven | undefined;
  /** What it has of logs whose events have positions of their own, while it is not at the head. */
  positions: Map<Log, string | undefined> | undefined;
  /** Channels that it is given from elsewhere than their logs; `uneven` holds the others then. */
  apart: Map<Log, Apart> | undefined;
  /** What is not apart had the last turn. */
  apartNext = false;
  /** Its place in the audience's array while at the head. */
  index = -1;
  /** It stands in a line to be served. */
  queued = false;
  /** When something was written last, and when it has been open for long enough, on the monotonic clock. */
  lastWrite: number;
  readonly endsAt: number;

  constructor(
    outlet: Outlet,
    channels: readonly Channel[],
    life: { now: number; endsAt: number; owner: SubscriberOwner },
  ) {
    this.outlet = outlet;
    this.channels = channels;
    this.#owner = life.owner;
    this.lastWrite = life.now;
    this.endsAt = life.endsAt;
  }

  drained(): void {
    this.#owner.drained(this);
  }

  /** Ends what waits for its sake together with it: what keeps a source away must not keep those who have left. */
  waits(cancel: Cancel): void {
    this.#waiting ??= [];
    this.#waiting.push(cancel);
  }

  closed(ending: EndingName): void {
    for (const cancel of this.#waiting ?? []) cancel();
    this.#owner.closed(this, ending);
  }

  /** The lowest number that it still waits for what comes after. */
  get floor(): number {
    return this.uneven === undefined ? this.cursor : Math.min(...this.uneven.at.values());
  }

  /** A channel stands at a number of its log from here on, where everything up to `position` was given. */
  join(log: Log, number: number, position: string | undefined): void {
    this.apart?.delete(log);
    this.positions?.set(log, position);
    const at = new Map(this.uneven?.at).set(log, number);
    this.uneven = { at, target: Math.max(...at.values()) };
    if (this.apart?.size === 0) this.apart = undefined;
  }

  /** A channel is given from elsewhere than its log from here on. */
  part(log: Log, apart: Apart): void {
    const at = new Map(this.uneven?.at ?? this.channels.map((channel) => [channel.log, this.cursor] as const));
    at.delete(log);
    this.uneven = { at, target: this.uneven?.target ?? this.cursor };
    this.apart ??= new Map();
    this.apart.set(log, apart);
  }
}
