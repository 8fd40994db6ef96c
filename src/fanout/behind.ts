/**
 * Those who are behind: each is served alone, a write at a time, until it reaches the head of its audience.
 *
 * Somebody who follows one log, or several at one number, is given what follows in the bytes that all share. Whose logs
 * stand apart gets events of its own, since their ids name every place. And who stands at a place of a stream that its
 * log does not hold is given the stream from elsewhere, in turn with its other channels.
 */
import type { Log } from '../channel/log.ts';
import { formatPosition, type Numbering, streamPosition } from '../position.ts';
import { type Batch, collect, type View } from './batch.ts';
import { cursorAt, isOvertaken, positionBy, readFrom, standing } from './standing.ts';
import type { Apart, Subscriber, Uneven } from './subscriber.ts';

/** The most that is written at once to one that lags: small enough that each write that is taken shows as progress. */
export const LAG_BYTES = 64 * 1024;

/** What serving one subscriber needs. */
export interface BehindOptions {
  readonly logs: readonly Log[];
  readonly view: View;
  readonly numbering: Numbering;
  /** Gives a channel of a subscriber from elsewhere than its log, and says whether it is about to; called after each write. */
  readonly want: (apart: Apart) => boolean;
}

/** How a visit went: `more` was written, `waits` for something that is given elsewhere, or everything `upTo` was given. */
export type Advanced =
  | { readonly kind: 'more'; readonly gaps: number }
  | { readonly kind: 'waits' }
  | { readonly kind: 'even' };

export class Behind {
  readonly #options: BehindOptions;
  /** Logs whose events have positions of their own, and whether ids name each channel for itself. */
  readonly #own: readonly Log[];
  readonly #vector: boolean;

  constructor(options: BehindOptions) {
    this.#options = options;
    this.#own = options.logs.filter((log) => log.nature.own);
    this.#vector = this.#own.length > 0 && options.logs.length > 1;
  }

  /** Whether no log of the audience has its own positions, and shared bytes say where everybody stands. */
  get vector(): boolean {
    return this.#vector;
  }

  /** What somebody at `number` has of logs with positions of their own; undefined where there are none. */
  positionsAt(number: number, given: ReadonlyMap<Log, string | undefined>): Map<Log, string | undefined> | undefined {
    if (this.#own.length === 0) return undefined;
    return new Map(this.#own.map((log) => [log, given.get(log) ?? log.positionAt(number)] as const));
  }

  /** The ids of events for somebody who stands at one number in all logs; undefined where events have them already. */
  idsFrom(number: number, positions: ReadonlyMap<Log, string | undefined>): ((number: number) => string) | undefined {
    if (!this.#vector) return undefined;
    const { logs, numbering } = this.#options;
    const at = new Map(logs.map((log) => [log, number] as const));
    return (upTo) => cursorAt(numbering.epoch, logs, { at, positions }, upTo);
  }

  /** Moves what was given of logs with positions of their own on from one number to another. */
  advancePositions(positions: Map<Log, string | undefined>, from: number, upTo: number): void {
    for (const log of this.#own) positions.set(log, positionBy(log, from, upTo, positions.get(log)));
  }

  /** Writes what comes next for one whose socket has nothing pending. `head`: where its audience stands. */
  advance(subscriber: Subscriber, head: number, now: number): Advanced {
    this.#partOvertaken(subscriber);
    if (subscriber.apart !== undefined) return this.#advanceApart(subscriber, subscriber.apart, now);
    const reach = this.reach();
    const { logs, view, numbering } = this.#options;
    if (logs.length > 1 && reach > subscriber.cursor) {
      subscriber.uneven ??= { at: new Map(logs.map((log) => [log, subscriber.cursor])), target: subscriber.cursor };
    }
    if (subscriber.uneven !== undefined) return this.#advanceUneven(subscriber, subscriber.uneven, now);
    const upTo = Math.max(head, reach);
    const from = subscriber.cursor;
    if (from >= upTo) return { kind: 'even' };
    const idAt = this.idsFrom(from, subscriber.positions ?? new Map());
    const after = (log: Log): number => readFrom(log, from, subscriber.positions?.get(log));
    const wanted = { after, upTo, bytes: LAG_BYTES, view, ...(idAt && { idAt }) };
    const batch = collect(logs, wanted, numbering);
    subscriber.cursor = batch?.upTo ?? upTo;
    if (subscriber.positions !== undefined) this.advancePositions(subscriber.positions, from, subscriber.cursor);
    return batch === undefined ? { kind: 'even' } : write(subscriber, batch, now);
  }

  /** The highest number that a log has dropped which keeps everything that counts. */
  reach(): number {
    return this.#options.logs.reduce((reach, log) => (log.nature.compact ? reach : Math.max(reach, log.dropped)), 0);
  }

  /** A stream that the window has overtaken is read again in Redis, from where the subscriber stands. */
  #partOvertaken(subscriber: Subscriber): void {
    for (const channel of subscriber.channels) {
      const { log } = channel;
      if (!log.nature.own || subscriber.apart?.has(log)) continue;
      if (!isOvertaken(log, subscriber.uneven?.at.get(log) ?? subscriber.cursor)) continue;
      const position = streamPosition(subscriber.positions?.get(log));
      if (position !== undefined) subscriber.part(log, { subscriber, channel, position });
    }
  }

  /** Its channels have their turns, but nobody waits for one that has nothing to give yet. */
  #advanceApart(subscriber: Subscriber, apart: ReadonlyMap<Log, Apart>, now: number): Advanced {
    let isGiven = false;
    for (const each of apart.values()) isGiven = this.#options.want(each) || isGiven;
    if (subscriber.uneven === undefined || (isGiven && subscriber.apartNext)) return { kind: 'waits' };
    const batch = this.#collectUneven(subscriber, { ...subscriber.uneven, target: this.#options.numbering.last });
    if (batch === undefined) return { kind: 'waits' };
    subscriber.apartNext = true;
    return write(subscriber, batch, now);
  }

  #advanceUneven(subscriber: Subscriber, uneven: Uneven, now: number): Advanced {
    const target = Math.max(uneven.target, this.reach());
    const batch = this.#collectUneven(subscriber, { ...uneven, target });
    if (batch !== undefined) return write(subscriber, batch, now);
    subscriber.uneven = undefined;
    subscriber.cursor = target;
    return { kind: 'more', gaps: 0 };
  }

  /** While its logs stand at different numbers, ids name each of them, so events are written for it alone. */
  #collectUneven(subscriber: Subscriber, { at, target }: Uneven): Batch | undefined {
    const { logs, view, numbering } = this.#options;
    const positions = new Map(subscriber.positions);
    for (const [log, { position }] of subscriber.apart ?? [])
      if (position) positions.set(log, formatPosition(position));
    const idAt = (number: number): string => cursorAt(numbering.epoch, logs, { at, positions }, number);
    const after = (log: Log): number => readFrom(log, at.get(log) ?? target, positions.get(log));
    const named = logs.length > 1;
    const wanted = { after, upTo: target, bytes: LAG_BYTES, view, ...(named && { idAt }) };
    const batch = collect([...at.keys()], wanted, numbering);
    const upTo = batch?.upTo ?? target;
    for (const [log, from] of at) {
      if (log.nature.own) subscriber.positions?.set(log, positionBy(log, from, upTo, subscriber.positions.get(log)));
      at.set(log, standing(log, from, upTo));
    }
    if (batch !== undefined) subscriber.uneven = { at, target };
    return batch;
  }
}

function write(subscriber: Subscriber, batch: Batch, now: number): Advanced {
  subscriber.outlet.write(batch.frames);
  subscriber.lastWrite = now;
  return { kind: 'more', gaps: batch.gaps };
}
