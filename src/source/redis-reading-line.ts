/** Who is to be read: each at most once at a time, a bounded number at once, the rest in a line. */
import type { Redis } from 'ioredis';
import type { Outcome, Turn, Watched } from './redis-watched.ts';

/** Reads in flight at once: enough to keep Redis busy, few enough that their answers do not fill the memory. */
const MOST_IN_FLIGHT = 256;

/** `again`: what is being read has changed meanwhile. */
type State = 'idle' | 'waiting' | 'reading' | 'again';

/** Who waits for a read that began after it asked. */
interface Asked {
  /** Reads that end before that one. */
  readonly skip: number;
  readonly resolve: (read: boolean) => void;
}

export class ReadingLine {
  readonly #states = new Map<Watched, State>();
  readonly #waiting = new Set<Watched>();
  /** Kept over all that is taken: a set that is emptied from its front would be slow to find it each time. */
  #front = this.#waiting.values();
  /** Those whose last read is to be repeated a little later. */
  readonly #later = new Set<Watched>();
  readonly #asked = new Map<Watched, Asked[]>();
  #redis: Redis | undefined;
  /** Grows when the link goes: what was asked before counts no more. */
  #epoch = 0;
  #inFlight = 0;
  #paused = false;

  /** Takes somebody in, to be read at once. */
  add(watched: Watched): void {
    this.#states.set(watched, 'idle');
    this.want(watched);
  }

  remove(watched: Watched): void {
    this.#states.delete(watched);
    this.#waiting.delete(watched);
    this.#later.delete(watched);
    this.#answer(watched, false);
  }

  /** As `want`; resolves once a read that begins from now on has told what it found, false where the link goes before. */
  again(watched: Watched): Promise<boolean> {
    const state = this.#states.get(watched);
    if (this.#redis === undefined || state === undefined) return Promise.resolve(false);
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const skip = state === 'reading' || state === 'again' ? 1 : 0;
    const asked = this.#asked.get(watched);
    if (asked === undefined) this.#asked.set(watched, [{ skip, resolve }]);
    else asked.push({ skip, resolve });
    this.want(watched);
    return promise;
  }

  /** To be read, from now on: what is read already is read again after. */
  want(watched: Watched): void {
    const state = this.#states.get(watched);
    if (this.#redis === undefined || state === undefined) return; // everybody is read once there is a link
    if (state === 'reading') this.#states.set(watched, 'again');
    if (state !== 'idle') return;
    this.#wait(watched);
    this.#take();
  }

  /** Those who were to be read a little later are to be read now. */
  wantLater(): void {
    const later = [...this.#later];
    this.#later.clear();
    for (const watched of later) this.want(watched);
  }

  /** Whether nothing is being read of it, nor about to be. */
  isIdle(watched: Watched): boolean {
    return this.#states.get(watched) === 'idle' && !this.#later.has(watched);
  }

  /** A link stands: everybody is read. */
  open(redis: Redis): void {
    this.close();
    this.#redis = redis;
    for (const watched of this.#states.keys()) this.#wait(watched);
    this.#take();
  }

  /** The link is gone, and what was asked on it. */
  close(): void {
    this.#epoch += 1;
    this.#redis = undefined;
    this.#inFlight = 0;
    this.#waiting.clear();
    this.#later.clear();
    for (const watched of this.#states.keys()) this.#states.set(watched, 'idle');
    for (const watched of [...this.#asked.keys()]) this.#answer(watched, false);
  }

  /** Begins no read until `resume`. */
  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#take();
  }

  #wait(watched: Watched): void {
    this.#states.set(watched, 'waiting');
    this.#waiting.add(watched);
  }

  #take(): void {
    while (!this.#paused && this.#redis !== undefined && this.#inFlight < MOST_IN_FLIGHT) {
      const watched = this.#first();
      if (watched === undefined) return;
      this.#waiting.delete(watched);
      this.#read(watched, this.#redis);
    }
  }

  #first(): Watched | undefined {
    if (this.#waiting.size === 0) return undefined;
    const next = this.#front.next();
    if (next.done !== true) return next.value;
    this.#front = this.#waiting.values(); // an iterator that has come to the end stays there
    return this.#front.next().value;
  }

  #read(watched: Watched, redis: Redis): void {
    const epoch = this.#epoch;
    const turn: Turn = { redis, current: () => epoch === this.#epoch && this.#states.has(watched) };
    this.#states.set(watched, 'reading');
    this.#inFlight += 1;
    const answered = (outcome: Outcome): void => {
      if (epoch !== this.#epoch) return;
      this.#inFlight -= 1;
      this.#finished(watched, outcome);
      this.#take();
    };
    void watched.read(turn).then(answered);
  }

  #answer(watched: Watched, read: boolean): void {
    const asked = this.#asked.get(watched);
    if (asked === undefined) return;
    const left: Asked[] = [];
    for (const each of asked) {
      if (read && each.skip > 0) left.push({ ...each, skip: each.skip - 1 });
      else each.resolve(read);
    }
    if (left.length > 0) this.#asked.set(watched, left);
    else this.#asked.delete(watched);
  }

  #finished(watched: Watched, outcome: Outcome): void {
    const state = this.#states.get(watched);
    if (state === undefined) return;
    this.#states.set(watched, 'idle');
    if (outcome === 'done') this.#answer(watched, true);
    if (outcome === 'later') this.#later.add(watched);
    else if (outcome === 'more' || state === 'again') this.#wait(watched);
  }
}
