/** The proved read: the one way in which entries are taken from a stream, by whoever reads. */

import type { Redis } from 'ioredis';
import { BEGINNING } from '../position.ts';
import { after } from './redis-stream-id.ts';
import { type Look, lookFrom, rangeBack, rangeFrom, sizeOf } from './redis-stream-look.ts';
import { type Anchor, isSame, markOf, type Place, prove, type Reader } from './redis-stream-proof.ts';
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
  /** The first entry of the stream, where its state was looked at. */
  readonly oldest?: StreamEntry | undefined;
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
    const { otherwise } = proof;
    if (!proof.removed) return { kind: 'fork', otherwise, onwards: undefined };
    const onwards = taken(undefined, place, { entries, asked });
    const lost = lostBehind(look, place, onwards);
    // Only where its owner took the place out: a roll-back can count the same.
    if (lost === 0) return onwards;
    if (lost === undefined) return { kind: 'fork', otherwise, onwards };
    if (lost < 0) return { kind: 'fork', otherwise, onwards: undefined };
    const counted = { ...onwards.place, added: (onwards.place.added ?? 0) + lost };
    const gap: Break = { reason: 'trimmed', lost, at: place.at };
    return { kind: 'fork', otherwise, onwards: { ...onwards, gap, place: counted } };
  }
  const read = taken(proof.gap, proof.place, { entries, asked });
  const oldest = look.kind === 'stream' ? look.oldest : undefined;
  const atEnd = look.kind === 'stream' && !read.place.at.before && read.place.at.id === look.last;
  return atEnd ? { ...read, oldest, place: { ...read.place, added: look.added } } : { ...read, oldest };
}

/** How many of those that were added since the place are not behind it; undefined where nobody can count them. */
function lostBehind(look: Look, { added }: Place, { entries, more }: Part): number | undefined {
  if (look.kind !== 'stream' || look.added === undefined || added === undefined || more) return undefined;
  return look.added - added - entries.length;
}

/** Whether a stream still holds an entry, with the same content. */
export async function holds(redis: Redis, key: string, { id, mark }: Anchor): Promise<boolean> {
  const at = after(id);
  const [entry] = await rangeFrom(redis, key, at, 1);
  return isSame({ at, added: undefined, mark }, entry);
}

/** How far back the fork is looked for, in entries, and how many are read at once. */
const FORK_DEPTH = 1000;
const FORK_PAGE = 100;

/**
 * Where two ways part: at the newest entry that is known, behind so many that are `unknown`; or, where it is not `known`,
 * at the newest that is older than all that would be.
 */
export interface Parting {
  readonly id: string;
  readonly known: boolean;
  readonly unknown: number;
}

/** Tells whether an entry is known; undefined where it is older than anything that is. */
export type Knows = (entry: StreamEntry) => boolean | undefined;

/** Finds where the ways part among entries, the newest first; undefined where none of them tells. */
export function partingIn(entries: readonly StreamEntry[], knows: Knows): Parting | undefined {
  for (const [unknown, entry] of entries.entries()) {
    const known = knows(entry);
    if (known !== false) return { id: entry.id, known: known === true, unknown };
  }
  return undefined;
}

/** The same up to `id` in a stream, as far back as is looked. */
export async function findFork(redis: Redis, key: string, id: string, knows: Knows): Promise<Parting | undefined> {
  let end = id;
  for (let seen = 0; seen < FORK_DEPTH; seen += FORK_PAGE) {
    const entries = await rangeBack(redis, key, end, FORK_PAGE);
    const parting = partingIn(entries, knows);
    if (parting !== undefined) return { ...parting, unknown: seen + parting.unknown };
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
