/** A Redis stream in memory that remembers all that was ever in it, so that what clients are given can be judged. */
import { BEGINNING, compareIds, formatPosition, type Replay, type StreamPosition } from '../../src/position.ts';
import { after, before } from '../../src/source/redis-stream-id.ts';
import type { Look } from '../../src/source/redis-stream-look.ts';
import type { StreamEntry } from '../../src/source/source.ts';

/** A stream from its first entry until its key was deleted. */
interface Life {
  readonly band: number;
  /** The key was deleted. */
  over: boolean;
  /** Nothing is taken out of it one by one: after some things that happen, no count would tell what was lost then. */
  sealed: boolean;
}

/** An entry that was added once. */
export interface TrueEntry {
  /** How many were added before it, in all lives. */
  readonly index: number;
  readonly id: string;
  readonly data: string;
  readonly at: number;
  readonly life: Life;
  /** The one that was the newest when it was added. */
  readonly behind: TrueEntry | undefined;
  /** What became of it while its key lived: `trimmed` away, `deleted` by XDEL, `undone` by a fail-over. */
  fate: 'kept' | 'trimmed' | 'deleted' | 'undone';
  /** Its owner took it out, whatever came after that. */
  deleted: boolean;
}

/** A place. */
export interface TruePlace {
  /** How many of all entries lie before it. */
  readonly count: number;
  /** The index of the entry that names it, and whether it stands behind that one. */
  readonly by: number | undefined;
  readonly behind: boolean;
  /** Before the first entry of whatever life comes next. */
  readonly beginning: boolean;
}

/** Ids of one life lie between two multiples of this. */
const BAND = 100_000;

export class StreamTruth {
  readonly name: string;
  /** All that were ever added, in that order. */
  readonly entries: TrueEntry[] = [];
  readonly #byId = new Map<string, TrueEntry>();
  #life: Life | undefined;
  #kept: TrueEntry[] = [];
  #last = BEGINNING;
  #added = 0;
  #deleted = BEGINNING;
  #step = 0;
  /** Makes ids of different lives and branches different. */
  #branch = 0;
  readonly #bands = { lowest: 500, highest: 500 };

  constructor(name: string) {
    this.name = name;
  }

  /** Entries that the stream holds. */
  get kept(): readonly TrueEntry[] {
    return this.#kept;
  }

  /** Adds an entry; a stream that was deleted begins anew with ids above all that ever were, or below. */
  add(size: number, at: number, low: boolean): void {
    const life = this.#life ?? this.#begin(low);
    this.#step += 1;
    const id = `${life.band * BAND + this.#step}-${this.#branch}`;
    const index = this.entries.length;
    const data = `${this.name} ${index} `.padEnd(size, '.');
    const behind = this.#byId.get(this.#last);
    const entry: TrueEntry = { index, id, data, at, life, behind, fate: 'kept', deleted: false };
    this.entries.push(entry);
    this.#byId.set(id, entry);
    this.#kept.push(entry);
    this.#last = id;
    this.#added += 1;
  }

  /** Keeps the newest so many. */
  trim(keep: number): void {
    if (this.#life?.sealed === true) return;
    for (const entry of this.#kept.splice(0, Math.max(0, this.#kept.length - keep))) entry.fate = 'trimmed';
  }

  /** Takes one out. */
  delete(index: number): void {
    if (this.#life?.sealed === true) return;
    const [entry] = this.#kept.splice(index % Math.max(1, this.#kept.length), 1);
    if (entry === undefined) return;
    entry.fate = 'deleted';
    entry.deleted = true;
    if (compareIds(entry.id, this.#deleted) > 0) this.#deleted = entry.id;
  }

  /** Deletes the key. */
  drop(): void {
    if (this.#life === undefined) return;
    this.#life.over = true;
    this.#life = undefined;
    this.#kept = [];
    this.#last = BEGINNING;
    this.#added = 0;
    this.#deleted = BEGINNING;
  }

  /** A fail-over to a server that has not heard of the newest so many. */
  undo(count: number): void {
    const undone = this.#kept.slice(Math.max(1, this.#kept.length - count));
    const fork = this.#kept[this.#kept.length - undone.length - 1];
    if (this.#life === undefined || fork === undefined || undone.length === 0) return;
    this.#kept.length -= undone.length;
    for (const entry of this.entries.slice(fork.index + 1)) {
      if (entry.life !== this.#life || entry.fate === 'undone') continue;
      entry.fate = 'undone';
      this.#added -= 1;
    }
    this.#last = fork.id;
    if (compareIds(this.#deleted, fork.id) > 0) this.#deleted = this.#mostDeletedBelow(fork);
    this.#step = Number(fork.id.split('-')[0]) % BAND;
    this.#branch += 1;
    this.#life.sealed = true;
  }

  /** What Redis answers: the state, and entries from an id on. */
  look(from: string, count: number): Look {
    if (this.#life === undefined) return { kind: 'missing' };
    const entries = this.#kept.filter(({ id }) => compareIds(id, from) >= 0).slice(0, count);
    return {
      kind: 'stream',
      last: this.#last,
      length: this.#kept.length,
      added: this.#added,
      deleted: this.#deleted,
      first: this.#kept[0]?.id,
      entries: entries.map(written),
    };
  }

  /** Where a newcomer begins. */
  startOf(start: Replay, now: number): StreamPosition {
    const first = (from: readonly TrueEntry[]): StreamPosition => {
      const [entry] = from;
      return entry === undefined ? after(this.#last) : before(entry.id);
    };
    switch (start.kind) {
      case 'none':
        return after(this.#last);
      case 'all':
        return first(this.#kept);
      case 'last':
        return first(start.count === 0 ? [] : this.#kept.slice(-start.count));
      case 'since':
        return first(this.#kept.filter(({ at }) => at >= now - start.since));
      default:
        return start satisfies never;
    }
  }

  /** The place of a position; undefined where no entry ever had this id. */
  place(position: StreamPosition): TruePlace | undefined {
    if (formatPosition(position) === BEGINNING) return { count: 0, by: undefined, behind: false, beginning: true };
    const entry = this.#byId.get(position.id);
    if (entry === undefined) return undefined;
    const { index } = entry;
    return { count: position.before ? index : index + 1, by: index, behind: !position.before, beginning: false };
  }

  #mostDeletedBelow(fork: TrueEntry): string {
    const before = this.entries.slice(0, fork.index);
    const deleted = before.filter(({ life, fate }) => life === fork.life && fate === 'deleted');
    return deleted.at(-1)?.id ?? BEGINNING;
  }

  #begin(low: boolean): Life {
    if (low) this.#bands.lowest -= 1;
    else this.#bands.highest += 1;
    const again = this.entries.length > 0;
    // Ids above those of an earlier life are told from its own only by how many were added.
    const life = { band: low ? this.#bands.lowest : this.#bands.highest, over: false, sealed: again && !low };
    this.#life = life;
    this.#step = 0;
    this.#branch += 1;
    return life;
  }
}

/** Whether an entry was added when another had been, and was not undone yet. */
export function follows(entry: TrueEntry, other: TrueEntry): boolean {
  for (let before = entry.behind; before !== undefined; before = before.behind) if (before === other) return true;
  return false;
}

/** An entry as Redis gives it. */
export function written({ id, data }: TrueEntry): StreamEntry {
  return { id, fields: [Buffer.from('data'), Buffer.from(data)] };
}

/** A key in memory that remembers what it held. */
export class KeyTruth {
  /** All that it ever held, in that order; undefined where there was nothing. */
  readonly values: (string | undefined)[] = [undefined];

  /** What it holds. */
  get value(): string | undefined {
    return this.values.at(-1);
  }

  set(value: string | undefined): void {
    if (value !== this.value) this.values.push(value);
  }
}
