/** Where a newcomer begins in what a log keeps. */
import type { Replay } from '../position.ts';
import type { Entries } from './entries.ts';

/** What the log knows beside its events. */
export interface Kept {
  /** The last number before history. */
  readonly base: number;
  /** The monotonic clock, in milliseconds. */
  readonly now: number;
  /** A gap is told only behind something that was given: before that nothing is missing for a newcomer. */
  readonly skipsGaps: boolean;
}

/** The number before the first event that a newcomer gets. */
export function beginningOf(entries: Entries, replay: Exclude<Replay, { kind: 'none' }>, kept: Kept): number {
  const first = withoutGaps(entries, kept);
  switch (replay.kind) {
    case 'all':
      return first;
    case 'last':
      return entries.beforeLast(replay.count)?.number ?? first;
    case 'since':
      return entries.beforeTime(kept.now - replay.since)?.number ?? first;
    default:
      return replay satisfies never;
  }
}

function withoutGaps(entries: Entries, { base, skipsGaps }: Kept): number {
  if (!skipsGaps) return base;
  let index = entries.indexAfter(base);
  while (entries.at(index)?.kind === 'gap') index += 1;
  return entries.at(index - 1)?.number ?? base;
}
