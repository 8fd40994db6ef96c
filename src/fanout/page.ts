/** A page of a stream: a small log of its own, whose events are encoded as the channel's are. */
import { Held } from '../channel/history.ts';
import { Log } from '../channel/log.ts';
import type { Clock } from '../clock.ts';
import type { Gap } from '../event.ts';
import type { Channel } from '../hub/channel.ts';
import { Intake } from '../hub/intake.ts';
import { Metrics } from '../metrics/metrics.ts';
import { formatPosition, Numbering, type StreamPosition, streamPosition } from '../position.ts';

/** A page that was read with its proof. */
export interface Page {
  /** Begins at the place that was asked for; a gap stands in front. */
  readonly log: Log;
  /** Where continuity could not be proved. */
  readonly gap: Gap | undefined;
  /** What a reader goes on from who was told of the gap: the place that was asked for where there is none. */
  readonly begins: StreamPosition;
  /** Nothing is behind the place that was asked for. */
  readonly empty: boolean;
  /** The number in its log of a reader at this place, who was not told of the gap yet; undefined where that is elsewhere. */
  numberOf(position: StreamPosition): number | undefined;
}

const EVERYTHING = { events: Number.POSITIVE_INFINITY, age: Number.POSITIVE_INFINITY, bytes: Number.POSITIVE_INFINITY };

/** Reads the page of a channel's stream behind a position. Rejects with SourceDownError. */
export async function readPage(channel: Channel, from: StreamPosition, maxEventSize: number): Promise<Page> {
  const found = await channel.page(from);
  const context = { numbering: new Numbering('page'), held: new Held(), now: () => 0 };
  const log = new Log(channel.name, EVERYTHING, 0, context, channel.log.nature);
  log.beginsAt(formatPosition(from), undefined);
  const plan = { ...channel.plan, maxRate: undefined, endAfter: 0 };
  const intake = new Intake({
    plan,
    log,
    clock: NO_CLOCK,
    metrics: new Metrics(),
    maxEventSize,
    appended: () => undefined,
  });
  if (found.gap !== undefined) intake.broken(found.gap);
  const begins = streamPosition(log.position) ?? from;
  intake.entries(found.entries);
  return {
    log,
    gap: found.gap && {
      channel: channel.name,
      reason: found.gap.reason,
      after: formatPosition(from),
      lost: found.gap.lost,
    },
    begins,
    empty: log.newest === undefined,
    numberOf: (position) => (formatPosition(position) === formatPosition(from) ? 0 : log.numberOf(position)),
  };
}

/** A page is read and given, and never waits for anything. */
const NO_CLOCK: Clock = { now: () => 0, wall: () => 0, after: () => () => undefined, every: () => () => undefined };
