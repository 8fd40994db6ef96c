/** The hub: from names to live channels, from a source's messages to their logs; follow, linger and limits. */
import type { Clock } from '../clock.ts';
import { LimitError } from '../errors.ts';
import type { Message } from '../event.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { Feed, Once, Receipt, Source, SourceListener, StreamState } from '../source/source.ts';
import { Channel } from './channel.ts';
import { fill } from './filling.ts';
import { Intake } from './intake.ts';
import type { Keeping } from './keeping.ts';
import type { Plan } from './plan.ts';
import { writingOf } from './writing.ts';

/** What the configuration says to the hub. */
export interface HubSettings {
  /** What a name means by configuration; undefined where nothing names it. */
  readonly plan: (name: string) => Plan | undefined;
  readonly sources: readonly Source[];
  /** Channels that are followed from the start, whether anybody listens or not. */
  readonly always: readonly Plan[];
  /** Live names at most. */
  readonly maxChannels: number;
  /** Bytes of one payload at most. */
  readonly maxEventSize: number;
}

/** What the hub needs. */
export interface HubOptions extends HubSettings {
  readonly keeping: Keeping;
  readonly clock: Clock;
  readonly metrics: Metrics;
}

export class Hub {
  #options: HubOptions;
  readonly #channels = new Map<string, Channel>();
  /** Which channels read a feed: one feed that two channels use is followed once, as one object. */
  readonly #feeds = new Map<Source, Map<string, Feed>>();
  readonly #readers = new Map<Feed, Map<Channel, Intake>>();
  readonly #intakes = new Map<Channel, Intake>();
  /** Channels whose last follower has left, the one that waits longest first. */
  readonly #lingering = new Set<Channel>();

  constructor(options: HubOptions) {
    this.#options = options;
    for (const source of options.sources) this.#feeds.set(source, new Map());
  }

  start(): void {
    for (const source of this.#options.sources) source.start(this.#listener());
    for (const plan of this.#options.always) this.#live(plan);
    this.#options.keeping.start((channel) => this.#dropIdle(channel));
  }

  stop(): void {
    this.#options.keeping.stop();
    for (const source of this.#options.sources) source.stop();
    for (const channel of this.#lingering) channel.lingering?.();
    for (const intake of this.#intakes.values()) intake.stop();
  }

  /**
   * Goes by another configuration. Gives the channels that read something else under the same name now, each with the
   * number up to which its followers are to be given everything before they are cut, 0 for at once. Those that nothing names any more are ended; of a source that is not among the new ones
   * nothing is heard from here on.
   */
  reload(settings: HubSettings): ReadonlyMap<Channel, number> {
    const { sources: before } = this.#options;
    this.#options = { ...this.#options, ...settings };
    for (const source of settings.sources) {
      if (before.includes(source)) continue;
      this.#feeds.set(source, new Map());
      source.start(this.#listener());
    }
    const replaced = new Map<Channel, number>();
    for (const channel of [...this.#channels.values()]) {
      const told = this.#replan(channel);
      if (told !== undefined) replaced.set(channel, told);
    }
    for (const plan of settings.always) this.#live(plan);
    for (const source of before) {
      if (settings.sources.includes(source)) continue;
      source.stop();
      this.#feeds.delete(source);
    }
    return replaced;
  }

  /** All live channels, by name. */
  get live(): ReadonlyMap<string, Channel> {
    return this.#channels;
  }

  /** What a name means; undefined where nothing in the configuration names it. */
  plan(name: string): Plan | undefined {
    return this.#channels.get(name)?.plan ?? this.#options.plan(name);
  }

  /** The live channel of a plan, followed until `release`. Throws LimitError where `limits.channels` is reached. */
  follow(plan: Plan): Channel {
    const channel = this.#live(plan);
    channel.followers += 1;
    this.#stopLingering(channel);
    return channel;
  }

  /** Ends what `follow` began. */
  release(channel: Channel): void {
    channel.followers -= 1;
    if (this.#channels.get(channel.name) !== channel) {
      if (channel.followers === 0) this.#options.keeping.remove(channel);
      return;
    }
    this.#lingerIfIdle(channel);
  }

  #lingerIfIdle(channel: Channel): void {
    if (channel.followers > 0 || channel.plan.always || channel.lingering !== undefined) return;
    const lingered = (): void => {
      channel.lingering = undefined;
      this.#lingering.delete(channel);
      if (channel.memory) this.#dropIdle(channel);
      else this.#drop(channel);
    };
    channel.lingering = this.#options.clock.after(channel.plan.linger, lingered);
    this.#lingering.add(channel);
  }

  /** Publishes through the channel's source. Errors are those of `Source.publish`, and LimitError. */
  publish(plan: Plan, message: Message, once?: Once): Promise<Receipt> {
    const feed = plan.feed.kind === 'memory' ? this.#live(plan).plan.feed : plan.feed;
    const { message: written, entry } = writingOf(plan, message);
    return plan.source.publish(feed, written, { once, entry });
  }

  #live(plan: Plan): Channel {
    const known = this.#channels.get(plan.name);
    if (known !== undefined) return known;
    if (this.#channels.size >= this.#options.maxChannels) this.#dropLongestLingering();
    if (this.#channels.size >= this.#options.maxChannels) {
      throw new LimitError(`${this.#options.maxChannels} channels are live, which is limits.channels`, {
        hint: 'raise limits.channels, or come back when others have gone',
      });
    }
    const { keeping } = this.#options;
    const channel = new Channel({ ...plan, feed: this.#interned(plan) }, keeping.floor, keeping.context);
    this.#channels.set(plan.name, channel);
    const intake = this.#intakeOf(channel);
    this.#intakes.set(channel, intake);
    keeping.add(channel);
    this.#beginReading(channel, intake);
    return channel;
  }

  /** Brings a live channel to what the configuration says now; gives a number as `reload` where another takes its place. */
  #replan(channel: Channel): number | undefined {
    const plan = this.#options.plan(channel.name);
    const { shape, source } = channel.plan;
    if (plan?.shape === shape && plan.source === source) {
      channel.replan(plan);
      this.#intakes.get(channel)?.replan(channel.plan);
      this.#lingerIfIdle(channel);
      return undefined;
    }
    if (plan === undefined) channel.log.appendEnd('removed', { position: channel.log.position });
    this.#retire(channel);
    if (plan === undefined) return undefined;
    const told = channel.giveWay(plan);
    const next = this.#live(plan);
    next.replaces();
    this.#lingerIfIdle(next);
    return told;
  }

  /** Reads nothing more for a channel. Whoever follows it may read to its end. */
  #retire(channel: Channel): void {
    this.#stopLingering(channel);
    this.#channels.delete(channel.name);
    this.#unread(channel);
    if (channel.followers === 0) this.#options.keeping.remove(channel);
  }

  #intakeOf(channel: Channel): Intake {
    const { clock, metrics, maxEventSize, keeping } = this.#options;
    const appended = (): void => keeping.appended(channel);
    return new Intake({ plan: channel.plan, log: channel.log, clock, metrics, maxEventSize, appended });
  }

  #stopLingering(channel: Channel): void {
    channel.lingering?.();
    channel.lingering = undefined;
    this.#lingering.delete(channel);
  }

  /** Names that nobody follows any more must not keep new ones out. */
  #dropLongestLingering(): void {
    for (const channel of this.#lingering) {
      if (channel.memory && channel.log.size > 0) continue; // what was published there is nowhere else
      this.#stopLingering(channel);
      this.#drop(channel);
      return;
    }
  }

  /** A stream or key is read for each channel from where that one stands; what is published comes to all at once. */
  #interned({ source, feed }: Plan): Feed {
    const shared =
      feed.kind === 'stream' || feed.kind === 'key' ? undefined : this.#feeds.get(source)?.get(keyOf(feed));
    return shared ?? { ...feed };
  }

  #beginReading(channel: Channel, intake: Intake): void {
    const { source, feed } = channel.plan;
    const readers = this.#readers.get(feed);
    if (readers === undefined) {
      this.#feeds.get(source)?.set(keyOf(feed), feed);
      this.#readers.set(feed, new Map([[channel, intake]]));
      source.follow(feed);
      return;
    }
    const [first] = readers.keys();
    readers.set(channel, intake);
    if (first?.confirmed === true) channel.confirm();
  }

  #dropIdle(channel: Channel): void {
    const idle = channel.followers === 0 && channel.lingering === undefined;
    if (idle && channel.memory && channel.log.size === 0) this.#drop(channel);
  }

  #drop(channel: Channel): void {
    this.#channels.delete(channel.name);
    this.#options.keeping.remove(channel);
    this.#unread(channel);
  }

  #unread(channel: Channel): void {
    this.#intakes.get(channel)?.stop();
    this.#intakes.delete(channel);
    const { source, feed } = channel.plan;
    const readers = this.#readers.get(feed);
    readers?.delete(channel);
    if (readers?.size !== 0) return;
    this.#readers.delete(feed);
    this.#feeds.get(source)?.delete(keyOf(feed));
    source.unfollow(feed);
  }

  /** What comes while a log is being filled waits for that, and the channel is confirmed after it. */
  #begin(channel: Channel, intake: Intake, state: StreamState): void {
    intake.begins(state);
    if (channel.log.nature.own) {
      this.#confirm(channel);
      return;
    }
    intake.hold();
    const filled = (): void => {
      if (this.#intakes.get(channel) !== intake) return;
      this.#confirm(channel);
      intake.release();
    };
    // A source that went away will tell everything anew; until then what is known is better than nothing.
    fill(channel, intake, state).then(filled, filled);
  }

  #confirm(channel: Channel): void {
    channel.confirm();
    this.#options.keeping.appended(channel);
  }

  #listener(): SourceListener {
    const readersOf = (feed: Feed): Iterable<Channel> => this.#readers.get(feed)?.keys() ?? [];
    const intakesOf = (feed: Feed): Iterable<Intake> => this.#readers.get(feed)?.values() ?? [];
    return {
      payload: (feed, payload) => {
        for (const intake of intakesOf(feed)) intake.payload(payload);
      },
      message: (feed, message) => {
        let number: number | undefined;
        for (const intake of intakesOf(feed)) number = intake.message(message);
        return number;
      },
      entries: (feed, entries) => {
        for (const intake of intakesOf(feed)) intake.entries(entries);
      },
      value: (feed, value) => {
        for (const intake of intakesOf(feed)) intake.value(value);
      },
      broken: (feed, gap) => {
        for (const intake of intakesOf(feed)) intake.broken(gap);
      },
      knows: (feed, entry) => {
        const answers = [...intakesOf(feed)].map((intake) => intake.knows(entry));
        return answers.find((answer) => answer === true) ?? answers.find((answer) => answer === false);
      },
      confirmed: (feed, state) => {
        for (const channel of readersOf(feed)) {
          const intake = this.#intakes.get(channel);
          if (state !== undefined && !channel.known && intake !== undefined) this.#begin(channel, intake, state);
          else this.#confirm(channel);
        }
      },
      refused: (feed) => {
        for (const channel of readersOf(feed)) {
          channel.refuse();
          this.#options.keeping.appended(channel);
        }
      },
      lost: (feed) => {
        for (const channel of readersOf(feed)) channel.lose();
      },
    };
  }
}

function keyOf(feed: Feed): string {
  return `${feed.kind} ${feed.name}`;
}
