/**
 * Whether what a stream holds goes on directly behind a reader's place, decided from one look at it. What it rests on:
 * trimming takes a prefix, replication keeps one, ids only grow while a stream lives, and Redis 7 counts every entry
 * that was ever added.
 */
import { createHash } from 'node:crypto';
import type { GapReason } from '../event.ts';
import { BEGINNING, compareIds, type StreamPosition } from '../position.ts';
import { after, before } from './redis-stream-id.ts';
import type { Look, StreamLook } from './redis-stream-look.ts';
import type { Break, StreamEntry } from './source.ts';

/** Where a reader stands. */
export interface Place {
  readonly at: StreamPosition;
  /** How many entries had ever been added up to there; undefined where nobody has counted. */
  readonly added: number | undefined;
  /** What the entry there held, see `markOf`; undefined where that is not known. After a fail-over another may have its id. */
  readonly mark?: string | undefined;
}

/** An entry by which a stream is known again, though its end went another way. */
export interface Anchor {
  readonly id: string;
  readonly mark: string;
}

/** Tells one entry from another with the same id. */
export function markOf({ fields }: StreamEntry): string {
  const mark = createHash('sha1');
  for (const field of fields) mark.update(`${field.length} `).update(field);
  return mark.digest('base64');
}

/** Whether the entry at a place is the one that was read there. */
export function isSame({ at, mark }: Place, entry: StreamEntry | undefined): boolean {
  return entry?.id === at.id && (mark === undefined || mark === markOf(entry));
}

/** Who reads: a reader of this process asks it what it knows, a client brings nothing but its position. */
export type Reader = 'live' | 'client';

/**
 * The stream went back, or went another way: go on behind the newest entry up to the place that both sides know, else
 * at `otherwise`. Where its owner `removed` entries up to there it may be the same way all the same, without a gap: then
 * both sides know all that is left of it.
 */
export interface Fork {
  readonly kind: 'fork';
  readonly otherwise: Place;
  readonly removed: boolean;
}

/** What a look proves. */
export type Proof =
  /** The entries of the look that lie behind `place` come next, after the gap if there is one. */
  | { readonly kind: 'place'; readonly gap: Break | undefined; readonly place: Place }
  | Fork
  | { readonly kind: 'unreadable'; readonly reason: string };

/** Decides where to go on from `place`, and what must be announced there. */
export function prove(place: Place, look: Look, reader: Reader): Proof {
  const { at } = place;
  if (look.kind === 'unreadable') return look;
  if (look.kind === 'missing') {
    const beginning = { at: after(BEGINNING), added: 0 };
    return at.id === BEGINNING ? goOn(beginning) : broken('reset', null, beginning);
  }
  const [first] = look.entries;
  const isThere = isSame(place, first);
  if (!isThere && first?.id === at.id) return astray(look, reader, { at, added: undefined });
  const toLast = compareIds(look.last, at.id);
  if (toLast === 0 && !at.before) return goOn({ ...place, added: look.added }); // drained or not, nothing was added since
  if (isThere) return goOn(place);
  if (toLast < 0) return astray(look, reader, { at: after(look.last), added: look.added });
  if (look.first === undefined || compareIds(look.first, at.id) > 0) return proveByCount(place, look);
  const removed = look.deleted !== undefined && compareIds(look.deleted, at.id) >= 0;
  if (removed && reader === 'client') return goOn(place);
  if (removed) return { kind: 'fork', otherwise: startOf(look), removed };
  return astray(look, reader, { at, added: undefined });
}

/** All that the stream holds lies behind the place, which is not in it any more: only counting tells what is missing. */
function proveByCount({ at, added: counted }: Place, look: StreamLook): Proof {
  const added = at.id === BEGINNING ? 0 : counted;
  const start = startOf(look);
  if (look.added === undefined) {
    // Below Redis 7 nobody counts: a stream that was not there yet is taken to go on with its first entry.
    return at.id === BEGINNING ? goOn({ at, added: undefined }) : broken('trimmed', null, start);
  }
  if (added === undefined) {
    const nothingWasRemoved = look.added === look.length;
    return broken(nothingWasRemoved ? 'reset' : 'trimmed', null, start);
  }
  const lost = look.added - added - look.length;
  // What stood directly behind a place in front of an entry is not there: where nothing is lost it is another stream.
  if (lost < 0 || (at.before && lost === 0)) return broken('reset', null, start);
  if (lost > 0) return broken('trimmed', lost, start);
  return goOn(look.first === undefined ? start : { at, added });
}

/** The place is on a way that the stream did not take. */
function astray(look: StreamLook, reader: Reader, onwards: Place): Proof {
  if (reader === 'live') return { kind: 'fork', otherwise: startOf(look), removed: false };
  return broken('unknown-position', null, onwards);
}

/** In front of the first entry; behind the last id where there is none. */
function startOf(look: StreamLook): Place {
  if (look.first === undefined) return { at: after(look.last), added: look.added };
  return { at: before(look.first), added: look.added === undefined ? undefined : look.added - look.length };
}

function goOn(place: Place): Proof {
  return { kind: 'place', gap: undefined, place };
}

function broken(reason: GapReason, lost: number | null, place: Place): Proof {
  return { kind: 'place', gap: { reason, lost, at: place.at }, place };
}
