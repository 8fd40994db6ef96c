/** The pub/sub part of a Redis source: one subscriber connection for all feeds, however many clients. */
import type { Redis } from 'ioredis';
import { RedisLink } from './redis-link.ts';
import type { RedisSourceOptions } from './redis-options.ts';
import { Subscriptions } from './redis-subscriptions.ts';
import type { Feed, SourceListener } from './source.ts';

export class RedisPubSub {
  readonly #link: RedisLink;
  readonly #channels: Subscriptions;
  readonly #patterns: Subscriptions;

  constructor(options: RedisSourceOptions, listener: SourceListener) {
    const plainPrefix = options.prefix;
    this.#link = new RedisLink(
      { ...options, purpose: 'subscribe' },
      { up: (redis) => this.#linkUp(redis), down: () => this.#linkDown() },
    );
    this.#channels = new Subscriptions({ ...options, kind: 'pubsub', plainPrefix, listener });
    const prefix = escapeGlob(options.prefix);
    this.#patterns = new Subscriptions({ ...options, kind: 'pattern', prefix, plainPrefix, listener });
  }

  /** Why nothing is heard; undefined while there is a link. */
  get problem(): string | undefined {
    return this.#link.problem;
  }

  start(): void {
    this.#link.start();
  }

  stop(): void {
    this.#link.stop();
  }

  follow(feed: Feed): void {
    this.#subscriptionsOf(feed).follow(feed, this.#link.redis);
  }

  unfollow(feed: Feed): void {
    this.#subscriptionsOf(feed).unfollow(feed, this.#link.redis);
  }

  /** Stops reading the socket: what is published meanwhile waits in Redis. */
  pause(): void {
    this.#link.pause();
  }

  resume(): void {
    this.#link.resume();
  }

  #subscriptionsOf(feed: Feed): Subscriptions {
    return feed.kind === 'pattern' ? this.#patterns : this.#channels;
  }

  #linkUp(redis: Redis): void {
    redis.on('messageBuffer', (channel: Buffer, data: Buffer) => {
      const name = channel.toString();
      this.#channels.heard(name, name, data);
    });
    redis.on('pmessageBuffer', (pattern: string, channel: Buffer, data: Buffer) => {
      this.#patterns.heard(pattern, channel.toString(), data);
    });
    this.#channels.linkUp(redis);
    this.#patterns.linkUp(redis);
  }

  #linkDown(): void {
    this.#channels.linkDown();
    this.#patterns.linkDown();
  }
}

/** A prefix as a pattern that matches just itself. */
function escapeGlob(text: string): string {
  return text.replace(/[*?[\]\\^]/g, '\\$&');
}
