/** Publishes a load to Redis, as an application does. */
import { systemClock } from '../clock.ts';
import { OutcomeUnknownError, SourceDownError } from '../errors.ts';
import type { Account } from '../load/account.ts';
import type { Lines } from '../load/lines.ts';
import type { Publishers } from '../load/publisher.ts';
import type { RedisPublisher } from '../source/redis-publisher.ts';
import type { RedisTarget } from './bench-redis-target.ts';

/** How long a Redis may take to be there, in milliseconds, and how often it is looked. */
const LINK_MS = 5000;
const LOOK_EVERY_MS = 10;

/** Events of one connection that Redis has not answered, at most. */
const MOST_IN_FLIGHT = 1000;

interface Post {
  readonly publisher: RedisPublisher;
  inFlight: number;
  /** Lines that wait until there are fewer in flight. */
  readonly waiting: (() => void)[];
}

/** A line is free at once, unless its connection has more in flight than is good for it. */
export class RedisPublishers implements Publishers {
  readonly #target: RedisTarget;
  readonly #lines: Lines;
  readonly #account: Account;
  readonly #posts: readonly Post[];

  /** Begins to connect. */
  constructor(target: RedisTarget, lines: Lines, account: Account) {
    this.#target = target;
    this.#lines = lines;
    this.#account = account;
    this.#posts = target.publishers.map((publisher) => ({ publisher, inFlight: 0, waiting: [] }));
    for (const { publisher } of this.#posts) publisher.start();
  }

  /** Settles when all connections stand. Throws `SourceDownError`. */
  async link(signal: AbortSignal): Promise<void> {
    const deadline = systemClock.now() + LINK_MS;
    for (;;) {
      const problem = this.#posts.find(({ publisher }) => publisher.problem !== undefined)?.publisher.problem;
      if (problem === undefined || signal.aborted) return;
      if (systemClock.now() >= deadline)
        throw new SourceDownError(`Redis at ${this.#target.place} is down: ${problem}`);
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
  }

  send(line: number, payload: string, free: () => void): void {
    const post = this.#posts[line % this.#posts.length];
    const feed = this.#target.feeds.get(this.#lines.all[line]?.channel ?? '');
    if (post === undefined || feed === undefined) return;
    const { message, entry } = feed.written(Buffer.from(payload, 'latin1'));
    post.inFlight += 1;
    post.publisher.publish(feed.feed, message, { entry }).then(
      () => {
        this.#account.acknowledged += 1;
        this.#answered(post);
      },
      (error: Error) => {
        if (error instanceof OutcomeUnknownError) this.#account.lose(error.message);
        else this.#account.refuse(line, error.message);
        this.#answered(post);
      },
    );
    if (post.inFlight < MOST_IN_FLIGHT) free();
    else post.waiting.push(free);
  }

  flush(): void {
    // Every message was written at once.
  }

  close(): void {
    for (const { publisher } of this.#posts) publisher.stop();
  }

  #answered(post: Post): void {
    post.inFlight -= 1;
    post.waiting.shift()?.();
  }
}
