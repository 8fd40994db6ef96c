/** Where a place in a stream stands in a log of it. */
import { BEGINNING, compareIds, type StreamPosition } from '../position.ts';
import type { Entry } from './entries.ts';

/** The kept events of a log, in order. */
interface Kept {
  at(index: number): Entry | undefined;
  indexAfter(number: number): number;
}

/** Where history begins: the last number before it, and what a reader had who stands there. */
export interface Beginning {
  readonly number: number;
  readonly position: string | undefined;
}

/**
 * The number of the newest event at a place, from which a reader who has everything up to there goes on; undefined where
 * the place is not within history. Ids rise within a stream, but a stream that was made anew begins again, so the newest
 * run of rising ids is searched first. `pastEnd`: the reader was told of an end there.
 */
export function numberOf(kept: Kept, place: StreamPosition, beginning: Beginning, pastEnd = false): number | undefined {
  const first = kept.indexAfter(beginning.number);
  let end = kept.indexAfter(Number.POSITIVE_INFINITY);
  const text = place.before ? `^${place.id}` : place.id;
  while (end > first) {
    const start = runBefore(kept, end, first);
    const found = inRun(kept, { start, end }, place);
    if (found !== undefined)
      return found < first ? beginning.number : kept.at(pastEnd ? found : beforeEnd(kept, found))?.number;
    end = start;
  }
  // Every stream begins there, the one before this too: what stands here may be of that.
  if (text === BEGINNING && kept.at(first) !== undefined) return undefined;
  return beginning.position === text ? beginning.number : undefined;
}

/**
 * An end has the place of the event before it: who comes from there is told of the end, as it may not have been. Where
 * the channel was opened again it need not be any more.
 */
function beforeEnd(kept: Kept, index: number): number {
  const [before, end, next] = [kept.at(index - 1), kept.at(index), kept.at(index + 1)];
  return end?.kind === 'end' && next === undefined && before?.position === end.position ? index - 1 : index;
}

/** The frame of the newest event at a position such as `1-0` above `base`; undefined where there is none. */
export function frameAt(kept: Kept, position: string, base: number): Buffer | undefined {
  for (let index = kept.indexAfter(Number.POSITIVE_INFINITY) - 1; ; index -= 1) {
    const entry = kept.at(index);
    if (entry === undefined || entry.number <= base) return undefined;
    if (entry.position === position && entry.kind === 'event') return entry.bytes.subarray(entry.start, entry.end);
  }
}

/** Index of the first event of the run of rising places that ends before `end`. */
function runBefore(kept: Kept, end: number, first: number): number {
  let start = end - 1;
  // Only a gap moves a reader back.
  while (start > first && kept.at(start)?.kind !== 'gap') start -= 1;
  return start;
}

/** Index of the last event up to which a reader at this place has everything; one before the run where it is the first. */
function inRun(kept: Kept, run: { start: number; end: number }, place: StreamPosition): number | undefined {
  let low = run.start;
  let high = run.end;
  while (low < high) {
    const middle = (low + high) >> 1;
    const order = orderOf(kept.at(middle)?.position ?? '', place);
    if (order > 0) high = middle;
    else low = middle + 1;
  }
  const last = kept.at(low - 1)?.position;
  if (low > run.start && last === (place.before ? `^${place.id}` : place.id)) return low - 1;
  // Before an event that stands here: everything up to the one in front of it.
  const next = low < run.end ? kept.at(low) : undefined;
  if (place.before && next?.position === place.id && next.kind === 'event') return low - 1;
  return undefined;
}

/** Orders the place of an event against another: `^1-0` stands directly before `1-0`. */
function orderOf(position: string, place: StreamPosition): number {
  const before = position.startsWith('^');
  const order = compareIds(before ? position.slice(1) : position, place.id);
  return order === 0 ? Number(place.before) - Number(before) : order;
}
