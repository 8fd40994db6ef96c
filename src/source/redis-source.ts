/** A Redis server as a source: pub/sub, streams and keys are read, and all of them written to, over links of their own. */

import { SourceDownError } from '../errors.ts';
import type { Message } from '../event.ts';
import type { Replay, StreamPosition } from '../position.ts';
import type { RedisSourceOptions } from './redis-options.ts';
import { RedisPublisher } from './redis-publisher.ts';
import { RedisPubSub } from './redis-pubsub.ts';
import { RedisWatching } from './redis-watching.ts';
import type { Feed, Receipt, Source, SourceListener, SourceStatus, StreamPage, Writing } from './source.ts';

export class RedisSource implements Source {
  readonly name: string;
  readonly #options: RedisSourceOptions;
  readonly #publisher: RedisPublisher;
  #pubsub: RedisPubSub | undefined;
  #watching: RedisWatching | undefined;

  constructor(options: RedisSourceOptions) {
    this.name = options.name;
    this.#options = { ...options, logger: options.logger.child({ source: options.name }) };
    this.#publisher = new RedisPublisher(this.#options);
  }

  start(listener: SourceListener): void {
    this.#pubsub = new RedisPubSub(this.#options, listener);
    this.#watching = new RedisWatching(this.#options, listener);
    this.#pubsub.start();
    this.#publisher.start();
  }

  stop(): void {
    this.#pubsub?.stop();
    this.#watching?.stop();
    this.#publisher.stop();
  }

  status(): SourceStatus {
    const problem = this.#pubsub === undefined ? 'not started' : this.#pubsub.problem;
    const detail = problem ?? this.#watching?.problem ?? this.#publisher.problem;
    return { up: detail === undefined, detail };
  }

  follow(feed: Feed): void {
    this.#readerOf(feed)?.follow(feed);
  }

  unfollow(feed: Feed): void {
    this.#readerOf(feed)?.unfollow(feed);
  }

  pause(): void {
    this.#pubsub?.pause();
    this.#watching?.pause();
  }

  resume(): void {
    this.#pubsub?.resume();
    this.#watching?.resume();
  }

  page(feed: Feed, from: StreamPosition): Promise<StreamPage> {
    return this.#watching?.page(feed, from) ?? this.#notStarted();
  }

  readAgain(feed: Feed): Promise<boolean> {
    return this.#watching?.readAgain(feed) ?? Promise.resolve(false);
  }

  startOf(feed: Feed, start: Replay): Promise<StreamPosition> {
    return this.#watching?.startOf(feed, start) ?? this.#notStarted();
  }

  publish(feed: Feed, message: Message, writing?: Writing): Promise<Receipt> {
    return this.#publisher.publish(feed, message, writing);
  }

  #readerOf({ kind }: Feed): RedisPubSub | RedisWatching | undefined {
    return kind === 'stream' || kind === 'key' ? this.#watching : this.#pubsub;
  }

  #notStarted(): Promise<never> {
    return Promise.reject(new SourceDownError(`the source "${this.name}" was not started`));
  }
}
