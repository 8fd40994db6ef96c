/**
 * How a conflated stream begins: its log is the newest entry of each key, wherever in the stream that stands, so it is
 * read from its first entry before anything new is taken.
 */
import { compareIds } from '../position.ts';
import type { StreamEntry, StreamState } from '../source/source.ts';
import type { Channel } from './channel.ts';
import type { Intake } from './intake.ts';

/** Fills a conflated log up to a state, page by page. Rejects with SourceDownError; what was read until then stays. */
export async function fill(channel: Channel, intake: Intake, state: StreamState): Promise<void> {
  // Of everything in one key the newest value counts, and an end may stand behind it.
  const start = channel.plan.conflate === true ? ({ kind: 'last', count: 2 } as const) : ({ kind: 'all' } as const);
  let from = await channel.startOf(start);
  for (;;) {
    const { entries, more } = await channel.page(from);
    intake.fill(entries.filter(({ id }) => compareIds(id, state.last) <= 0));
    const last: StreamEntry | undefined = entries.at(-1);
    if (last === undefined || !more || compareIds(last.id, state.last) >= 0) return;
    from = { kind: 'stream', id: last.id, before: false };
  }
}
