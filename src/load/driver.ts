/** Publishes phase by phase, at the pace of each, and knows when all of it has arrived. */
import { payload } from '../../src/load/payload.ts';
import type { Cancel, Clock } from '../clock.ts';
import type { Lines } from './lines.ts';
import type { Publishers } from './publisher.ts';
import type { SentTimes } from './sent-times.ts';

/** How messages are published during one phase. It ends with `seconds` or `messages`, whichever comes first. */
export interface Pace {
  readonly seconds: number;
  readonly messages?: number;
  /** Messages per second at most; absent: as many as `window` lets through. */
  readonly rate?: number;
  /** Messages in flight at most: those that not every stream has yet. Infinity: nobody waits for the streams. */
  readonly window: number;
}

/** What a driver needs. */
export interface DriverOptions {
  readonly lines: Lines;
  readonly publishers: Publishers;
  /** Of that many messages one goes to the line that all streams have. */
  readonly sharedEvery: number | undefined;
  /** Bytes of a payload. */
  readonly size: number;
  /** Where the times are kept that a payload has no room for. */
  readonly sentTimes: SentTimes | undefined;
  /** Messages that all streams together have had. */
  readonly delivered: () => number;
  readonly clock: Clock;
  /** When nothing has arrived for this long, what is missing is given up, in milliseconds; default: 5000. */
  readonly stallLimit?: number;
}

/** In milliseconds. */
const STALL_LIMIT = 5000;

/** How often a phase looks whether it stalls, in milliseconds. */
const LOOK_EVERY = 100;

const RESTING: Pace = { seconds: 0, window: 0 };

export class Driver {
  /** How many messages each line has sent, over all phases. */
  readonly published: number[];
  readonly #options: DriverOptions;
  /** The lines that may send, the one that waits longest first; without the shared one. */
  readonly #free: number[];
  /** The most streams that have one message. */
  readonly #audience: number;
  /** Messages that are being sent. */
  #sending = 0;
  /** Deliveries that there will be of all that was sent. */
  #expected = 0;
  #pace: Pace = RESTING;
  #begin = 0;
  /** Messages of this phase. */
  #sent = 0;
  #over = true;
  #pumping = false;
  #wake: Cancel | undefined;
  #done: () => void = () => undefined;

  constructor(options: DriverOptions) {
    const { all, shared } = options.lines;
    this.#options = options;
    this.published = all.map(() => 0);
    this.#free = [...all.keys()].filter((line) => line !== shared);
    this.#audience = all.reduce((most, { audience }) => Math.max(most, audience), 0);
  }

  /** How many messages were sent, over all phases. */
  get total(): number {
    return this.published.reduce((sum, count) => sum + count, 0);
  }

  /** Settles when all that was published in this phase has arrived, or nothing arrives any more. */
  async run(pace: Pace): Promise<void> {
    this.#pace = pace;
    this.#begin = this.#now();
    this.#sent = 0;
    this.#over = false;
    const end = this.#options.clock.after(pace.seconds * 1000, () => this.finish());
    const watch = this.#watch();
    await new Promise<void>((resolve) => {
      this.#done = resolve;
      this.poke();
    });
    for (const cancel of [end, watch, this.#wake]) cancel?.();
    this.#wake = undefined;
    this.#over = true;
  }

  /** Something has arrived or a publisher is free: publishes what may be published now. */
  poke(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    let sent = 0;
    for (; this.#free.length > 0 && this.#mayPublish(); sent++) this.#publish();
    if (sent > 0) this.#options.publishers.flush();
    this.#pumping = false;
    if (this.#over && this.#missing() <= 0 && this.#sending === 0) this.#done();
  }

  /** Ends the phase before its time: nothing more is published. */
  finish(): void {
    this.#over = true;
    this.poke();
  }

  #mayPublish(): boolean {
    if (this.#over || this.#missing() >= this.#pace.window * this.#audience) return false;
    if (this.#sent === this.#pace.messages) {
      this.#over = true;
      return false;
    }
    const { rate } = this.#pace;
    if (rate === undefined) return true;
    const wait = this.#begin + (this.#sent / rate) * 1e6 - this.#now();
    if (wait <= 0) return true;
    this.#wake ??= this.#options.clock.after(wait / 1000, () => {
      this.#wake = undefined;
      this.poke();
    });
    return false;
  }

  #publish(): void {
    const { lines, publishers, size, sharedEvery, sentTimes } = this.#options;
    const shared = sharedEvery !== undefined && this.#sent % sharedEvery === 0 ? lines.shared : undefined;
    const at = shared ?? this.#free.shift() ?? 0;
    const { slot = 0, audience = 0 } = lines.all[at] ?? {};
    const count = this.published[at] ?? 0;
    const number = slot + count * lines.slots;
    const sentAt = this.#now();
    sentTimes?.record(number, sentAt);
    this.published[at] = count + 1;
    this.#sent += 1;
    this.#expected += audience;
    this.#sending += 1;
    publishers.send(at, payload(number, sentAt, size), () => {
      this.#sending -= 1;
      if (shared === undefined) this.#free.push(at);
      this.poke();
    });
  }

  /** Deliveries that have not arrived. */
  #missing(): number {
    return this.#expected - this.#options.delivered();
  }

  /** Whole microseconds. */
  #now(): number {
    return Math.round(this.#options.clock.now() * 1000);
  }

  /** Ends a phase in which nothing moves any more. */
  #watch(): Cancel {
    let before = -1;
    let stillFor = 0;
    const { clock, stallLimit = STALL_LIMIT } = this.#options;
    return clock.every(LOOK_EVERY, () => {
      const moved = this.#options.delivered() + this.#sent;
      const stands = moved === before && (this.#over || this.#missing() >= this.#pace.window * this.#audience);
      stillFor = stands ? stillFor + LOOK_EVERY : 0;
      before = moved;
      if (stillFor < stallLimit) return;
      this.#over = true;
      this.#done();
    });
  }
}
