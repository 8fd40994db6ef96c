/**
 * A source of streams and keys that lie in memory, which reads, answers and loses its link step by step, as a test says.
 * What it tells of streams is decided by the proof that the source for Redis rests on.
 */
import { SourceDownError } from '../../src/errors.ts';
import type { Message } from '../../src/event.ts';
import { compareIds, type Replay, type StreamPosition } from '../../src/position.ts';
import { stringDigest } from '../../src/source/redis-key-digest.ts';
import { after } from '../../src/source/redis-stream-id.ts';
import type { Place } from '../../src/source/redis-stream-proof.ts';
import { type Part, partingIn, type Read, readIn } from '../../src/source/redis-stream-read.ts';
import type {
  Feed,
  KeyValue,
  Receipt,
  Source,
  SourceListener,
  SourceStatus,
  StreamPage,
} from '../../src/source/source.ts';
import { KeyTruth, StreamTruth, written } from './stream-truth.ts';

/** Redis: what all sources of a test read. */
export class FakeRedis {
  readonly streams = new Map<string, StreamTruth>();
  readonly keys = new Map<string, KeyTruth>();

  constructor(streams: readonly string[], keys: readonly string[]) {
    for (const name of streams) this.streams.set(name, new StreamTruth(name));
    for (const name of keys) this.keys.set(name, new KeyTruth());
  }

  stream(name: string): StreamTruth {
    return named(this.streams, name);
  }

  key(name: string): KeyTruth {
    return named(this.keys, name);
  }
}

/** A stream or key that is followed. */
interface Followed {
  readonly feed: Feed;
  confirmed: boolean;
  /** Where its reader stands; undefined until a stream was looked at first. */
  place: Place | undefined;
  /** What was told of a key. */
  told: string | undefined;
}

/** A question that waits for its answer. */
interface Asked {
  readonly answer: (count: number) => void;
  readonly refuse: () => void;
}

export class FakeStreams implements Source {
  readonly name = 'fake';
  readonly #redis: FakeRedis;
  readonly #now: () => number;
  readonly #followed = new Map<Feed, Followed>();
  readonly #asked: Asked[] = [];
  /** How many questions were ever asked, and how many of them got no answer. */
  questions = 0;
  refusals = 0;
  up = true;
  #listener: SourceListener | undefined;

  constructor(redis: FakeRedis, now: () => number) {
    this.#redis = redis;
    this.#now = now;
  }

  /** Streams and keys that are followed. */
  get followed(): readonly Feed[] {
    return [...this.#followed.keys()];
  }

  /** Questions that wait for their answers. */
  get waiting(): number {
    return this.#asked.length;
  }

  /** Reads on in what is followed: at most `count` entries of a stream, what a key holds. */
  read(feed: Feed | undefined, count: number): void {
    const followed = feed && this.#followed.get(feed);
    if (followed === undefined || !this.up) return;
    if (followed.feed.kind === 'key') this.#readKey(followed);
    else if (followed.place === undefined) this.#begin(followed);
    else this.#readOn(followed, followed.place, count);
  }

  /** What is followed and was never read, or not on this link, is read once. */
  confirmNew(): void {
    for (const followed of this.#followed.values()) if (!followed.confirmed) this.read(followed.feed, 100);
  }

  /** Answers a question that waits, with at most `count` entries. */
  answer(index: number, count: number): void {
    const [asked] = this.#asked.splice(index % Math.max(1, this.#asked.length), 1);
    if (asked === undefined) return;
    if (this.up) asked.answer(count);
    else asked.refuse();
  }

  /** The link is gone, and what was asked on it. */
  lose(): void {
    if (!this.up) return;
    this.up = false;
    for (const asked of this.#asked.splice(0)) asked.refuse();
    for (const followed of this.#followed.values()) {
      if (!followed.confirmed) continue;
      followed.confirmed = false;
      this.#listener?.lost(followed.feed);
    }
  }

  /** There is a link again; everything is still to be read on it. */
  restore(): void {
    this.up = true;
  }

  start(listener: SourceListener): void {
    this.#listener = listener;
  }

  stop(): void {
    this.#listener = undefined;
  }

  status(): SourceStatus {
    return { up: this.up, detail: undefined };
  }

  follow(feed: Feed): void {
    if (feed.kind === 'memory') this.#listener?.confirmed(feed);
    else this.#followed.set(feed, { feed, confirmed: false, place: undefined, told: undefined });
  }

  unfollow(feed: Feed): void {
    this.#followed.delete(feed);
  }

  pause(): void {
    // It reads when it is told to.
  }

  resume(): void {
    // See pause.
  }

  page(feed: Feed, from: StreamPosition): Promise<StreamPage> {
    return this.#ask((count) => {
      const read = this.#look(feed, { at: from, added: undefined }, 'client', count);
      if (read.kind !== 'read') throw new Error(`a client's place was found ${read.kind}`);
      const { gap, entries, more } = read;
      return { gap, entries, more };
    });
  }

  startOf(feed: Feed, start: Replay): Promise<StreamPosition> {
    return this.#ask(() => this.#redis.stream(feed.name).startOf(start, this.#now()));
  }

  publish(feed: Feed, message: Message): Promise<Receipt> {
    const number = this.#listener?.message(feed, message);
    if (number === undefined) return Promise.reject(new SourceDownError('nobody follows this'));
    return Promise.resolve({ kind: 'event', number });
  }

  #ask<T>(question: (count: number) => T): Promise<T> {
    this.questions += 1;
    return new Promise((resolve, reject) => {
      const refuse = (): void => {
        this.refusals += 1;
        reject(new SourceDownError('there is no link'));
      };
      if (this.up) this.#asked.push({ answer: (count) => resolve(question(count)), refuse });
      else refuse();
    });
  }

  #begin(followed: Followed): void {
    const truth = this.#redis.stream(followed.feed.name);
    const look = truth.look('0-0', Number.POSITIVE_INFINITY);
    const { last, added } = look.kind === 'stream' ? look : { last: '0-0', added: 0 };
    followed.place = { at: after(last), added };
    followed.confirmed = true;
    const newest = look.kind === 'stream' ? look.entries.at(-1) : undefined;
    this.#listener?.confirmed(followed.feed, { last, newest, age: newest && 0 });
  }

  #look(feed: Feed, place: Place, reader: 'live' | 'client', count: number): Read {
    const asked = count + 1;
    return readIn(this.#redis.stream(feed.name).look(place.at.id, asked), place, { reader, asked });
  }

  #readOn(followed: Followed, place: Place, count: number): void {
    const read = this.#look(followed.feed, place, 'live', count);
    if (read.kind === 'unreadable') throw new Error('a stream is always a stream');
    if (read.kind === 'fork') this.#rejoin(followed, place, read);
    else this.#tell(followed, read);
  }

  #tell(followed: Followed, { gap, entries, more, place }: Part): void {
    const { feed } = followed;
    followed.place = place;
    if (gap !== undefined) this.#listener?.broken(feed, gap);
    if (entries.length > 0) this.#listener?.entries(feed, entries);
    if (!more) this.#confirm(followed);
  }

  /** As the source for Redis does. */
  #rejoin(followed: Followed, { at }: Place, { otherwise, onwards }: Extract<Read, { kind: 'fork' }>): void {
    const { feed } = followed;
    const kept = this.#redis
      .stream(feed.name)
      .kept.map(written)
      .filter(({ id }) => compareIds(id, at.id) <= 0);
    const fork = partingIn(kept.reverse(), (entry) => this.#listener?.knows(feed, entry));
    if (onwards !== undefined && fork?.unknown === 0) {
      this.#tell(followed, onwards);
      return;
    }
    const shared = fork?.known === true;
    followed.place = shared ? { at: after(fork.id), added: undefined } : otherwise;
    const reason = shared ? 'rolled-back' : 'reset';
    this.#listener?.broken(feed, { reason, lost: null, at: followed.place.at });
  }

  #readKey(followed: Followed): void {
    const { feed } = followed;
    const value = keyValue(this.#redis.key(feed.name).value);
    if (followed.told !== value.digest) {
      followed.told = value.digest;
      this.#listener?.value(feed, value);
    }
    this.#confirm(followed);
  }

  #confirm(followed: Followed): void {
    if (followed.confirmed) return;
    followed.confirmed = true;
    this.#listener?.confirmed(followed.feed);
  }
}

/** What a key that holds this is told as. */
export function keyValue(value: string | undefined): KeyValue {
  const data = value === undefined ? undefined : Buffer.from(value);
  return { digest: data === undefined ? '0' : stringDigest(data), data };
}

function named<T>(of: ReadonlyMap<string, T>, name: string): T {
  const found = of.get(name);
  if (found === undefined) throw new Error(`nothing is named ${name}`);
  return found;
}
