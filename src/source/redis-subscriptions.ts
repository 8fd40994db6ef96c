/** What one Redis connection is subscribed to, by channel or by pattern, and what it owes to whom. */
import type { Redis } from 'ioredis';
import { type Clock, jitter, type Random } from '../clock.ts';
import type { Logger } from '../logger.ts';
import type { Feed, SourceListener } from './source.ts';

/** What subscriptions need. */
export interface SubscriptionsOptions {
  readonly kind: 'pubsub' | 'pattern';
  /** Put before every name; for patterns with its own glob characters escaped. */
  readonly prefix: string;
  /** The same as messages have it. */
  readonly plainPrefix: string;
  readonly listener: SourceListener;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** A followed feed, on the link that stands. */
interface Followed {
  readonly feed: Feed;
  /** Redis has confirmed the subscription on this link. */
  confirmed: boolean;
  /** Unanswered UNSUBSCRIBEs of an earlier follow: until they are answered, messages are of that one. */
  stale: number;
}

/** Feeds in one SUBSCRIBE after a reconnect. */
const BATCH = 500;
/** After how long a subscription that was refused is asked for again, before jitter. */
const REFUSED_AGAIN_MS = 30_000;

export class Subscriptions {
  readonly #options: SubscriptionsOptions;
  /** By the name in Redis, prefix included. */
  readonly #followed = new Map<string, Followed>();
  /** Unanswered UNSUBSCRIBEs by name, on the link that stands. */
  #leaving = new Map<string, number>();

  constructor(options: SubscriptionsOptions) {
    this.#options = options;
  }

  /** Follows a feed: on the link that stands, and on every later one. */
  follow(feed: Feed, redis: Redis | undefined): void {
    const name = this.#options.prefix + feed.name;
    this.#followed.set(name, { feed, confirmed: false, stale: this.#leaving.get(name) ?? 0 });
    if (redis !== undefined) this.#subscribe(redis, [name]);
  }

  /** Follows a feed no more. */
  unfollow(feed: Feed, redis: Redis | undefined): void {
    const name = this.#options.prefix + feed.name;
    if (!this.#followed.delete(name) || redis === undefined) return;
    const leaving = this.#leaving;
    leaving.set(name, (leaving.get(name) ?? 0) + 1);
    const answered = (): void => this.#left(name, leaving);
    const asked = this.#options.kind === 'pattern' ? redis.punsubscribe(name) : redis.unsubscribe(name);
    asked.then(answered, answered); // a link that broke has forgotten the feed as well
  }

  /** Takes what was heard for a subscription; `from` is the name it was published under, prefix included. */
  heard(name: string, from: string, data: Buffer): void {
    const followed = this.#followed.get(name);
    if (followed === undefined || followed.stale > 0) return; // late, of a subscription that was given back
    // The client library settles the confirmation after the messages of the same read: the first message is one too.
    this.#confirm(followed);
    const { listener, plainPrefix } = this.#options;
    listener.payload(followed.feed, { data, from: from.slice(plainPrefix.length) });
  }

  /** Subscribes to everything that is followed, on a new link. */
  linkUp(redis: Redis): void {
    const names = [...this.#followed.keys()];
    for (let i = 0; i < names.length; i += BATCH) this.#subscribe(redis, names.slice(i, i + BATCH));
  }

  /** The link is gone, and what was asked on it. */
  linkDown(): void {
    this.#leaving = new Map();
    for (const followed of this.#followed.values()) {
      if (followed.confirmed) this.#options.listener.lost(followed.feed);
      followed.confirmed = false;
      followed.stale = 0;
    }
  }

  #subscribe(redis: Redis, names: string[]): void {
    const { kind } = this.#options;
    const leaving = this.#leaving; // replaced when the link goes: an answer of an earlier link is known by it
    const asked = names.map((name) => [name, this.#followed.get(name)] as const);
    const answer = kind === 'pattern' ? redis.psubscribe(...names) : redis.subscribe(...names);
    answer.then(
      () => {
        if (leaving !== this.#leaving) return;
        for (const [name, followed] of asked) {
          if (followed !== undefined && this.#followed.get(name) === followed) this.#confirm(followed);
        }
      },
      (error: Error) => {
        if (leaving !== this.#leaving || redis.status !== 'ready') return;
        const still = asked.filter(
          ([name, followed]) => followed !== undefined && this.#followed.get(name) === followed,
        );
        // One name without rights refuses its whole batch.
        if (names.length > 1) for (const [name] of still) this.#subscribe(redis, [name]);
        else for (const [name, followed] of still) this.#refused(redis, name, { followed, reason: error.message });
      },
    );
  }

  /** Says so, and asks again later: the rights may be given meanwhile. */
  #refused(redis: Redis, name: string, refusal: { followed: Followed | undefined; reason: string }): void {
    const { followed, reason } = refusal;
    const { kind, logger, listener, clock, random } = this.#options;
    if (followed === undefined) return;
    logger.error(
      { kind, feed: followed.feed.name, reason },
      'Redis refused to subscribe; asking again until it agrees',
    );
    listener.refused(followed.feed);
    const leaving = this.#leaving;
    clock.after(jitter(REFUSED_AGAIN_MS, 0.2, random), () => {
      if (leaving === this.#leaving && this.#followed.get(name) === followed) this.#subscribe(redis, [name]);
    });
  }

  #confirm(followed: Followed): void {
    if (followed.confirmed) return;
    followed.confirmed = true;
    followed.stale = 0;
    this.#options.listener.confirmed(followed.feed);
  }

  #left(name: string, leaving: Map<string, number>): void {
    const left = (leaving.get(name) ?? 1) - 1;
    if (left > 0) leaving.set(name, left);
    else leaving.delete(name);
    const followed = leaving === this.#leaving ? this.#followed.get(name) : undefined;
    if (followed !== undefined && followed.stale > 0) followed.stale -= 1;
  }
}
