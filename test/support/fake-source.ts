/** A source that hears what a test says, when the test says so. */
import { SourceDownError } from '../../src/errors.ts';
import type { Message } from '../../src/event.ts';
import type { Feed, Receipt, Source, SourceListener, SourceStatus } from '../../src/source/source.ts';

export class FakeSource implements Source {
  readonly name = 'fake';
  /** What was asked of it, in order, such as `follow prices`. */
  readonly asked: string[] = [];
  readonly #feeds = new Map<string, Feed>();
  readonly #heard = new Set<string>();
  readonly #confirmsAtOnce: boolean;
  #listener: SourceListener | undefined;

  /** `confirmsAtOnce`: it confirms each feed when it is followed; otherwise when it is told to. */
  constructor(confirmsAtOnce = true) {
    this.#confirmsAtOnce = confirmsAtOnce;
  }

  /** Feeds that are followed. */
  get followed(): string[] {
    return [...this.#feeds.keys()];
  }

  /** Whether a message of the feed would be heard now. */
  hears(feed: string): boolean {
    return this.#heard.has(feed);
  }

  /** Hears the feed from here on. */
  confirm(feed: string): void {
    this.#heard.add(feed);
    this.#listener?.confirmed(this.#feed(feed));
  }

  /** May not read the feed. */
  refuse(feed: string): void {
    this.#listener?.refused(this.#feed(feed));
  }

  /** Hears a payload. */
  hear(feed: string, payload: string | Buffer): void {
    this.#listener?.payload(this.#feed(feed), { data: Buffer.from(payload), from: feed });
  }

  /** The link is gone. */
  lose(): void {
    const heard = [...this.#heard];
    this.#heard.clear();
    for (const name of heard) this.#listener?.lost(this.#feed(name));
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
    this.asked.push(`follow ${feed.name}`);
    this.#feeds.set(feed.name, feed);
    if (this.#confirmsAtOnce) this.confirm(feed.name);
  }

  unfollow(feed: Feed): void {
    this.asked.push(`unfollow ${feed.name}`);
    this.#feeds.delete(feed.name);
    this.#heard.delete(feed.name);
  }

  pause(): void {
    this.asked.push('pause');
  }

  resume(): void {
    this.asked.push('resume');
  }

  publish(feed: Feed, { data }: Message): Promise<Receipt> {
    this.asked.push(`publish ${feed.name} ${data}`);
    return Promise.reject(new SourceDownError('a fake source writes nothing'));
  }

  #feed(name: string): Feed {
    const feed = this.#feeds.get(name);
    if (feed === undefined) throw new Error(`${name} is not followed`);
    return feed;
  }
}
