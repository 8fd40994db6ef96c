/** Finds where a newcomer begins in a stream. */
import type { Redis } from 'ioredis';
import { BEGINNING, type Replay, type StreamPosition } from '../position.ts';
import { after, before, timeOf } from './redis-stream-id.ts';
import { lookAtEnd, rangeBack, rangeFrom } from './redis-stream-look.ts';
import { FIRST_COUNT, nextCount } from './redis-stream-read.ts';

/** The position of a start; undefined where the key holds no stream. Rejects as ioredis does. */
export async function findStart(redis: Redis, key: string, start: Replay): Promise<StreamPosition | undefined> {
  const { look, time } = await lookAtEnd(redis, key);
  if (look.kind === 'unreadable') return undefined;
  if (look.kind === 'missing') return after(BEGINNING);
  const end = after(look.last);
  if (look.first === undefined) return end;
  switch (start.kind) {
    case 'none':
      return end;
    case 'all':
      return before(look.first);
    case 'last':
      return start.count >= look.length ? before(look.first) : ((await countBack(redis, key, start.count)) ?? end);
    case 'since': {
      const since = Math.max(0, Math.floor(time - start.since));
      // An entry whose id somebody chose far ahead is newer than everything.
      if (timeOf(look.last) < since) return end;
      const [first] = await rangeFrom(redis, key, after(`${since}-0`), 1);
      return first === undefined ? end : before(first.id);
    }
    default:
      return start satisfies never;
  }
}

/** In front of the newest `count` entries; undefined for none. In pages: their data must not fill the memory. */
async function countBack(redis: Redis, key: string, count: number): Promise<StreamPosition | undefined> {
  let oldest: string | undefined;
  let page = FIRST_COUNT;
  for (let left = count; left > 0; ) {
    const asked = Math.min(left, page);
    const entries = await rangeBack(redis, key, oldest === undefined ? '+' : `(${oldest}`, asked);
    oldest = entries.at(-1)?.id ?? oldest;
    if (entries.length < asked) break;
    left -= entries.length;
    page = nextCount(page, entries);
  }
  return oldest === undefined ? undefined : before(oldest);
}
