/** Follows one stream: knows where it stands, and tells what comes behind. */
import type { Logger } from '../logger.ts';
import { BEGINNING, type StreamPosition } from '../position.ts';
import { after, timeOf } from './redis-stream-id.ts';
import { lookAtEnd } from './redis-stream-look.ts';
import { type Anchor, markOf, type Place } from './redis-stream-proof.ts';
import { FIRST_COUNT, findFork, holds, nextCount, type Part, type Read, readOn } from './redis-stream-read.ts';
import { isRefusal, passes } from './redis-transaction.ts';
import type { Outcome, Turn, Watched } from './redis-watched.ts';
import type { Feed, SourceListener, StreamEntry } from './source.ts';

/** What a stream is read with. */
export interface StreamReaderOptions {
  readonly listener: SourceListener;
  readonly logger: Logger;
}

export class StreamReader implements Watched {
  readonly feed: Feed;
  readonly key: string;
  readonly #listener: SourceListener;
  readonly #logger: Logger;
  /** Undefined until the stream was looked at first. */
  #place: Place | undefined;
  /** Where it was looked at last, what it began with. */
  #anchor: Anchor | undefined;
  #count = FIRST_COUNT;
  #confirmed = false;
  /** It cannot be read, and that was said. */
  #failing = false;
  /** The next read looks at the stream's state, because entries were counted only since the last look. */
  #look = false;
  #toldSinceLook = false;

  constructor(feed: Feed, key: string, { listener, logger }: StreamReaderOptions) {
    this.feed = feed;
    this.key = key;
    this.#listener = listener;
    this.#logger = logger;
  }

  /** What is new lies behind this; undefined where it cannot be read. */
  get position(): StreamPosition | undefined {
    return this.#failing ? undefined : this.#place?.at;
  }

  recheck(): void {
    this.#look ||= this.#toldSinceLook;
  }

  lose(): void {
    if (!this.#confirmed) return;
    this.#confirmed = false;
    this.#listener.lost(this.feed);
  }

  read(turn: Turn): Promise<Outcome> {
    return this.#place === undefined ? this.#begin(turn) : this.#goOn(turn, this.#place);
  }

  async #begin(turn: Turn): Promise<Outcome> {
    const found = await answerOf(lookAtEnd(turn.redis, this.key));
    if (!turn.current()) return 'done';
    if (found instanceof Error) return this.#failed(found);
    const { look, time } = found;
    if (look.kind === 'unreadable') return this.#unreadable(look.reason);
    const { last, added, entries } = look.kind === 'missing' ? { last: BEGINNING, added: 0, entries: [] } : look;
    const [newest] = entries;
    const age = newest && Math.max(0, time - timeOf(newest.id));
    this.#hold(look.kind === 'missing' ? undefined : look.oldest);
    this.#place = { at: after(last), added, mark: newest?.id === last ? markOf(newest) : undefined };
    this.#failing = false;
    this.#confirmed = true;
    this.#listener.confirmed(this.feed, { last, newest, age });
    return 'done';
  }

  async #goOn(turn: Turn, place: Place): Promise<Outcome> {
    const look = this.#look;
    const read = await answerOf(readOn(turn.redis, this.key, place, { reader: 'live', count: this.#count, look }));
    if (!turn.current()) return 'done';
    if (read instanceof Error) return this.#failed(read);
    if (read.kind === 'unreadable') return this.#unreadable(read.reason);
    this.#failing = false;
    if (read.kind === 'fork') return this.#rejoin(turn, place, read);
    if (look && !read.more) [this.#look, this.#toldSinceLook] = [false, read.entries.length > 0];
    return this.#tell(read);
  }

  #tell({ gap, entries, more, place, oldest }: Part): Outcome {
    this.#place = place;
    this.#hold(oldest);
    this.#count = nextCount(this.#count, entries);
    if (entries.length > 0) this.#toldSinceLook = true;
    if (gap !== undefined) this.#listener.broken(this.feed, gap);
    if (entries.length > 0) this.#listener.entries(this.feed, entries);
    if (more) return 'more';
    if (!this.#confirmed) {
      this.#confirmed = true;
      this.#listener.confirmed(this.feed);
    }
    return 'done';
  }

  /** The stream has gone back and another way: goes on behind the newest entry that was told and still stands. */
  async #rejoin(turn: Turn, { at }: Place, { otherwise, onwards }: Forked): Promise<Outcome> {
    const knows = (entry: StreamEntry): boolean | undefined => this.#listener.knows(this.feed, entry);
    const fork = await answerOf(findFork(turn.redis, this.key, at.id, knows));
    if (!turn.current()) return 'done';
    if (fork instanceof Error) return this.#failed(fork);
    if (onwards !== undefined && fork?.unknown === 0) return this.#tell(onwards);
    const shared = fork === undefined || fork.known ? fork !== undefined : await answerOf(this.#isTheSame(turn));
    if (!turn.current()) return 'done';
    if (shared instanceof Error) return this.#failed(shared);
    this.#place = fork === undefined || !shared ? otherwise : { at: after(fork.id), added: undefined };
    this.#look = true;
    const reason = shared ? 'rolled-back' : 'reset';
    this.#listener.broken(this.feed, { reason, lost: null, at: this.#place.at });
    return 'more';
  }

  /** Remembers by what the stream is known again: its first entry, which a roll-back leaves. */
  #hold(oldest: StreamEntry | undefined): void {
    if (oldest === undefined || oldest.id === this.#anchor?.id) return;
    this.#anchor = { id: oldest.id, mark: markOf(oldest) };
  }

  /** Whether the stream is the one of the last look, whatever became of its end: a roll-back keeps what it began with. */
  async #isTheSame({ redis }: Turn): Promise<boolean> {
    return this.#anchor !== undefined && (await holds(redis, this.key, this.#anchor));
  }

  #failed(error: Error): Outcome {
    if (!isRefusal(error)) return 'done'; // the link went: everything is read on the next one
    return passes(error) ? 'later' : this.#unreadable(error.message);
  }

  /** Says so once: it is asked again at the doorbell and regularly. */
  #unreadable(reason: string): Outcome {
    if (this.#failing) return 'done';
    this.#failing = true;
    this.#logger.error({ stream: this.key, reason }, 'a stream cannot be read; asking again until it can');
    if (this.#place === undefined) this.#listener.refused(this.feed);
    else this.#listener.broken(this.feed, { reason: 'source-error', lost: null, at: undefined });
    return 'done';
  }
}

type Forked = Extract<Read, { kind: 'fork' }>;

/** An answer, or the error instead of it. */
function answerOf<T>(answer: Promise<T>): Promise<T | Error> {
  return answer.catch((error: unknown) => (error instanceof Error ? error : new Error(String(error))));
}
