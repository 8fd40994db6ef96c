/** The embedded source: what is published to the gateway is heard at once, in this process. */
import { SourceDownError } from '../errors.ts';
import type { Message } from '../event.ts';
import { Repeats } from './idempotency.ts';
import type { Feed, Receipt, Source, SourceListener, SourceStatus, Writing } from './source.ts';

export class MemorySource implements Source {
  readonly name: string;
  readonly #repeats: Repeats;
  #listener: SourceListener | undefined;

  /** `now` is the monotonic clock, in milliseconds. */
  constructor(name: string, now: () => number) {
    this.name = name;
    this.#repeats = new Repeats(now);
  }

  start(listener: SourceListener): void {
    this.#listener = listener;
  }

  stop(): void {
    this.#listener = undefined;
  }

  status(): SourceStatus {
    return { up: true, detail: undefined };
  }

  follow(feed: Feed): void {
    this.#listener?.confirmed(feed);
  }

  unfollow(): void {
    // Nothing is read from outside, so there is nothing to stop.
  }

  pause(): void {
    // Publishers wait for the answer to each publish; there is no stream of messages to hold back.
  }

  resume(): void {
    // See pause.
  }

  // biome-ignore lint/suspicious/useAwait: an error must become a rejection, as with every other source
  async publish(feed: Feed, message: Message, { once }: Writing = {}): Promise<Receipt> {
    const first = once && this.#repeats.find(feed, once);
    if (first !== undefined) return { kind: 'event', number: first, duplicate: true };
    const number = this.#listener?.message(feed, message);
    if (number === undefined) throw new SourceDownError('the gateway is stopping');
    if (once !== undefined) this.#repeats.remember(feed, once, number);
    return { kind: 'event', number };
  }
}
