/** Where Redis refuses to ring: streams are waited for by XREAD BLOCK, a few hundred on each connection. */
import type { Redis } from 'ioredis';
import type { Cancel } from '../clock.ts';
import { RedisLink } from './redis-link.ts';
import type { RedisSourceOptions } from './redis-options.ts';
import { idBelow } from './redis-stream-id.ts';
import type { StreamReader } from './redis-stream-reader.ts';

/** What asking needs of who reads. */
export interface AskingUser {
  /** There is something behind the reader's place, or it could not be asked. */
  want(reader: StreamReader): void;
  /** Whether it is not being read: only then its place is known. */
  isIdle(reader: StreamReader): boolean;
}

/** Streams on one connection: Redis looks at each of them at every call. */
const MOST_STREAMS = 256;
/** How long one call waits; less than a PING behind it may take. Shorter while streams are left out of it. */
const BLOCK_MS = 1000;
const BLOCK_SOME_MS = 100;
/** Between two calls on a connection: 50 a second at most. */
const PACE_MS = 20;
/** After a call that was refused. */
const REFUSED_MS = 1000;

export class Asking {
  readonly #options: RedisSourceOptions;
  readonly #user: AskingUser;
  readonly #groups = new Set<Group>();
  readonly #groupOf = new Map<StreamReader, Group>();

  constructor(options: RedisSourceOptions, user: AskingUser) {
    this.#options = options;
    this.#user = user;
  }

  add(reader: StreamReader): void {
    let group = [...this.#groups].find(({ readers }) => readers.size < MOST_STREAMS);
    if (group === undefined) {
      group = new Group(this.#options, this.#user);
      this.#groups.add(group);
      group.start();
    }
    group.readers.add(reader);
    this.#groupOf.set(reader, group);
  }

  remove(reader: StreamReader): void {
    const group = this.#groupOf.get(reader);
    this.#groupOf.delete(reader);
    group?.readers.delete(reader);
    if (group?.readers.size !== 0) return;
    this.#groups.delete(group);
    group.stop();
  }

  stop(): void {
    for (const group of this.#groups) group.stop();
    this.#groups.clear();
    this.#groupOf.clear();
  }
}

/** Streams that are waited for on one connection. */
class Group {
  readonly readers = new Set<StreamReader>();
  readonly #options: RedisSourceOptions;
  readonly #user: AskingUser;
  readonly #link: RedisLink;
  #cancel: Cancel = () => undefined;

  constructor(options: RedisSourceOptions, user: AskingUser) {
    this.#options = options;
    this.#user = user;
    const up = (redis: Redis): void => this.#ask(redis);
    this.#link = new RedisLink({ ...options, purpose: 'wait' }, { up, down: () => this.#cancel() });
  }

  start(): void {
    this.#link.start();
  }

  stop(): void {
    this.#cancel();
    this.readers.clear();
    this.#link.stop();
  }

  #ask(redis: Redis): void {
    const asked: { readonly reader: StreamReader; readonly from: string }[] = [];
    for (const reader of this.readers) {
      const { position } = reader;
      if (position === undefined || !this.#user.isIdle(reader)) continue;
      asked.push({ reader, from: position.before ? idBelow(position.id) : position.id });
    }
    if (asked.length === 0) {
      this.#again(redis, PACE_MS);
      return;
    }
    const block = asked.length < this.readers.size ? BLOCK_SOME_MS : BLOCK_MS;
    const keys = asked.map(({ reader }) => reader.key);
    const ids = asked.map(({ from }) => from);
    redis.call('XREAD', ['COUNT', 1, 'BLOCK', block, 'STREAMS', ...keys, ...ids]).then(
      (answer) => {
        const written = new Set(Array.isArray(answer) ? answer.map(([key]) => String(key)) : []);
        for (const { reader } of asked) if (written.has(reader.key)) this.#user.want(reader);
        this.#again(redis, PACE_MS);
      },
      () => {
        // One that is no stream any more, or may not be read, refuses the call for all: reading tells which.
        for (const { reader } of asked) this.#user.want(reader);
        this.#again(redis, REFUSED_MS);
      },
    );
  }

  #again(redis: Redis, ms: number): void {
    if (redis !== this.#link.redis) return;
    this.#cancel = this.#options.clock.after(ms, () => {
      if (redis === this.#link.redis) this.#ask(redis);
    });
  }
}
