/** A log as one would write it without thinking of speed: the model that the real one is held against. */
import { ENTRY_BYTES } from '../../src/channel/entries.ts';
import type { HistoryLimits } from '../../src/channel/history.ts';

/** What the model knows of an event. */
export interface NaiveEvent {
  readonly number: number;
  readonly at: number;
  readonly kind: 'event' | 'gap' | 'end';
  /** The whole frame. */
  readonly bytes: Buffer;
  readonly id: string | undefined;
}

export class NaiveLog {
  /** What a newcomer may resume to, and what only readers that are behind still need; oldest first. */
  history: NaiveEvent[] = [];
  window: NaiveEvent[] = [];
  base: number;
  dropped = 0;
  head: number;
  ended = false;
  /** What was dropped although a reader may not have passed it. */
  readonly overtaken: NaiveEvent[] = [];
  readonly #limits: HistoryLimits;

  constructor(limits: HistoryLimits, base: number) {
    this.#limits = limits;
    this.base = base;
    this.head = base;
  }

  get kept(): NaiveEvent[] {
    return [...this.window, ...this.history];
  }

  append(event: NaiveEvent, floors: readonly number[]): void {
    this.history.push(event);
    this.head = event.number;
    this.ended = event.kind === 'end';
    this.#age(event.at);
    if (floors.length === 0) this.trim(event.at, floors);
  }

  trim(now: number, floors: readonly number[]): void {
    this.#age(now);
    const floor = Math.min(...floors);
    while ((this.window[0]?.number ?? Number.POSITIVE_INFINITY) <= floor && this.window.length > 0) this.#drop();
  }

  /** Drops from the window until it is small enough, but nothing above `upTo`. */
  overtake(window: number, upTo: number): void {
    while (memoryOf(this.window) > window && (this.window[0]?.number ?? 0) <= upTo) {
      this.overtaken.push(...this.window.slice(0, 1));
      this.#drop();
    }
  }

  forget(now: number, floors: readonly number[]): void {
    while (this.history.length > 0) this.#pass();
    this.trim(now, floors);
  }

  #age(now: number): void {
    const { events, bytes, age } = this.#limits;
    while (
      this.history.length > events ||
      bytesOf(this.history) > bytes ||
      (this.history[0]?.at ?? Number.POSITIVE_INFINITY) < now - age
    ) {
      this.#pass();
    }
  }

  #pass(): void {
    const event = this.history.shift();
    if (event === undefined) return;
    this.window.push(event);
    this.base = event.number;
  }

  #drop(): void {
    this.dropped = this.window.shift()?.number ?? this.dropped;
  }
}

/** Bytes of all these events together. */
export function bytesOf(events: readonly NaiveEvent[]): number {
  return events.reduce((sum, event) => sum + event.bytes.length, 0);
}

/** The memory that events take together, with what keeping them takes. */
export function memoryOf(events: readonly NaiveEvent[]): number {
  return bytesOf(events) + events.length * ENTRY_BYTES;
}
