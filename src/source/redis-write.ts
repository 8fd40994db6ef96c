/** How each kind of feed is written to: the command, and what its answer means. */
import { createHash } from 'node:crypto';
import type { Redis } from 'ioredis';
import { ConflictError, UnsupportedError } from '../errors.ts';
import type { Message } from '../event.ts';
import { stringDigest } from './redis-key-digest.ts';
import type { EntryWriting, Feed, Once, Receipt, Writing } from './source.ts';

/** A write that is asked for. */
export interface Asked {
  readonly redis: Redis;
  /** The feed's name in Redis, prefix included. */
  readonly key: string;
  readonly feed: Feed;
  readonly message: Message;
  readonly writing: Writing;
  /** Takes why the stream of an entry that was added does not expire. */
  note(reason: string): void;
}

/** Writes once. Rejects with ConflictError, with UnsupportedError, or with what the client library says. */
export async function write(asked: Asked): Promise<Receipt> {
  const { redis, key, feed, message, writing } = asked;
  const { data = Buffer.alloc(0) } = message;
  switch (feed.kind) {
    case 'pubsub':
      return { kind: 'receivers', receivers: await redis.publish(key, data) };
    case 'stream':
      return await addEntry(asked, writing.entry ?? { fields: ['data', data], maxlen: 0, expire: 0 });
    case 'key':
      await redis.set(key, data, 'KEEPTTL');
      return { kind: 'position', position: `~${stringDigest(data)}` };
    case 'pattern':
    case 'memory':
      throw new UnsupportedError(`a ${feed.kind} feed cannot be published to in Redis`);
    default:
      return feed.kind satisfies never;
  }
}

async function addEntry(asked: Asked, entry: EntryWriting): Promise<Receipt> {
  const { redis, key, writing } = asked;
  const { once } = writing;
  const { fields, maxlen, expire } = entry;
  if (once === undefined && expire === 0) {
    const trimming = maxlen === 0 ? [] : ['MAXLEN', '~', maxlen];
    const id = await redis.call('xadd', [key, ...trimming, '*', ...fields]);
    return { kind: 'position', position: String(id) };
  }
  const keys = once === undefined ? [key] : [key, rememberedAt(key, once)];
  const keep = Math.max(1, Math.round(once?.keep ?? 1));
  const values = [maxlen, Math.ceil(expire), keep, once?.fingerprint ?? '', ...fields];
  // The parse boundary: the script answers with an array of texts.
  const [id, first, late] = (await redis.call('eval', [ADD, keys.length, ...keys, ...values])) as (string | null)[];
  if (first !== null && first !== undefined) return repeated(first, once);
  if (late !== null && late !== undefined) asked.note(late);
  return { kind: 'position', position: String(id) };
}

function repeated(first: string, once: Once | undefined): Receipt {
  const space = first.indexOf(' ');
  if (first.slice(space + 1) !== once?.fingerprint) {
    throw new ConflictError('this Idempotency-Key was used for another event', {
      hint: 'use a new key for each event',
    });
  }
  return { kind: 'position', position: first.slice(0, space), duplicate: true };
}

/**
 * Where a publisher's key is remembered: `STREAM:once:{STREAM}:HASH`. It begins with the stream, so that rights to
 * `STREAM*` cover it; the braces put both in one slot of a cluster, and no channel's name can have them. A stream with
 * braces of its own has its slot by them.
 */
function rememberedAt(key: string, once: Once): string {
  const slot = /[{}]/.test(key) ? '' : key;
  return `${key}:once:{${slot}}:${createHash('sha256').update(once.key).digest('base64url')}`;
}

/**
 * Adds an entry, remembers its publisher's key, and lets the stream expire, in one step.
 *
 * Redis undoes nothing of a script that fails halfway, so what may be refused comes first: the key is claimed before
 * the entry is added, and given back where that fails. What is left to fail behind it, for want of rights to PEXPIRE,
 * is told beside the id, because the entry is there. Sent whole with EVAL: its 700 bytes cost less than the state
 * that EVALSHA needs, which a fail-over or SCRIPT FLUSH takes away.
 */
const ADD = `local stream, seen = KEYS[1], KEYS[2]
local maxlen, expire, keep, mark = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
if seen then
  local first = redis.call('GET', seen)
  if first and first ~= '' then return {false, first} end
  redis.call('SET', seen, '', 'PX', keep)
end
local command = {'XADD', stream}
if maxlen ~= '0' then command = {'XADD', stream, 'MAXLEN', '~', maxlen} end
command[#command + 1] = '*'
for i = 5, #ARGV do command[#command + 1] = ARGV[i] end
local id = redis.pcall(unpack(command))
if type(id) == 'table' then
  if seen then redis.call('SET', seen, '', 'PX', 1) end
  return id
end
local late = false
if expire ~= '0' then
  local set = redis.pcall('PEXPIRE', stream, expire)
  if type(set) == 'table' then late = set.err end
end
if seen then redis.call('SET', seen, id .. ' ' .. mark, 'PX', keep) end
return {id, false, late}`;
