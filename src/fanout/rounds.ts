/**
 * The rounds: everybody is visited a few times within a heartbeat, a few at each tick, so that no connection needs a
 * timer of its own and heartbeats are spread by themselves.
 */
import { type Cancel, type Clock, jitter, type Random } from '../clock.ts';
import { encodeRetry, HEARTBEAT } from '../sse/encode.ts';
import type { Subscriber } from './subscriber.ts';

/** Everybody who has a stream, in the order of arrival. */
export interface Everybody {
  readonly size: number;
  keys(): Iterator<Subscriber> & Iterable<Subscriber>;
}

/** What the rounds need; times in milliseconds. */
export interface RoundsOptions {
  readonly subscribers: Everybody;
  readonly clock: Clock;
  /** The longest time without a byte. */
  readonly heartbeat: number;
}

/** Everybody is visited four times a heartbeat: who was silent for three quarters of one is written to. */
const ROUNDS_PER_HEARTBEAT = 4;
const TICKS_PER_ROUND = 16;

export class Rounds {
  readonly #options: RoundsOptions;
  #walk: Iterator<Subscriber>;
  #cancel: Cancel = () => undefined;

  constructor(options: RoundsOptions) {
    this.#options = options;
    this.#walk = options.subscribers.keys();
  }

  start(): void {
    const tick = this.#options.heartbeat / ROUNDS_PER_HEARTBEAT / TICKS_PER_ROUND;
    this.#cancel = this.#options.clock.every(Math.max(1, tick), () => this.#tick());
  }

  stop(): void {
    this.#cancel();
  }

  #tick(): void {
    const { subscribers, clock } = this.#options;
    const now = clock.now();
    for (let left = Math.ceil(subscribers.size / TICKS_PER_ROUND); left > 0; left--) {
      let next = this.#walk.next();
      if (next.done === true) {
        this.#walk = subscribers.keys();
        next = this.#walk.next();
      }
      if (next.done !== true) this.#visit(next.value, now);
    }
  }

  #visit(subscriber: Subscriber, now: number): void {
    const { outlet, endsAt, lastWrite, place } = subscriber;
    if (!outlet.open || place === 'opening') return;
    if (now >= endsAt) {
      outlet.end('max-age');
      return;
    }
    const silent = (this.#options.heartbeat * (ROUNDS_PER_HEARTBEAT - 1)) / ROUNDS_PER_HEARTBEAT;
    // A full socket has enough to carry; a heartbeat behind it would only wait.
    if (now - lastWrite < silent || outlet.pending > 0) return;
    outlet.write(HEARTBEAT);
    subscriber.lastWrite = now;
  }
}

/** How a drain goes; times in milliseconds. */
export interface DrainOptions {
  readonly subscribers: Everybody;
  readonly clock: Clock;
  readonly random: Random;
  /** By then everybody is gone, whatever they do. */
  readonly window: number;
  /** After which clients come back, before jitter. */
  readonly retry: number;
  /** Somebody else takes who comes, so that it is over when nobody is left; default: it lasts the whole window. */
  readonly relieved?: boolean;
}

/** Streams ended in a second at least: a drain of few is short. */
const DRAIN_PER_SECOND = 1000;
const DRAIN_TICK_MS = 20;
/** The part of the window in which ends are spread; the rest is for what is pending. */
const DRAIN_SPREAD = 0.8;

/**
 * Ends every stream with its own `retry:`, spread over at most the window. Resolves when the window closes: until then
 * whoever comes is told to come back, since a port that refuses makes proxies answer what closes browsers for good.
 * Where nobody is connected it resolves at once.
 */
export function drain(options: DrainOptions): Promise<void> {
  const { subscribers, clock, random, window, retry, relieved = false } = options;
  if (subscribers.size === 0) return Promise.resolve();
  const began = clock.now();
  const everybody = [...subscribers.keys()];
  const shortest = (everybody.length * 1000) / DRAIN_PER_SECOND;
  const spread = Math.max(DRAIN_TICK_MS, Math.min(window * DRAIN_SPREAD, shortest));
  const tell = ({ outlet }: Subscriber): void => {
    outlet.write(encodeRetry(jitter(retry, 0.2, random)));
    outlet.end('drain');
  };
  let told = 0;
  return new Promise((resolve) => {
    const tick = (): void => {
      const passed = clock.now() - began;
      // By the time that has passed: ticks come late where the loop or the machine is busy.
      const due = Math.ceil((everybody.length * (passed + DRAIN_TICK_MS)) / spread);
      for (const subscriber of everybody.slice(told, due)) tell(subscriber);
      told = Math.max(told, due);
      if (passed < window && !(relieved && subscribers.size === 0)) return;
      for (const subscriber of subscribers.keys()) {
        tell(subscriber); // who was told has ended, and is not written to again
        subscriber.outlet.destroy('drain');
      }
      cancel();
      resolve();
    };
    const cancel = clock.every(DRAIN_TICK_MS, tick);
    tick();
  });
}
