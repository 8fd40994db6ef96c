/**
 * Where a subscriber of a log starts, and whether what it missed can be proved. Every gap that is found when
 * subscribing to a log is decided here; `source-lost` in a running stream is decided in `hub/channel.ts`, `too-slow`
 * in `fanout/batch.ts`.
 */
import type { Cursor } from '../cursor.ts';
import type { Gap, GapReason } from '../event.ts';
import {
  BEGINNING,
  formatPosition,
  type KeyPosition,
  type Numbering,
  type Position,
  type Replay,
  type StreamPosition,
  streamPosition,
} from '../position.ts';

import type { Log } from './log.ts';

/** What a client brings as its last id: nothing, a cursor, or a text that is none. */
export type Brought =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'cursor'; readonly cursor: Cursor }
  | { readonly kind: 'text'; readonly text: string };

/** How a channel is resumed: what a newcomer gets first, and whether ids are the publisher's own. */
export interface Resuming {
  readonly replay: Replay;
  readonly publisherIds: boolean;
}

/** Events above `from` come next; `gap` is announced before. */
export interface Start {
  readonly from: number;
  readonly gap: Gap | undefined;
}

/**
 * A cursor proves continuity if it is of this process and the log has dropped nothing above it. Age alone never makes
 * a gap. After a gap, a log that was trimmed goes on with the oldest kept, a compacted one sends its state, everything
 * else goes on at the head.
 */
export function startOf(log: Log, brought: Brought, resuming: Resuming, numbering: Numbering): Start {
  const head = numbering.last;
  const compact = log.nature.compact !== undefined;
  if (brought.kind === 'nothing') return { from: log.startOf(resuming.replay), gap: undefined };
  if (brought.kind === 'text' && resuming.publisherIds) {
    const number = log.numberOfId(brought.text);
    if (number !== undefined) return { from: number, gap: undefined };
  }
  const position = brought.kind === 'cursor' ? positionIn(brought.cursor, log.channel) : undefined;
  const gap = (reason: GapReason): Gap => ({ channel: log.channel, reason, after: written(position), lost: null });
  const anew = compact ? log.startOf({ kind: 'all' }) : head;
  if (position?.kind !== 'log') return { from: anew, gap: gap('unknown-position') };
  if (position.epoch !== numbering.epoch) return { from: anew, gap: gap('restarted') };
  if (position.number > head) return { from: anew, gap: gap('unknown-position') };
  if (position.number >= log.base) return { from: position.number, gap: undefined };
  if (compact) return { from: anew, gap: log.beginsWithGap ? undefined : gap('source-lost') };
  return { from: log.base, gap: log.beginsWithGap ? undefined : gap('trimmed') };
}

/** Where a subscriber starts in a log whose events stand where their stream or key says. */
export type OwnStart =
  /** Events above this number come next; `position` is what it has, undefined while not even the log knows. */
  | { readonly kind: 'at'; readonly number: number; readonly position: string | undefined; readonly gap?: Gap }
  /** It stands at a place that is not in the log: from there it is read in the stream itself, with a proof. */
  | { readonly kind: 'apart'; readonly position: StreamPosition }
  /** Where it starts has to be found in the stream. */
  | { readonly kind: 'find'; readonly replay: Replay }
  /** What the key holds now has to be read first. */
  | { readonly kind: 'ask'; readonly position: KeyPosition };

/** Where a subscriber of a stream starts, as far as the log alone can tell. */
export function startInStream(log: Log, brought: Brought, replay: Replay, numbering: Numbering): OwnStart {
  const head = numbering.last;
  if (brought.kind === 'nothing') return newcomerIn(log, replay, head);
  const position = brought.kind === 'cursor' ? positionIn(brought.cursor, log.channel) : undefined;
  if (position?.kind === 'stream') {
    // What cannot be read has to say so itself, as long as that lasts.
    const number = log.unreadable === undefined ? log.numberOf(position) : undefined;
    // At an end it is worth a look whether somebody has opened it again: the client is told that it is over.
    if (number === undefined || isAtEnd(log, position)) return { kind: 'apart', position };
    return { kind: 'at', number, position: formatPosition(position) };
  }
  const gap: Gap = { channel: log.channel, reason: 'unknown-position', after: written(position), lost: null };
  return { kind: 'at', number: head, position: log.position, gap };
}

/**
 * The value of a key that a client brings, where that is another than the newest that is known here: an older one, or
 * one that only another gateway has read yet.
 */
export function anotherValue(log: Log, brought: Brought): KeyPosition | undefined {
  const position = brought.kind === 'cursor' ? positionIn(brought.cursor, log.channel) : undefined;
  if (position?.kind !== 'key') return undefined;
  return formatPosition(position) === (log.position ?? NO_VALUE) ? undefined : position;
}

/**
 * Where a subscriber of a key starts: behind its value where it has that, before it otherwise. That is a gap only where
 * there may be another value by now, which cannot be told.
 */
export function startAtKey(log: Log, brought: Brought, numbering: Numbering): Extract<OwnStart, { kind: 'at' }> {
  const position = brought.kind === 'cursor' ? positionIn(brought.cursor, log.channel) : undefined;
  const has = position?.kind === 'key' ? formatPosition(position) : NO_VALUE;
  const current = log.position ?? NO_VALUE;
  // Who has a value is not given an older one while the newest is held back.
  const waits = log.awaited !== undefined && position?.kind === 'key';
  if (waits) return { kind: 'at', number: numbering.last, position: has };
  if (current !== has) return { kind: 'at', number: log.startOf({ kind: 'all' }), position: has };
  const reason = log.unreadable;
  const gap: Gap | undefined = reason && { channel: log.channel, reason, after: has, lost: null };
  return { kind: 'at', number: numbering.last, position: has, ...(gap && { gap }) };
}

/** The position of a key that does not exist, and of a client that has nothing of it. */
export const NO_VALUE = '~0';

/** What is all in memory need not be asked for, if nothing there is of a stream that is gone. */
function newcomerIn(log: Log, replay: Replay, head: number): OwnStart {
  if (replay.kind === 'none') {
    const end = log.unreadable === undefined ? undefined : streamPosition(log.position);
    return end === undefined ? { kind: 'at', number: head, position: log.position } : { kind: 'apart', position: end };
  }
  const number = log.startOf(replay);
  const position = log.positionAt(number);
  // Leading gaps are no part of it: what stands in front of them may be in the stream.
  const reaches = number > log.startOf({ kind: 'all' }) || position === BEGINNING;
  const inMemory = reaches && !log.hasTurned;
  return inMemory && position !== undefined ? { kind: 'at', number, position } : { kind: 'find', replay };
}

/** Whether a client has everything of a channel that has ended: a reconnect is answered that nothing comes. */
export function isPastEnd(log: Log, brought: Brought, numbering: Numbering): boolean {
  if (!log.ended || !log.nature.final || brought.kind !== 'cursor') return false;
  const position = positionIn(brought.cursor, log.channel);
  if (log.nature.own) {
    return position?.kind === 'stream' && isAtEnd(log, position);
  }
  if (position?.kind !== 'log' || position.epoch !== numbering.epoch) return false;
  return position.number >= log.head && position.number <= numbering.last;
}

function isAtEnd(log: Log, position: StreamPosition): boolean {
  return log.ended && formatPosition(position) === log.position;
}

/** What a client has of one channel. */
export function positionIn(cursor: Cursor, channel: string): Position | undefined {
  return cursor.named.get(channel) ?? cursor.main;
}

function written(position: Position | undefined): string | null {
  return position === undefined ? null : formatPosition(position);
}
