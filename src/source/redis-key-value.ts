/** Reads what a key holds, bounded, with its digest. */
import type { Redis } from 'ioredis';
import { hashDigest, stringDigest } from './redis-key-digest.ts';
import { isRefusal, transaction } from './redis-transaction.ts';
import type { KeyValue } from './source.ts';

/** What a key was found to hold. */
export type Found =
  | { readonly kind: 'value'; readonly value: KeyValue }
  /** More than is read. `mark` tells one such value from another, but not surely: what is beyond the limit is not read. */
  | { readonly kind: 'too-large'; readonly mark: string }
  | { readonly kind: 'unreadable'; readonly reason: string }
  /** It changed between two steps of the read. */
  | { readonly kind: 'changed' };

/** A hash with more fields is too large, whatever they hold. */
const MOST_FIELDS = 10_000;

/** Reads a key, of whose value at most `limit` bytes. Rejects as ioredis does. */
export async function readKey(redis: Redis, key: string, limit: number): Promise<Found> {
  const [type, value, length, fields] = await transaction(redis, [
    ['TYPE', key],
    ['GETRANGE', key, 0, limit],
    ['STRLEN', key],
    ['HLEN', key],
  ]);
  const kind = String(type);
  if (kind === 'none') return { kind: 'value', value: { digest: '0', data: undefined } };
  if (kind === 'hash') return Number(fields) > MOST_FIELDS ? tooLarge(`${fields}`) : readHash(redis, key, limit);
  if (kind !== 'string') return { kind: 'unreadable', reason: `it holds a ${kind}: only strings and hashes are read` };
  if (isRefusal(value)) throw value;
  const data = Buffer.isBuffer(value) ? value : Buffer.alloc(0);
  const digest = stringDigest(data);
  return data.length > limit ? tooLarge(`${length} ${digest}`) : { kind: 'value', value: { digest, data } };
}

async function readHash(redis: Redis, key: string, limit: number): Promise<Found> {
  const [type, flat] = await transaction(redis, [
    ['TYPE', key],
    ['HGETALL', key],
  ]);
  if (String(type) !== 'hash' || !Array.isArray(flat)) return { kind: 'changed' };
  const fields = flat.filter(Buffer.isBuffer);
  const digest = hashDigest(fields);
  const data = Buffer.from(jsonOf(fields));
  return data.length > limit ? tooLarge(digest) : { kind: 'value', value: { digest, data } };
}

/** The fields sorted by their bytes, so that the same hash is the same text. Text, since an object would lose `__proto__`. */
function jsonOf(flat: readonly Buffer[]): string {
  const members: { readonly name: Buffer; readonly value: Buffer }[] = [];
  for (let i = 0; i + 1 < flat.length; i += 2) {
    const [name, value] = [flat[i], flat[i + 1]];
    if (name !== undefined && value !== undefined) members.push({ name, value });
  }
  members.sort((a, b) => Buffer.compare(a.name, b.name));
  const written = members.map(({ name, value }) => `${JSON.stringify(`${name}`)}:${JSON.stringify(`${value}`)}`);
  return `{${written.join(',')}}`;
}

function tooLarge(mark: string): Found {
  return { kind: 'too-large', mark };
}
