/** The part of a Redis source that reads streams and keys: what is followed, what rings, and pages on request. */
import type { Redis } from 'ioredis';
import type { Cancel } from '../clock.ts';
import type { Replay, StreamPosition } from '../position.ts';
import { Asking } from './redis-asking.ts';
import { Doorbell } from './redis-doorbell.ts';
import { KeyReader } from './redis-key-reader.ts';
import type { RedisSourceOptions } from './redis-options.ts';
import { Paging } from './redis-paging.ts';
import { ReadingLine } from './redis-reading-line.ts';
import { Rotation } from './redis-rotation.ts';
import { StreamReader } from './redis-stream-reader.ts';
import type { Watched } from './redis-watched.ts';
import type { Feed, SourceListener, StreamPage } from './source.ts';

/** Everything is read again within this time, whether it rang or not: the net below the doorbell. */
const NET_MS = 30_000;
const NET_STEP_MS = 1000;
/** Where Redis does not ring, every key is read within this time. */
const POLL_MS = 1000;
const POLL_STEP_MS = 100;

export class RedisWatching {
  readonly #options: RedisSourceOptions;
  readonly #listener: SourceListener;
  readonly #doorbell: Doorbell;
  readonly #line = new ReadingLine();
  readonly #asking: Asking;
  readonly #paging: Paging;
  readonly #streams = new Map<Feed, StreamReader>();
  readonly #keys = new Map<Feed, KeyReader>();
  /** By the name in Redis: one may be followed as several feeds, each of which stands at a place of its own. */
  readonly #named = new Map<string, Set<Watched>>();
  readonly #timers: Cancel[] = [];
  #started = false;
  #isAsking = false;

  constructor(options: RedisSourceOptions, listener: SourceListener) {
    this.#options = options;
    this.#listener = listener;
    this.#doorbell = new Doorbell(options, {
      linked: () => this.#paging.linked(),
      armed: (redis, rings) => this.#armed(redis, rings),
      disarmed: () => this.#disarmed(),
      rang: (keys) => this.#rang(keys),
    });
    this.#asking = new Asking(options, {
      want: (reader) => this.#line.want(reader),
      isIdle: (reader) => this.#line.isIdle(reader),
    });
    const { name, clock } = options;
    const link = (): Redis | undefined => this.#doorbell.redis;
    this.#paging = new Paging({ name, clock, link, problem: () => this.#doorbell.problem });
  }

  /** Why nothing is read; undefined while it is, and as long as nobody has asked for anything. */
  get problem(): string | undefined {
    return this.#started ? this.#doorbell.problem : undefined;
  }

  /** Follows a feed of kind `stream` or `key`. The first one brings the links up. */
  follow(feed: Feed): void {
    const key = this.#nameOf(feed);
    const { logger, valueLimit } = this.#options;
    if (feed.kind === 'stream') {
      const reader = new StreamReader(feed, key, { listener: this.#listener, logger });
      this.#streams.set(feed, reader);
      this.#add(reader);
      if (this.#isAsking) this.#asking.add(reader);
    } else {
      const reader = new KeyReader(feed, key, { listener: this.#listener, logger, valueLimit });
      this.#keys.set(feed, reader);
      this.#add(reader);
    }
    this.#start();
  }

  unfollow(feed: Feed): void {
    const stream = this.#streams.get(feed);
    if (stream !== undefined) this.#asking.remove(stream);
    const reader = stream ?? this.#keys.get(feed);
    this.#streams.delete(feed);
    this.#keys.delete(feed);
    if (reader === undefined) return;
    this.#line.remove(reader);
    const named = this.#named.get(reader.key);
    named?.delete(reader);
    if (named?.size === 0) this.#named.delete(reader.key);
  }

  /** Reads a followed key once more; see Source. */
  readAgain(feed: Feed): Promise<boolean> {
    const reader = this.#keys.get(feed);
    return reader === undefined ? Promise.resolve(false) : this.#line.again(reader);
  }

  /** Begins no reads until `resume`, pages aside. */
  pause(): void {
    this.#line.pause();
  }

  resume(): void {
    this.#line.resume();
  }

  page(feed: Feed, from: StreamPosition): Promise<StreamPage> {
    this.#start();
    return this.#paging.page(this.#nameOf(feed), from);
  }

  startOf(feed: Feed, start: Replay): Promise<StreamPosition> {
    this.#start();
    return this.#paging.startOf(this.#nameOf(feed), start);
  }

  stop(): void {
    this.#line.close();
    for (const cancel of this.#timers) cancel();
    this.#asking.stop();
    this.#doorbell.stop();
  }

  #start(): void {
    if (this.#started) return;
    this.#started = true;
    const { clock } = this.#options;
    const rounds = [new Rotation<Watched>(this.#streams), new Rotation<Watched>(this.#keys)];
    this.#timers.push(
      clock.every(NET_STEP_MS, () => {
        this.#line.wantLater();
        for (const round of rounds) this.#recheck(round.take(NET_STEP_MS / NET_MS));
      }),
    );
    const keys = new Rotation(this.#keys);
    this.#timers.push(
      clock.every(POLL_STEP_MS, () => {
        if (this.#isAsking) for (const reader of keys.take(POLL_STEP_MS / POLL_MS)) this.#line.want(reader);
      }),
    );
    this.#doorbell.start();
  }

  #add(reader: Watched): void {
    const named = this.#named.get(reader.key) ?? new Set();
    this.#named.set(reader.key, named.add(reader));
    this.#line.add(reader);
  }

  #recheck(readers: readonly Watched[]): void {
    for (const reader of readers) {
      reader.recheck();
      this.#line.want(reader);
    }
  }

  #armed(redis: Redis, rings: boolean): void {
    this.#isAsking = !rings;
    if (this.#isAsking) for (const reader of this.#streams.values()) this.#asking.add(reader);
    this.#line.open(redis);
  }

  #disarmed(): void {
    this.#isAsking = false;
    this.#asking.stop();
    this.#line.close();
    for (const readers of [this.#streams, this.#keys]) for (const reader of readers.values()) reader.lose();
  }

  #rang(keys: readonly unknown[] | null): void {
    if (keys === null) {
      for (const readers of [this.#streams, this.#keys]) {
        for (const reader of readers.values()) this.#line.want(reader);
      }
      return;
    }
    for (const key of keys) for (const reader of this.#named.get(String(key)) ?? []) this.#line.want(reader);
  }

  #nameOf(feed: Feed): string {
    return this.#options.prefix + feed.name;
  }
}
