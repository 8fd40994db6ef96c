/** Follows one key: tells its value when it is first read, and then whenever it has changed. */
import type { Logger } from '../logger.ts';
import { readKey } from './redis-key-value.ts';
import { isRefusal, passes } from './redis-transaction.ts';
import type { Outcome, Turn, Watched } from './redis-watched.ts';
import type { Feed, SourceListener } from './source.ts';

/** What a key is read with. */
export interface KeyReaderOptions {
  readonly listener: SourceListener;
  readonly logger: Logger;
  /** Bytes of the value that are read at most. */
  readonly valueLimit: number;
}

export class KeyReader implements Watched {
  readonly feed: Feed;
  readonly key: string;
  readonly #options: KeyReaderOptions;
  /** What was told last: the digest of a value, or what it was that could not be told. */
  #told: string | undefined;
  #confirmed = false;
  /** It was confirmed once: from then on what cannot be read is a break. */
  #read = false;

  constructor(feed: Feed, key: string, options: KeyReaderOptions) {
    this.feed = feed;
    this.key = key;
    this.#options = options;
  }

  recheck(): void {
    // Every read is of all there is.
  }

  lose(): void {
    if (!this.#confirmed) return;
    this.#confirmed = false;
    this.#options.listener.lost(this.feed);
  }

  async read(turn: Turn): Promise<Outcome> {
    const { listener, valueLimit } = this.#options;
    const found = await readKey(turn.redis, this.key, valueLimit).catch((error: Error) => error);
    if (!turn.current()) return 'done';
    if (found instanceof Error) return this.#failed(found);
    switch (found.kind) {
      case 'changed':
        return 'more';
      case 'unreadable':
        return this.#unreadable(found.reason);
      case 'too-large':
        if (this.#tells(`too-large ${found.mark}`)) this.#broken('too-large');
        break;
      case 'value':
        if (this.#tells(found.value.digest)) listener.value(this.feed, found.value);
        break;
      default:
        return found satisfies never;
    }
    this.#confirm();
    return 'done';
  }

  /** Whether this is news. */
  #tells(what: string): boolean {
    const isNews = this.#told !== what;
    this.#told = what;
    return isNews;
  }

  #confirm(): void {
    this.#read = true;
    if (this.#confirmed) return;
    this.#confirmed = true;
    this.#options.listener.confirmed(this.feed);
  }

  #failed(error: Error): Outcome {
    if (!isRefusal(error)) return 'done'; // the link went: everything is read on the next one
    return passes(error) ? 'later' : this.#unreadable(error.message);
  }

  /** Says so once: it is asked again at the doorbell and regularly. */
  #unreadable(reason: string): Outcome {
    if (!this.#tells('unreadable')) return 'done';
    this.#options.logger.error({ key: this.key, reason }, 'a key cannot be read; asking again until it can');
    if (this.#read) this.#broken('source-error');
    else this.#options.listener.refused(this.feed);
    return 'done';
  }

  #broken(reason: 'too-large' | 'source-error'): void {
    this.#options.listener.broken(this.feed, { reason, lost: null, at: undefined });
  }
}
