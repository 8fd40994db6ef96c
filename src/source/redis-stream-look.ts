/** What Redis answers about a stream, made into plain values. */
import type { Redis } from 'ioredis';
import type { StreamPosition } from '../position.ts';
import { isRefusal, transaction } from './redis-transaction.ts';
import type { StreamEntry } from './source.ts';

/** A stream, all of it seen in one moment. */
export interface StreamLook {
  readonly kind: 'stream';
  /** The last id that was given out. */
  readonly last: string;
  readonly length: number;
  /** How many entries were ever added; undefined below Redis 7. */
  readonly added: number | undefined;
  /** The greatest id that its owner has deleted by XDEL; undefined below Redis 7. */
  readonly deleted: string | undefined;
  /** The id of its first entry; undefined where it holds none. */
  readonly first: string | undefined;
  /** The same with what it holds. */
  readonly oldest?: StreamEntry | undefined;
  /** From the place that was asked for on, the entry of the place itself included. */
  readonly entries: readonly StreamEntry[];
}

/** What a key that should be a stream was found to be. */
export type Look =
  | StreamLook
  | { readonly kind: 'missing' }
  /** The key holds something else. */
  | { readonly kind: 'unreadable'; readonly reason: string };

/** Entries from an id on, that one included. */
export async function rangeFrom(
  redis: Redis,
  key: string,
  from: StreamPosition,
  count: number,
): Promise<StreamEntry[]> {
  return entriesOf(await redis.callBuffer('XRANGE', key, from.id, '+', 'COUNT', count));
}

/** The newest entries up to `end`, the newest first. `end` is as XREVRANGE has it. */
export async function rangeBack(redis: Redis, key: string, end: string, count: number): Promise<StreamEntry[]> {
  return entriesOf(await redis.callBuffer('XREVRANGE', key, end, '-', 'COUNT', count));
}

/** A stream's state together with its entries from an id on. */
export async function lookFrom(redis: Redis, key: string, id: string, count: number): Promise<Look> {
  const range = ['XRANGE', key, id, '+', 'COUNT', count] as const;
  const [type, info, entries] = await transaction(redis, [['TYPE', key], ['XINFO', 'STREAM', key], range]);
  return lookOf(type, info, entries);
}

/** A stream's state together with its newest entry, and the server's time in Unix milliseconds. */
export async function lookAtEnd(redis: Redis, key: string): Promise<{ readonly look: Look; readonly time: number }> {
  const newest = ['XREVRANGE', key, '+', '-', 'COUNT', 1] as const;
  const commands = [['TYPE', key], ['XINFO', 'STREAM', key], newest, ['TIME']] as const;
  const [type, info, entries, time] = await transaction(redis, commands);
  return { look: lookOf(type, info, entries), time: timeIn(time) };
}

/** The server's time in Unix milliseconds, as TIME gives it. */
export function timeIn(answer: unknown): number {
  const [seconds, microseconds] = Array.isArray(answer) ? answer : [];
  return Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000);
}

/** Bytes that entries take, about. */
export function sizeOf(entries: readonly StreamEntry[]): number {
  let size = 0;
  for (const { fields } of entries) {
    size += ENTRY_BYTES;
    for (const field of fields) size += field.length + FIELD_BYTES;
  }
  return size;
}

/** What the protocol itself takes for an entry and for each field, about. */
const ENTRY_BYTES = 40;
const FIELD_BYTES = 8;

function lookOf(type: unknown, info: unknown, range: unknown): Look {
  const kind = String(type);
  if (kind === 'none') return { kind: 'missing' };
  if (kind !== 'stream') return { kind: 'unreadable', reason: `it holds a ${kind}, which is no stream` };
  if (isRefusal(info)) throw info;
  const facts = factsOf(info);
  const [first] = [facts.get('first-entry')].flatMap((entry) => entriesOf([entry]));
  const added = facts.get('entries-added');
  const deleted = facts.get('max-deleted-entry-id');
  return {
    kind: 'stream',
    last: String(facts.get('last-generated-id')),
    length: Number(facts.get('length')),
    added: added === undefined ? undefined : Number(added),
    deleted: deleted === undefined ? undefined : String(deleted),
    first: first?.id,
    oldest: first,
    entries: entriesOf(range),
  };
}

/** The flat list of names and values that XINFO answers. */
function factsOf(info: unknown): ReadonlyMap<string, unknown> {
  const flat = Array.isArray(info) ? info : [];
  const facts = new Map<string, unknown>();
  for (let i = 0; i + 1 < flat.length; i += 2) facts.set(String(flat[i]), flat[i + 1]);
  return facts;
}

function entriesOf(range: unknown): StreamEntry[] {
  if (isRefusal(range)) throw range;
  const entries: StreamEntry[] = [];
  for (const entry of Array.isArray(range) ? range : []) {
    if (!Array.isArray(entry)) continue; // the first entry of a stream that holds none
    const [id, fields] = entry;
    entries.push({ id: String(id), fields: Array.isArray(fields) ? fields.filter(Buffer.isBuffer) : [] });
  }
  return entries;
}
