/** Where a new subscriber starts in one of its channels: as far as the log can tell, and by a look into the stream. */

import {
  anotherValue,
  type Brought,
  NO_VALUE,
  type OwnStart,
  positionIn,
  startAtKey,
  startInStream,
  startOf,
} from '../channel/continuity.ts';
import type { Cancel } from '../clock.ts';
import type { Gap } from '../event.ts';
import type { Channel } from '../hub/channel.ts';
import { formatPosition, type KeyPosition, type Numbering, type Replay, type StreamPosition } from '../position.ts';
import type { Proof } from './proofs.ts';
import type { Walk } from './walk.ts';

/** A place to start. */
export interface Start {
  /** Events of the log above this number come next; where it is apart, nothing does until it joins. */
  readonly number: number;
  /** What the client has of a stream or key; undefined in other channels, and where it is not known. */
  readonly position: string | undefined;
  /** What is announced first. */
  readonly gap: Gap | undefined;
  /** Where it stands, if its log does not hold that; or what it wants of a stream that could not be looked at yet. */
  readonly apart: StreamPosition | KeyPosition | Extract<OwnStart, { kind: 'find' }> | undefined;
  /** The gap does not move it, and is not to be told again. */
  readonly stays: boolean;
}

/** What a client wants of one channel. */
export interface Wanted {
  readonly brought: Brought;
  readonly replay: Replay;
  readonly publisherIds: boolean;
}

/** Where a client starts in a channel that is confirmed, as far as the log can tell. */
export function startNow(channel: Channel, wanted: Wanted, numbering: Numbering): OwnStart {
  const { log, plan } = channel;
  const { brought, replay } = wanted;
  if (!log.nature.own) {
    const { from, gap } = startOf(log, brought, wanted, numbering);
    return { kind: 'at', number: from, position: undefined, ...(gap && { gap }) };
  }
  if (plan.feed.kind !== 'key') return startInStream(log, brought, replay, numbering);
  const another = channel.canReadAgain ? anotherValue(log, brought) : undefined;
  return another === undefined ? startAtKey(log, brought, numbering) : { kind: 'ask', position: another };
}

/** Looks a start up in the stream or key. Rejects with SourceDownError. */
export async function findStart(
  channel: Channel,
  { brought }: Wanted,
  start: OwnStart,
  context: { readonly numbering: Numbering; readonly walkOf: (channel: Channel) => Walk; waits(cancel: Cancel): void },
): Promise<Start> {
  if (start.kind === 'at') return plain(start);
  if (start.kind === 'ask') {
    await new Promise<void>((resolve) => context.waits(channel.whenRead(resolve)));
    return plain(startAtKey(channel.log, brought, context.numbering));
  }
  const walk = context.walkOf(channel);
  if (start.kind === 'find') {
    const position = await channel.startOf(start.replay);
    return placed(channel, { gap: undefined, position, stays: false, more: false });
  }
  return placed(channel, await walk.prove(start.position));
}

/** Where a client starts in a channel at the moment when its stream is opened, looked up or not. */
export function lateStart(channel: Channel, wanted: Wanted, numbering: Numbering): Start {
  const { log, plan, confirmed, refused, known } = channel;
  const brought = wanted.brought.kind === 'cursor' ? positionIn(wanted.brought.cursor, channel.name) : undefined;
  const after = brought === undefined ? null : formatPosition(brought);
  const erred: Gap = { channel: channel.name, reason: 'source-error', after, lost: null };
  const waits = log.nature.own && (!confirmed || !known);
  const { replay } = wanted;
  if (findsLater(channel, wanted)) {
    const apart = { kind: 'find', replay } as const;
    return { number: numbering.last, position: undefined, gap: refused ? erred : undefined, apart, stays: refused };
  }
  // A stream and a key prove themselves when they are there: a client's own position is kept until then.
  if (waits && brought !== undefined && brought.kind !== 'log' && brought.kind === plan.feed.kind) {
    const position = formatPosition(brought);
    return { number: numbering.last, position, gap: refused ? erred : undefined, apart: brought, stays: refused };
  }
  const start = startNow(channel, wanted, numbering);
  if (start.kind === 'ask') {
    const position = formatPosition(start.position);
    return { number: numbering.last, position, gap: undefined, apart: start.position, stays: false };
  }
  if (start.kind === 'apart') {
    return placed(channel, { gap: undefined, position: start.position, stays: false, more: false });
  }
  // It could not be looked up: that is done as soon as it can be.
  if (start.kind === 'find') {
    return { number: numbering.last, position: undefined, gap: undefined, apart: start, stays: false };
  }
  // It was said before this client came: without it there would only be silence.
  return plain(refused && start.gap === undefined ? { ...start, gap: erred } : start);
}

/** Whether what a newcomer wants of a stream that is not there yet is looked up when it is, behind a gap. */
export function findsLater({ log, plan, known }: Channel, { brought, replay }: Wanted): boolean {
  return (
    log.nature.own && plan.feed.kind === 'stream' && !known && brought.kind === 'nothing' && replay.kind !== 'none'
  );
}

function plain(start: Extract<OwnStart, { kind: 'at' }>): Start {
  return { number: start.number, position: start.position, gap: start.gap, apart: undefined, stays: false };
}

/** In the log if that holds the place and knows of what comes behind it, apart otherwise. */
function placed(channel: Channel, { gap, position: place, stays, more }: Proof): Start {
  const { log, known } = channel;
  const position = formatPosition(place);
  const number = known ? log.numberOf(place) : undefined;
  const behind = more && position === log.position;
  const here = number !== undefined && !behind && gap?.reason !== 'source-error';
  if (here) return { number, position, gap, apart: undefined, stays };
  return { number: log.head, position, gap, apart: place, stays };
}

/** Where a client that waited for a key's value goes on, now that it is known. */
export function startOfKey(channel: Channel, brought: Brought, numbering: Numbering): { number: number; has: string } {
  const start = startAtKey(channel.log, brought, numbering);
  return { number: start.number, has: start.position ?? NO_VALUE };
}
