/** Where somebody stands in several logs at once, and the cursor that says so. */
import type { Log } from '../channel/log.ts';
import { cursorText } from '../cursor.ts';

/** A place in each of some logs. */
export interface Places {
  /** Logs that are read here, each with the number up to which everything was given. */
  readonly at: ReadonlyMap<Log, number>;
  /** What was given of logs whose events have positions of their own; undefined while nothing is known. */
  readonly positions: ReadonlyMap<Log, string | undefined>;
}

/** Where a reader of several logs stands in one of them, once it was given everything up to `number`. */
export function standing(log: Log, from: number, number: number): number {
  // What it lost of this log counts as lost from where it stood, until the gap that says so has had its place.
  return isOvertaken(log, from) && number < log.dropped ? from : Math.max(from, number);
}

/** Whether a log has dropped what a reader at `from` was not given. A compacted log holds all that counts. */
export function isOvertaken(log: Log, from: number): boolean {
  return log.nature.compact === undefined && log.dropped > from;
}

/** From where on a log is read for somebody: a key that came back to the value that was given has nothing new. */
export function readFrom(log: Log, from: number, given: string | undefined): number {
  if (!log.nature.own || log.nature.compact === undefined) return from;
  const { newest } = log;
  return newest?.kind !== 'gap' && newest?.position === given ? Math.max(from, log.head) : from;
}

/** The position in a log of its own of a reader who had `given` at `from`, once everything up to `number` was given. */
export function positionBy(log: Log, from: number, number: number, given: string | undefined): string | undefined {
  const next = log.at(log.indexAfter(from));
  if (next !== undefined && next.number <= number) return log.positionAt(number) ?? given;
  // A place that was never given must not be claimed before the gap in front of it was told.
  if (given === undefined && next?.kind === 'gap') return undefined;
  return given ?? log.positionAt(from);
}

/** The cursor of somebody at these places once everything up to `number` was given, for all of `logs`. */
export function cursorAt(epoch: string, logs: readonly Log[], places: Places, number: number): string {
  const numbers = new Map<string, number>();
  const positions = new Map<string, string>();
  for (const log of logs) {
    const from = places.at.get(log);
    const given = places.positions.get(log);
    if (!log.nature.own) numbers.set(log.channel, standing(log, from ?? number, number));
    else {
      const position = from === undefined ? given : positionBy(log, from, number, given);
      if (position !== undefined) positions.set(log.channel, position);
    }
  }
  return cursorText(epoch, { numbers, positions, alone: logs.length === 1 });
}
