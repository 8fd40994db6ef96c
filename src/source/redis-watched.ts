/** What is read again and again at the ring of the doorbell: a stream or a key. */
import type { Redis } from 'ioredis';
import type { Feed } from './source.ts';

/** A read that is under way. */
export interface Turn {
  readonly redis: Redis;
  /** Whether its link still stands and its feed is still followed: asked after every wait, before anything is told. */
  current(): boolean;
}

/** What comes after a read: nothing until the doorbell rings, the next read at once, or the same one a little later. */
export type Outcome = 'done' | 'more' | 'later';

/** A followed stream or key. */
export interface Watched {
  readonly feed: Feed;
  /** Its name in Redis. */
  readonly key: string;
  /** Reads once and tells what is new. Never two at a time. */
  read(turn: Turn): Promise<Outcome>;
  /** The next read looks more closely: it is the regular one, which rests on no doorbell. */
  recheck(): void;
  /** Nothing rings any more, until everything was read anew. */
  lose(): void;
}
