/** Writes to Redis over a connection of its own, and tells what was refused from what nobody knows. */
import type { Redis } from 'ioredis';
import { OutcomeUnknownError } from '../errors.ts';
import type { Message } from '../event.ts';
import { RedisLink } from './redis-link.ts';
import type { RedisSourceOptions } from './redis-options.ts';
import { isReadOnly, nothingWritten, refusal } from './redis-refusal.ts';
import { type Asked, write } from './redis-write.ts';
import type { Feed, Receipt, Writing } from './source.ts';

/** What a publisher needs: it reads nothing. */
export type PublisherOptions = Omit<RedisSourceOptions, 'valueLimit'>;

/** How long the answer to a publish is waited for before its outcome is unknown. */
const PUBLISH_TIMEOUT_MS = 5000;
/** Bytes of unanswered publishes at most: a Redis that is stopped must not fill this process's memory. */
const MOST_IN_FLIGHT = 64 * 1024 * 1024;

export class RedisPublisher {
  readonly #options: PublisherOptions;
  readonly #link: RedisLink;
  /** Bytes of publishes that were not answered yet. */
  #inFlight = 0;
  /** How many publishes were not answered yet. */
  #waiting = 0;
  /** A server that says it takes no writes: it is left once all that was sent to it is answered. */
  #readOnly: Redis | undefined;

  constructor(options: PublisherOptions) {
    this.#options = options;
    const ignore = (): void => undefined;
    this.#link = new RedisLink({ ...options, purpose: 'publish' }, { up: ignore, down: ignore });
  }

  start(): void {
    this.#link.start();
  }

  stop(): void {
    this.#link.stop();
  }

  /** Why nothing can be written; undefined while it can. */
  get problem(): string | undefined {
    return this.#link.problem;
  }

  /** Writes a message to a feed; see `Source.publish`. */
  async publish(feed: Feed, message: Message, writing: Writing = {}): Promise<Receipt> {
    const { name, prefix, logger } = this.#options;
    const redis = this.#link.redis;
    if (redis === undefined) throw nothingWritten(`the source "${name}" is down: ${this.#link.problem}`);
    if (redis === this.#readOnly) throw nothingWritten(`the source "${name}" is down: READONLY`);
    const size = sizeOf(message, writing);
    if (this.#inFlight + size > MOST_IN_FLIGHT) {
      throw nothingWritten(`the source "${name}" does not answer, and more than enough waits for it`);
    }
    this.#inFlight += size;
    this.#waiting += 1;
    try {
      const note = (reason: string): void =>
        logger.error({ stream: feed.name, reason }, 'an entry was added, but Redis refused to let its stream expire');
      return await this.#answerOf(redis, { redis, key: prefix + feed.name, feed, message, writing, note });
    } finally {
      this.#inFlight -= size;
      this.#waiting -= 1;
      this.#leaveReadOnly();
    }
  }

  #answerOf(redis: Redis, asked: Asked): Promise<Receipt> {
    const { name, clock } = this.#options;
    return new Promise((resolve, reject) => {
      const cancel = clock.after(PUBLISH_TIMEOUT_MS, () => reject(unknownOutcome(name, asked)));
      write(asked).then(
        (receipt) => {
          cancel();
          resolve(receipt);
        },
        (error: unknown) => {
          cancel();
          if (isReadOnly(error) && redis === this.#link.redis) this.#readOnly = redis;
          reject(refusal(name, error) ?? unknownOutcome(name, asked, error));
        },
      );
    });
  }

  /** What was sent behind the refused write is refused as well, and should be told so. */
  #leaveReadOnly(): void {
    const redis = this.#readOnly;
    if (redis === undefined || this.#waiting > 0) return;
    this.#readOnly = undefined;
    this.#link.leave(redis, 'READONLY: the server is a replica');
  }
}

function sizeOf({ data }: Message, { entry, once }: Writing): number {
  const fields = entry?.fields.reduce((sum, field) => sum + Buffer.byteLength(field), 0);
  return (fields ?? data?.length ?? 0) + (once === undefined ? 0 : once.fingerprint.length);
}

function unknownOutcome(source: string, { writing }: Asked, cause?: unknown): OutcomeUnknownError {
  const again = 'publish it again with the same idempotency key: it is then written once';
  return new OutcomeUnknownError(`the source "${source}" did not answer; the message may or may not be published`, {
    hint: writing.once === undefined ? 'check before publishing it again' : again,
    cause,
  });
}
