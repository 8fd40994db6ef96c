/** The proved read: the one way in which entries are taken from a stream, by whoever reads. */
import type { Redis } from 'ioredis';
import { after, BEGINNING } from './redis-stream-id.ts';
import { type Look, lookFrom, rangeBack, rangeFrom, sizeOf } from './redis-stream-look.ts';
import { isSame, markOf, type Place, prove, type Reader } from './redis-stream-proof.ts';
import type { Break, StreamEntry } from './source.ts';

/** How to read. */
export interface Reading {
  readonly reader: Reader;
  /** Entries at most. */
  readonly count: number;
  /** Look at the stream's state even where the entries prove themselves, so that `added` is known again. */
  readonly look: boolean;
}

/** What comes next. */
export interface Part {
  readonly kind: 'read';
  /** Comes before the entries. */
  readonly gap: Break | undefined;
  readonly entries: readonly StreamEntry[];
  /** Whether the answer was full, so that more may follow. */
  readonly more: boolean;
  /** Behind the entries. */
  readonly place: Place;
}

/** What was read. */
export type Read =
  | Part
  /** Only for a live reader: see `Fork`. `onwards`: what comes next where it is the same way all the same. */
  | { readonly kind: 'fork'; readonly otherwise: Place; readonly onwards: Part | undefined }
  | { readonly kind: 'unreadable'; readonly reason: string };

/** Reads a stream on from a place, with its proof. Rejects as ioredis does. */
export async function readOn(redis: Redis, key: string, place: Place, reading: Reading): Promise<Read> {
  const { reader, count, look: always } = reading;
  const asked = count + 1; // one more, which is the place itself
  if (!always && place.at.id !== BEGINNING) {
    const entries = await rangeFrom(redis, key, place.at, asked);
    if (isSame(place, entries[0])) return taken(undefined, place, { entries, asked });
  }
  return readIn(await lookFrom(redis, key, place.at.id, asked), place, { reader, asked });
}

/** What a look from a place gives to read, where `asked` entries were asked for. */
export function readIn(look: Look, place: Place, { reader, asked }: { reader: Reader; asked: number }): Read {
  const proof = prove(place, look, reader);
  const entries = look.kind === 'stream' ? look.entries : [];
  if (proof.kind === 'unreadable') return proof;
  if (proof.kind === 'fork') {
    const onwards = proof.removed ? taken(undefined, place, { entries, asked }) : undefined;
    if (onwards !== undefined && isCounted(look, place, onwards)) return onwards;
    return { kind: 'fork', otherwise: proof.otherwise, onwards };
  }
  const read = taken(proof.gap, proof.place, { entries, asked });
  const atEnd = look.kind === 'stream' && !read.place.at.before && read.place.at.id === look.last;
  return atEnd ? { ...read, place: { ...read.place, added: look.added } } : read;
}

/** Whether all that was added since the place is behind it. Only where its owner took the place out: a roll-back can count the same. */
function isCounted(look: Look, { added }: Place, { entries, more }: Part): boolean {
  if (look.kind !== 'stream' || look.added === undefined || added === undefined || more) return false;
  return look.added - added === entries.length;
}

/** How far back the fork is looked for, in entries, and how many are read at once. */
const FORK_DEPTH = 1000;
const FORK_PAGE = 100;

/** The newest entry up to `id` that is known, `unknown` others before it being newer; undefined where there is none. */
export async function findFork(
  redis: Redis,
  key: string,
  id: string,
  knows: (entry: StreamEntry) => boolean,
): Promise<{ readonly id: string; readonly unknown: number } | undefined> {
  let end = id;
  for (let seen = 0; seen < FORK_DEPTH; seen += FORK_PAGE) {
    const entries = await rangeBack(redis, key, end, FORK_PAGE);
    const index = entries.findIndex(knows);
    const fork = entries[index];
    if (fork !== undefined) return { id: fork.id, unknown: seen + index };
    const last = entries.at(-1);
    if (last === undefined || entries.length < FORK_PAGE) return undefined;
    end = `(${last.id}`;
  }
  return undefined;
}

/** What a page should hold, in bytes, and the counts that are asked for at first and at most. */
const PAGE_BYTES = 64 * 1024;
export const FIRST_COUNT = 64;
const MOST_COUNT = 4096;
const GROWTH = 4;

/** How many entries to ask for next, by what the last page held. */
export function nextCount(count: number, entries: readonly StreamEntry[]): number {
  if (entries.length === 0) return count;
  const fitting = Math.floor((PAGE_BYTES * entries.length) / sizeOf(entries));
  return Math.max(1, Math.min(fitting, count * GROWTH, MOST_COUNT));
}

function taken(
  gap: Break | undefined,
  place: Place,
  { entries, asked }: { entries: readonly StreamEntry[]; asked: number },
): Part {
  const { at, added } = place;
  const behind = !at.before && entries[0]?.id === at.id ? entries.slice(1) : entries;
  const last = behind.at(-1);
  const counted = added === undefined ? undefined : added + behind.length;
  const next = last === undefined ? place : { at: after(last.id), added: counted, mark: markOf(last) };
  return { kind: 'read', gap, entries: behind, more: entries.length >= asked, place: next };
}
