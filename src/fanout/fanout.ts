/**
 * The fan-out: takes what was appended to every subscriber, in turns of the event loop.
 *
 * The first append after a quiet loop is swept as soon as the running callback is done, so that one event reaches
 * everybody in the same tick and a burst that came in one read is one sweep. Whatever comes while sweeping waits for
 * the next turn, where one write takes it all. A turn lasts about ten milliseconds and goes round the audiences.
 */
import type { Brought } from '../channel/continuity.ts';
import type { Log } from '../channel/log.ts';
import { type Clock, jitter, type Random } from '../clock.ts';
import { ENDINGS, type EndingName } from '../ending.ts';
import type { Channel } from '../hub/channel.ts';
import type { Logger } from '../logger.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { Numbering } from '../position.ts';
import type { Form } from '../sse/framing.ts';
import type { Outlet } from '../sse/outlet.ts';
import { Audience } from './audience.ts';
import { Collector, type View } from './batch.ts';
import { Line } from './line.ts';
import { startOfKey } from './start.ts';
import { type Apart, Subscriber, type SubscriberOwner } from './subscriber.ts';
import { Walk } from './walk.ts';

/** What the fan-out needs. */
export interface FanoutOptions {
  readonly numbering: Numbering;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Bytes of the data of one event at most. */
  readonly maxEventSize: number;
  /** Milliseconds after which a connection ends, before jitter. */
  readonly maxConnectionAge: number;
  /** Called after each turn; `all` is true when everybody who can take something was given it. */
  readonly settled: (all: boolean) => void;
  /** Called for each channel of a subscriber that is gone. */
  readonly release: (channel: Channel) => void;
}

/** How a stream is cut: at once, or after the event of a number. */
export interface Cut {
  readonly ending: EndingName;
  readonly after: number;
}

/** How long those who are to be cut may take for what they are still given. */
const LEAVE_MS = 10_000;
/** How long a turn sweeps before other work of the loop has its chance. */
const TURN_MS = 10;
/** Sockets that one audience is given before the next has its turn. */
const VISITS = 64;

export class Fanout implements SubscriberOwner {
  /** Everybody, in the order of arrival, and the audience that serves them. */
  readonly subscribers = new Map<Subscriber, Audience>();
  #options: FanoutOptions;
  readonly #audiences = new Map<string, Audience>();
  readonly #dirty = new Line<Audience>();
  readonly #ready = new Line<Subscriber>();
  readonly #touched = new Set<Log>();
  /** Those who are to be cut once they were given everything up to a number. */
  readonly #leaving = new Map<Subscriber, Cut>();
  /** Of streams that somebody was given from elsewhere than their logs. They hold nothing while nobody is. */
  readonly #walks = new WeakMap<Channel, Walk>();
  readonly #collector: Collector;
  #armed = false;

  constructor(options: FanoutOptions) {
    this.#options = options;
    this.#collector = new Collector(options.numbering);
  }

  /** Goes by other bounds, for whoever comes from now on. */
  limit(limits: Pick<FanoutOptions, 'maxEventSize' | 'maxConnectionAge'>): void {
    this.#options = { ...this.#options, ...limits };
  }

  /**
   * Ends the streams that `ends` gives an ending for, each as soon as it was given everything up to the number `after`,
   * or has not taken it for a while; their clients come back.
   */
  cut(ends: (subscriber: Subscriber) => Cut | undefined): void {
    for (const subscriber of [...this.subscribers.keys()]) {
      const cut = ends(subscriber);
      if (cut?.after === 0) subscriber.outlet.end(cut.ending);
      else if (cut !== undefined) this.#leaving.set(subscriber, cut);
    }
    if (this.#leaving.size === 0) return;
    const leaving = new Map(this.#leaving);
    this.nudge();
    this.#options.clock.after(LEAVE_MS, () => {
      for (const [{ outlet }, { ending }] of leaving) outlet.end(ending);
    });
  }

  /** Takes in a stream whose head is written. It follows its channels at once, and is served from `enter` on. */
  admit(outlet: Outlet, channels: readonly Channel[], view: View): Subscriber {
    const { clock, random, maxConnectionAge, metrics } = this.#options;
    const now = clock.now();
    const audience = this.#audienceOf(channels, { form: outlet.form, view });
    audience.holders += 1;
    const endsAt = now + jitter(maxConnectionAge, 0.1, random);
    const subscriber = new Subscriber(outlet, channels, { now, endsAt, owner: this });
    this.subscribers.set(subscriber, audience);
    metrics.count('streams_opened');
    outlet.own(subscriber);
    return subscriber;
  }

  /** Begins to serve a subscriber from where it stands. */
  enter(subscriber: Subscriber): void {
    if (subscriber.place !== 'opening') return;
    this.subscribers.get(subscriber)?.enter(subscriber);
    this.drained(subscriber);
  }

  /** Takes a turn soon, so that `settled` is called even where nobody has anything to be given. */
  nudge(): void {
    if (this.#armed) return;
    this.#armed = true;
    this.#turnNext();
  }

  /** Takes up a key whose value was waited for: given if it is another than what the client brought. */
  joinKey(subscriber: Subscriber, channel: Channel, brought: Brought): void {
    if (subscriber.apart?.has(channel.log) !== true) return;
    const { number, has } = startOfKey(channel, brought, this.#options.numbering);
    subscriber.join(channel.log, number, has);
    this.drained(subscriber);
  }

  /** The walk through a channel's stream. */
  walkOf(channel: Channel): Walk {
    const known = this.#walks.get(channel);
    if (known !== undefined) return known;
    const walk = new Walk({
      ...this.#options,
      channel,
      viewOf: (subscriber) => this.subscribers.get(subscriber)?.view ?? 'shared',
      served: (subscriber) => this.drained(subscriber),
    });
    this.#walks.set(channel, walk);
    return walk;
  }

  drained(subscriber: Subscriber): void {
    if (subscriber.place !== 'behind' || subscriber.queued) return;
    subscriber.queued = true;
    this.#ready.push(subscriber);
    this.#arm();
  }

  closed(subscriber: Subscriber, ending: EndingName): void {
    const { channels, outlet } = subscriber;
    const audience = this.subscribers.get(subscriber);
    this.subscribers.delete(subscriber);
    this.#leaving.delete(subscriber);
    if (audience !== undefined) this.#leave(subscriber, audience);
    for (const channel of channels) this.#options.release(channel);
    this.#options.metrics.count('streams_ended');
    const facts = { ending, form: outlet.form, channels: channels.length };
    this.#options.logger.debug(facts, `a stream ended: ${ENDINGS[ending].text}`);
  }

  #leave(subscriber: Subscriber, audience: Audience): void {
    audience.leave(subscriber);
    audience.holders -= 1;
    if (audience.holders > 0) return;
    audience.close();
    this.#audiences.delete(audience.key);
  }

  #audienceOf(channels: readonly Channel[], shown: { form: Form; view: View }): Audience {
    const names = channels.map((channel) => channel.name).sort();
    const key = `${shown.form} ${shown.view} ${names.join(',')}`;
    const known = this.#audiences.get(key);
    if (known !== undefined) return known;
    const logs = channels.map((channel) => channel.log);
    const audience = new Audience(key, logs, shown, {
      numbering: this.#options.numbering,
      collector: this.#collector,
      woken: (woken) => this.#wake(woken),
      want: (apart) => this.#want(apart),
    });
    audience.open();
    this.#audiences.set(key, audience);
    return audience;
  }

  /** A key has nothing to walk through: its value comes when its source confirms it. */
  #want(apart: Apart): boolean {
    if (apart.position === undefined && apart.find === undefined) return false;
    return this.walkOf(apart.channel).want(apart);
  }

  #wake(audience: Audience): void {
    audience.queued = true;
    this.#dirty.push(audience);
    this.#arm();
  }

  #arm(): void {
    if (this.#armed) return;
    this.#armed = true;
    queueMicrotask(() => {
      // The immediates of this loop come before its sockets and timers: what is left must not take their turn as well.
      if (!this.#turn()) return;
      if (this.#busy) setImmediate(() => this.#turnNext());
      else this.#turnNext();
    });
  }

  #turnNext(): void {
    setImmediate(() => {
      if (this.#turn()) this.#turnNext();
    });
  }

  get #busy(): boolean {
    return this.#dirty.length > 0 || this.#ready.length > 0;
  }

  /**
   * One turn; gives whether another is due. Stays armed until a turn finds nothing to do, so that under load everything
   * is swept once a loop.
   */
  #turn(): boolean {
    const { clock } = this.#options;
    const began = clock.now();
    let worked = false;
    for (let now = began; this.#busy && now - began < TURN_MS; now = clock.now()) {
      worked = true;
      this.#sweepNext(now);
      this.#serveNext(now);
    }
    this.#collector.forget();
    for (const log of this.#touched) log.trim();
    this.#touched.clear();
    if (this.#leaving.size > 0) this.#cutGiven();
    this.#options.settled(!this.#busy);
    this.#armed = worked;
    return worked;
  }

  #cutGiven(): void {
    for (const [subscriber, { after, ending }] of this.#leaving) {
      if (this.subscribers.get(subscriber)?.hasGiven(subscriber, after) === false) continue;
      this.#leaving.delete(subscriber);
      subscriber.outlet.end(ending);
    }
  }

  #sweepNext(now: number): void {
    const audience = this.#dirty.shift();
    if (audience === undefined) return;
    const swept = audience.sweep(VISITS, now);
    if (swept.more) this.#dirty.push(audience);
    else audience.queued = false;
    if (swept.gaps > 0) this.#options.metrics.count('gaps', swept.gaps);
    this.#touch(audience.logs);
    for (const subscriber of swept.joining) this.drained(subscriber);
  }

  #serveNext(now: number): void {
    const subscriber = this.#ready.shift();
    if (subscriber === undefined) return;
    subscriber.queued = false;
    const audience = this.subscribers.get(subscriber);
    if (audience === undefined || subscriber.place !== 'behind') return;
    const { served, gaps } = audience.serve(subscriber, now);
    if (gaps > 0) this.#options.metrics.count('gaps', gaps);
    if (served === 'more') this.drained(subscriber);
    else this.#touch(audience.logs);
  }

  #touch(logs: readonly Log[]): void {
    for (const log of logs) if (log.untrimmed) this.#touched.add(log);
  }
}
