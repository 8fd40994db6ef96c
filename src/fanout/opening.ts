/**
 * How a stream begins: once its sources confirm that they are heard, or have not for a second, the gaps that were
 * found are announced, then `gateway.open` with the cursor that the stream starts from, then the events from there.
 */

import type { Brought } from '../channel/continuity.ts';
import type { Cancel, Clock } from '../clock.ts';
import type { Channel } from '../hub/channel.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { Numbering, Replay } from '../position.ts';
import { encodeNotice } from '../sse/encode.ts';
import type { Fanout } from './fanout.ts';
import { cursorAt } from './standing.ts';
import { findStart, findsLater, lateStart, type Start, startNow } from './start.ts';
import type { Subscriber } from './subscriber.ts';
import type { Walk } from './walk.ts';

/** What a client asked for. */
export interface Asked {
  readonly brought: Brought;
  /** What it wants first where it brings nothing; undefined for what the channel gives. */
  readonly replay: Replay | undefined;
  /** False leaves `gateway.open` out. */
  readonly announce: boolean;
}

/** What an opening needs of the process. */
export interface OpeningContext {
  readonly fanout: Fanout;
  readonly numbering: Numbering;
  readonly clock: Clock;
  readonly metrics: Metrics;
}

/** How long a source may take to confirm, and a stream to be looked up, before the stream opens without it. */
const CONFIRM_MS = 1000;

/** Opens an admitted subscriber's stream as soon as it can be. */
export function openStream(subscriber: Subscriber, asked: Asked, context: OpeningContext): void {
  new Opening(subscriber, asked, context).await();
}

class Opening {
  readonly #subscriber: Subscriber;
  readonly #asked: Asked;
  readonly #context: OpeningContext;
  readonly #cancels: Cancel[] = [];
  /** Channels that were not confirmed or looked up yet. */
  readonly #waiting = new Set<Channel>();
  /** Where the stream starts in channels of which that took a look into the stream. */
  readonly #found = new Map<Channel, Start>();

  constructor(subscriber: Subscriber, asked: Asked, context: OpeningContext) {
    this.#subscriber = subscriber;
    this.#asked = asked;
    this.#context = context;
  }

  await(): void {
    for (const channel of this.#subscriber.channels) {
      if (channel.confirmed) this.#look(channel);
      else {
        this.#waiting.add(channel);
        this.#cancels.push(channel.whenConfirmed(() => this.#look(channel)));
      }
    }
    if (this.#waiting.size === 0) this.#run();
    else this.#cancels.push(this.#context.clock.after(CONFIRM_MS, () => this.#run()));
  }

  /** Looks where the stream starts in a channel that is confirmed, if its log alone cannot tell. */
  #look(channel: Channel): void {
    const asked = this.#askedOf(channel);
    const start = startNow(channel, asked, this.#context.numbering);
    if (start.kind === 'at') {
      this.#waiting.delete(channel);
      if (this.#cancels.length > 0 && this.#waiting.size === 0) this.#run();
      return;
    }
    this.#waiting.add(channel);
    const found = (result: Start | undefined): void => {
      if (result !== undefined) this.#found.set(channel, result);
      this.#waiting.delete(channel);
      if (this.#waiting.size === 0) this.#run();
    };
    // A source that went away meanwhile: the stream opens without it, and proves itself when it is back.
    const { fanout, numbering } = this.#context;
    const walkOf = (of: Channel): Walk => fanout.walkOf(of);
    const waits = (cancel: Cancel): void => void this.#cancels.push(cancel);
    findStart(channel, asked, start, { numbering, walkOf, waits }).then(found, () => found(undefined));
  }

  #askedOf(channel: Channel): { brought: Brought; replay: Replay; publisherIds: boolean } {
    const { brought, replay } = this.#asked;
    const { plan } = channel;
    const publisherIds = plan.publisherIds && this.#subscriber.channels.length === 1;
    return { brought, replay: replay ?? plan.replay, publisherIds };
  }

  #run(): void {
    for (const cancel of this.#cancels) cancel();
    const { outlet, place } = this.#subscriber;
    if (!outlet.open || place !== 'opening') return;
    const { channels } = this.#subscriber;
    const unconfirmed = channels.filter((channel) => !channel.confirmed || this.#waiting.has(channel));
    for (const channel of unconfirmed) {
      if (!channel.confirmed && !findsLater(channel, this.#askedOf(channel)))
        channel.openedPending(this.#asked.brought);
    }
    const starts = new Map(channels.map((channel) => [channel, this.#startOf(channel)] as const));
    const isPending = (channel: Channel): boolean => {
      return unconfirmed.includes(channel) || starts.get(channel)?.apart?.kind === 'find';
    };
    const pending = channels.filter(isPending);
    this.#place(starts);
    this.#announce(starts, pending);
    this.#context.fanout.enter(this.#subscriber);
  }

  #startOf(channel: Channel): Start {
    const found = this.#found.get(channel);
    if (found !== undefined) return found;
    const asked = this.#askedOf(channel);
    return lateStart(channel, asked, this.#context.numbering);
  }

  #place(starts: ReadonlyMap<Channel, Start>): void {
    const subscriber = this.#subscriber;
    const { fanout } = this.#context;
    const at = [...starts].map(([{ log }, start]) => [log, start.number] as const);
    const target = Math.max(...at.map(([, number]) => number));
    subscriber.cursor = target;
    subscriber.from = target;
    if (at.some(([, number]) => number !== target)) subscriber.uneven = { at: new Map(at), target };
    const own = [...starts].filter(([{ log }]) => log.nature.own);
    if (own.length === 0) return;
    subscriber.positions = new Map(own.map(([{ log }, { position }]) => [log, position]));
    for (const [channel, { apart, stays, position: text }] of own) {
      if (apart === undefined) continue;
      const position = apart.kind === 'stream' ? apart : undefined;
      const find = apart.kind === 'find' ? apart.replay : undefined;
      subscriber.part(channel.log, {
        subscriber,
        channel,
        position,
        find,
        stood: channel.log.position,
        told: stays ? text : undefined,
      });
      // A key's value comes with its confirmation or the next read: only then it shows whether the client has it.
      if (apart.kind !== 'key') continue;
      subscriber.waits(channel.whenRead(() => fanout.joinKey(subscriber, channel, this.#asked.brought)));
    }
  }

  #announce(starts: ReadonlyMap<Channel, Start>, pending: readonly Channel[]): void {
    const { metrics } = this.#context;
    const { outlet } = this.#subscriber;
    const { announce } = this.#asked;
    const id = this.#cursor(starts);
    const gaps = [...starts.values()].flatMap(({ gap }) => gap ?? []);
    gaps.forEach((gap, i) => {
      // A cut before the first id must repeat the gap, so only the last of a stream without `gateway.open` carries one.
      const last = !announce && i === gaps.length - 1;
      outlet.write(encodeNotice('gateway.gap', gap, last ? id : undefined));
    });
    metrics.count('gaps', gaps.length);
    if (announce) this.#open(pending, id, gaps.length === 0);
    // What ended before the place where this stream starts is not in what follows.
    for (const [{ log }, { number, apart }] of starts) {
      const past = log.ended && log.nature.final && apart === undefined && number >= log.head;
      if (!past) continue;
      outlet.write(encodeNotice('gateway.end', { channel: log.channel, reason: log.endReason }, id));
    }
  }

  #cursor(starts: ReadonlyMap<Channel, Start>): string | undefined {
    const logs = [...starts.keys()].map(({ log }) => log);
    const here = [...starts].filter(([, { apart }]) => apart === undefined);
    const at = new Map(here.map(([{ log }, { number }]) => [log, number] as const));
    const positions = new Map([...starts].map(([{ log }, { position }]) => [log, position] as const));
    return cursorAt(this.#context.numbering.epoch, logs, { at, positions }, 0) || undefined;
  }

  #open(pending: readonly Channel[], id: string | undefined, whole: boolean): void {
    const { outlet, channels } = this.#subscriber;
    const { brought } = this.#asked;
    const open = {
      channels: channels.map((channel) => channel.name),
      resumed: brought.kind !== 'nothing' && whole && pending.length === 0,
      ...(pending.length > 0 && { pending: pending.map((channel) => channel.name) }),
    };
    outlet.write(encodeNotice('gateway.open', open, id));
  }
}
