/** The truth about one stream: every entry that ever existed, in order, and what became of it. */
import { compareIds, type Place } from './place.ts';

/** One entry of a stream. */
export interface Entry {
  readonly id: string;
  readonly key: string;
  /** False for one that only clients have seen: its producer never heard of it and Redis has lost it. */
  readonly certain: boolean;
}

/** A stretch of history without a break: entries are added at the end and removed from the front only. */
export interface Era {
  /** When it may have begun at the earliest, in milliseconds of `performance.now`. */
  readonly at: number;
  /** How many entries of the era before it are its first ones: 0 after a deletion, more after a roll-back. */
  readonly kept: number;
  readonly entries: Entry[];
  /** How many of the first entries have been trimmed. */
  removed: number;
}

/** One stream through deletions, roll-backs and trimming. */
export class History {
  readonly eras: Era[] = [{ at: Number.NEGATIVE_INFINITY, kept: 0, entries: [], removed: 0 }];
  /** Keys, and ids with keys, of everything that ever existed. */
  readonly #known = new Set<string>();

  get current(): Era {
    const era = this.eras.at(-1);
    if (era === undefined) throw new Error('a history has an era');
    return era;
  }

  /** The id of the newest entry; undefined where the era has none yet. */
  get last(): string | undefined {
    return this.current.entries.at(-1)?.id;
  }

  /** An entry that exists in the current era. */
  add(id: string, key: string): void {
    this.#insert(this.current, { id, key, certain: true });
  }

  /** A new era begins with the first `kept` entries of the current one. */
  breakAt(kept: number, at: number): void {
    const { entries, removed } = this.current;
    this.eras.push({ at, kept, entries: entries.slice(0, kept), removed: Math.min(kept, removed) });
  }

  /** Only the newest `length` entries are left. */
  trimTo(length: number): void {
    const era = this.current;
    era.removed = Math.max(era.removed, era.entries.length - length);
  }

  /** An entry that existed for a while around `at` and that nobody but clients has seen. */
  addUncertain(id: string, key: string, at: number): void {
    const era = this.eras.findLast((each) => each.at <= at) ?? this.current;
    this.#insert(era, { id, key, certain: false });
  }

  /** An entry that was acknowledged after a break, but by what had been left then. */
  addStrayed(id: string, key: string, at: number): void {
    const era = this.eras[this.eras.findLastIndex((each) => each.at <= at) - 1] ?? this.current;
    this.#insert(era, { id, key, certain: true });
  }

  /** Whether an entry of that payload, and of that id where one is given, has ever existed. */
  has(key: string, id?: string): boolean {
    return this.#known.has(id === undefined ? key : `${id} ${key}`);
  }

  #insert(era: Era, entry: Entry): void {
    let index = era.entries.length;
    while (index > 0 && compareIds(era.entries[index - 1]?.id ?? '0-0', entry.id) > 0) index -= 1;
    if (era.entries[index - 1]?.id === entry.id) return;
    era.entries.splice(index, 0, entry);
    this.#known.add(entry.key).add(`${entry.id} ${entry.key}`);
  }
}

/** How many entries of `era` lie at or before a place. */
export function indexOf(era: Era, place: Place): number {
  const id = `${place.ms}-${place.seq}`;
  const index = era.entries.findIndex((entry) => compareIds(entry.id, id) >= (place.before ? 0 : 1));
  return index === -1 ? era.entries.length : index;
}

/** How many of the first entries two eras of one history share; `earlier` comes first. */
export function shared(history: History, earlier: number, later: number): number {
  const between = history.eras.slice(earlier + 1, later + 1).map(({ kept }) => kept);
  return Math.min(Number.POSITIVE_INFINITY, ...between);
}
