/** Reads parts of streams on request, for those who come from a position of their own. */
import type { Redis } from 'ioredis';
import type { Cancel, Clock } from '../clock.ts';
import { SourceDownError } from '../errors.ts';
import type { Replay, StreamPosition } from '../position.ts';
import { FIRST_COUNT, nextCount, readOn } from './redis-stream-read.ts';
import { findStart } from './redis-stream-start.ts';
import { isRefusal, passes } from './redis-transaction.ts';
import type { StreamPage } from './source.ts';

/** What paging needs. */
export interface PagingOptions {
  /** The source, as errors call it. */
  readonly name: string;
  readonly clock: Clock;
  /** The link that stands; undefined while there is none. */
  readonly link: () => Redis | undefined;
  readonly problem: () => string | undefined;
}

/** How long the very first link is waited for, which is begun by asking. */
const FIRST_LINK_MS = 1000;
/** Streams whose page size is remembered. */
const MOST_SIZES = 1000;

export class Paging {
  readonly #options: PagingOptions;
  /** Entries to ask for next, by stream, the longest unused first. */
  readonly #counts = new Map<string, number>();
  readonly #waiting = new Set<() => void>();
  #hadLink = false;

  constructor(options: PagingOptions) {
    this.#options = options;
  }

  /** A link stands, for those who wait for the first. */
  linked(): void {
    this.#hadLink = true;
    for (const wake of [...this.#waiting]) wake();
  }

  /** See `Source.page`. A stream that cannot be read is a gap which moves nothing. */
  async page(key: string, from: StreamPosition): Promise<StreamPage> {
    const count = this.#counts.get(key) ?? FIRST_COUNT;
    const reading = { reader: 'client', count, look: false } as const;
    const place = { at: from, added: undefined };
    const read = await this.#ask((redis) => readOn(redis, key, place, reading));
    if (read === 'unreadable' || read.kind !== 'read') return UNREADABLE;
    this.#remember(key, nextCount(count, read.entries));
    return { gap: read.gap, entries: read.entries, more: read.more };
  }

  /** See `Source.startOf`. */
  async startOf(key: string, start: Replay): Promise<StreamPosition> {
    const found = await this.#ask((redis) => findStart(redis, key, start));
    if (found !== 'unreadable' && found !== undefined) return found;
    throw this.#down('the key holds no stream, or must not be read');
  }

  async #ask<T>(question: (redis: Redis) => Promise<T>): Promise<T | 'unreadable'> {
    const redis = await this.#link();
    let answer: T;
    try {
      answer = await question(redis);
    } catch (error) {
      if (isRefusal(error) && !passes(error)) return 'unreadable';
      throw this.#down(error instanceof Error ? error.message : String(error), error);
    }
    if (redis === this.#options.link()) return answer;
    throw this.#down('the connection was lost');
  }

  async #link(): Promise<Redis> {
    if (this.#options.link() === undefined && !this.#hadLink) await this.#firstLink();
    const redis = this.#options.link();
    if (redis === undefined) throw this.#down(this.#options.problem() ?? 'connecting');
    return redis;
  }

  #firstLink(): Promise<void> {
    return new Promise((resolve) => {
      let cancel: Cancel = () => undefined;
      const wake = (): void => {
        cancel();
        this.#waiting.delete(wake);
        resolve();
      };
      cancel = this.#options.clock.after(FIRST_LINK_MS, wake);
      this.#waiting.add(wake);
    });
  }

  #remember(key: string, count: number): void {
    this.#counts.delete(key);
    this.#counts.set(key, count);
    const [longest] = this.#counts.keys();
    if (this.#counts.size > MOST_SIZES && longest !== undefined) this.#counts.delete(longest);
  }

  #down(reason: string, cause?: unknown): SourceDownError {
    const message = `the source "${this.#options.name}" cannot be read: ${reason}`;
    return new SourceDownError(message, { hint: 'try again later', cause });
  }
}

const UNREADABLE: StreamPage = {
  gap: { reason: 'source-error', lost: null, at: undefined },
  entries: [],
  more: false,
};
