/**
 * What is kept and for how long, over all channels: the bounds that no single log can see.
 *
 * `limits.history_total` bounds what newcomers may resume to: the oldest idle log goes first. `limits.window` and
 * `limits.buffered_total` bound what connected subscribers have not passed yet: there the source is paused until
 * everybody who can take something was given it, and only then are those who could not overtaken.
 */
import { Held } from '../channel/history.ts';
import type { LogContext } from '../channel/log.ts';
import type { Cancel, Clock } from '../clock.ts';
import type { Numbering } from '../position.ts';
import type { Source } from '../source/source.ts';
import type { Channel } from './channel.ts';

/** The bounds, in bytes. */
export interface KeepingLimits {
  readonly historyTotal: number;
  readonly window: number;
  readonly bufferedTotal: number;
}

/** How often histories are looked through for what has aged out, and for how long at once. */
const AGEING_EVERY_MS = 1000;
const AGEING_MS = 10;
/** How long a source is paused at most, in milliseconds: far below what its own limits and our PING allow. */
const LONGEST_PAUSE_MS = 100;

export class Keeping {
  /** The last number below which nothing can be proved of a channel that has no log: dropped logs raise it. */
  floor = 0;
  readonly context: LogContext;
  readonly #held = new Held();
  #limits: KeepingLimits;
  readonly #clock: Clock;
  /** All channels, the one whose turn has waited longest first. */
  readonly #channels = new Set<Channel>();
  /** Channels with a history, the one that was silent longest first. */
  readonly #byActivity = new Map<Channel, number>();
  readonly #pressed = new Set<Channel>();
  readonly #paused = new Set<Source>();
  #pressedAt = 0;
  readonly #pressure: () => void;
  #stopAgeing: Cancel = () => undefined;

  /** `pressure` is called when a window is full: `settle` is to be called soon. */
  constructor(numbering: Numbering, limits: KeepingLimits, clock: Clock, pressure: () => void) {
    this.#pressure = pressure;
    this.#limits = limits;
    this.#clock = clock;
    this.context = { numbering, held: this.#held, now: () => clock.now() };
  }

  /** Begins to let histories age; `idle` is told of each channel that was looked at. */
  start(idle: (channel: Channel) => void): void {
    this.#stopAgeing = this.#clock.every(AGEING_EVERY_MS, () => this.#age(idle));
  }

  stop(): void {
    this.#stopAgeing();
  }

  /** Holds these bounds from now on. */
  limit(limits: KeepingLimits): void {
    this.#limits = limits;
    if (this.#held.history > limits.historyTotal) this.#forgetOldest();
  }

  add(channel: Channel): void {
    this.#channels.add(channel);
  }

  /** Forgets a dropped channel. What its log could have proved is lost with it, which raises the floor. */
  remove(channel: Channel): void {
    this.#channels.delete(channel);
    this.#byActivity.delete(channel);
    this.#pressed.delete(channel);
    channel.log.discard();
    if (channel.memory) this.floor = Math.max(this.floor, channel.log.base);
  }

  /** Holds the bounds after an event was appended. */
  appended(channel: Channel): void {
    const now = this.#clock.now();
    const marked = this.#byActivity.get(channel) ?? Number.NEGATIVE_INFINITY;
    if (now - marked >= AGEING_EVERY_MS) {
      this.#byActivity.delete(channel);
      this.#byActivity.set(channel, now);
    }
    if (this.#held.history > this.#limits.historyTotal) this.#forgetOldest();
    if (channel.log.windowBytes <= this.#limits.window && this.#held.window <= this.#limits.bufferedTotal) return;
    this.#press(channel);
  }

  /**
   * Overtakes who is still behind a full window, and resumes the sources: once everybody who can take something was
   * given it (`all`), or when that does not come to pass, since a source that is paused for long is lost.
   */
  settle(all: boolean): void {
    if (this.#pressed.size + this.#paused.size === 0) return;
    if (!all && this.#clock.now() - this.#pressedAt < LONGEST_PAUSE_MS) return;
    for (const channel of this.#pressed) channel.log.overtake(this.#limits.window, !all);
    this.#relieve(!all);
    if (all) this.#pressed.clear();
    this.#pressedAt = this.#clock.now();
    for (const source of this.#paused) source.resume();
    this.#paused.clear();
  }

  #press(channel: Channel): void {
    const { source } = channel.plan;
    if (this.#pressed.size === 0) {
      this.#pressedAt = this.#clock.now();
      this.#pressure();
    }
    this.#pressed.add(channel);
    if (this.#paused.has(source)) return;
    this.#paused.add(source);
    source.pause();
  }

  /** Brings all windows together under `limits.buffered_total`, the largest first. */
  #relieve(sparing: boolean): void {
    let over = this.#held.window - this.#limits.bufferedTotal;
    if (over <= 0) return;
    for (const { log } of this.#channels) log.trim();
    const largestFirst = [...this.#channels].sort((a, b) => b.log.windowBytes - a.log.windowBytes);
    for (const { log } of largestFirst) {
      over = this.#held.window - this.#limits.bufferedTotal;
      if (over <= 0) return;
      log.overtake(Math.max(0, log.windowBytes - over), sparing);
    }
  }

  /** Empties histories, the longest silent first, those without listeners before those with, until a tenth is free. */
  #forgetOldest(): void {
    const enough = this.#limits.historyTotal * 0.9;
    for (const followed of [false, true]) {
      for (const channel of this.#byActivity.keys()) {
        if (this.#held.history <= enough) return;
        if (channel.followers > 0 === followed) this.#forget(channel);
      }
    }
  }

  #forget(channel: Channel): void {
    channel.log.forget();
    this.#byActivity.delete(channel);
  }

  #age(idle: (channel: Channel) => void): void {
    const until = this.#clock.now() + AGEING_MS;
    let left = this.#channels.size;
    for (const channel of this.#channels) {
      if (left === 0 || (left % 64 === 0 && this.#clock.now() > until)) return;
      left -= 1;
      // To the end of the line, so that the next turn goes on with the next ones.
      this.#channels.delete(channel);
      this.#channels.add(channel);
      channel.log.trim();
      channel.log.rest();
      if (channel.log.size === 0) this.#byActivity.delete(channel);
      idle(channel);
    }
  }
}
