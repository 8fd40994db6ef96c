/** Ids of stream entries: two unsigned 64-bit numbers, which no JavaScript number holds, compared as they stand. */
import { BEGINNING, type StreamPosition } from '../position.ts';

/** The position behind an entry. */
export function after(id: string): StreamPosition {
  return { kind: 'stream', id, before: false };
}

/** The position in front of an entry. */
export function before(id: string): StreamPosition {
  return { kind: 'stream', id, before: true };
}

/** The greatest id below another one. */
export function idBelow(id: string): string {
  if (id === BEGINNING) return id;
  const [time = '0', count = '0'] = id.split('-');
  return count === '0' ? `${BigInt(time) - 1n}-${MOST}` : `${time}-${BigInt(count) - 1n}`;
}

/** Milliseconds of the server's clock at which an entry was given its id; larger than any time where somebody chose it so. */
export function timeOf(id: string): number {
  return Number(id.slice(0, id.indexOf('-')));
}

const MOST = 2n ** 64n - 1n;
