/** A batch: what comes next in a set of logs, merged by number into bytes that every subscriber at that place shares. */
import type { Entry } from '../channel/entries.ts';
import type { Log } from '../channel/log.ts';
import { parseCursor } from '../cursor.ts';
import type { Gap } from '../event.ts';
import type { Numbering } from '../position.ts';
import { dataOf, encodeEvent, encodeNotice, withId } from '../sse/encode.ts';
import { isOvertaken } from './standing.ts';

/** Whole frames, the number up to which everything is in them, and how many gaps they announce. */
export interface Batch {
  readonly frames: Buffer;
  readonly upTo: number;
  readonly gaps: number;
}

/**
 * How events are shown to an audience. `shared`: as they stand in the log. `enveloped`: data as JSON that names channel,
 * type and publisher's id. `publisher-ids`: the publisher's id as the SSE id, where it cannot be mistaken for a cursor.
 */
export type View = 'shared' | 'enveloped' | 'publisher-ids';

/** What to collect: events above `after` (of each log), up to and with `upTo`, at most `bytes` unless one is larger. */
export interface Wanted {
  readonly after: (log: Log) => number;
  readonly upTo: number;
  readonly bytes: number;
  readonly view: View;
  /** Where given, the id for each event in place of its own. */
  readonly idAt?: (number: number) => string;
}

/** A range of whole frames. */
type Piece = Pick<Entry, 'bytes' | 'start' | 'end'>;

/** One log's next thing: an event, or the gap where events were dropped that the reader had not passed. */
interface Next {
  readonly log: Log;
  index: number;
  number: number;
  gapAfter: number | undefined;
}

/** Collects a batch; undefined where there is nothing. */
export function collect(logs: readonly Log[], wanted: Wanted, numbering: Numbering): Batch | undefined {
  const line: Next[] = [];
  for (const log of logs) {
    const after = wanted.after(log);
    if (log.head <= after) continue;
    const next = firstOf(log, after);
    if (next.number <= wanted.upTo) line.push(next);
  }
  if (line.length === 0) return undefined;
  const run = new Run();
  let upTo = 0;
  let gaps = 0;
  for (let next = earliest(line); next !== undefined && next.number <= wanted.upTo; next = earliest(line)) {
    const piece = pieceOf(next, numbering, wanted);
    if (run.size > 0 && run.size + piece.end - piece.start > wanted.bytes) break;
    run.add(piece.bytes, piece.start, piece.end);
    upTo = next.number;
    if (next.gapAfter !== undefined) gaps += 1;
    advance(next);
  }
  return run.size === 0 ? undefined : { frames: run.bytes(), upTo, gaps };
}

/**
 * Collects for one audience after another. Ten thousand that follow a channel of their own and one that all share stand
 * at one place of the log with news: they share one batch, and one Buffer, as if they were one audience.
 */
export class Collector {
  readonly #numbering: Numbering;
  #shared: { readonly log: Log; readonly first: Entry; readonly last: Entry; readonly batch: Batch } | undefined;

  constructor(numbering: Numbering) {
    this.#numbering = numbering;
  }

  /** As `collect`. The same log, first and newest event mean the same batch until `forget`. */
  collect(logs: readonly Log[], wanted: Wanted): Batch | undefined {
    const log = onlyNews(logs, wanted);
    if (log === undefined) return collect(logs, wanted, this.#numbering);
    const [first, last] = [log.at(log.indexAfter(wanted.after(log))), log.newest];
    const known = this.#shared;
    if (known?.log === log && known.first === first && known.last === last) return known.batch;
    const batch = collect([log], wanted, this.#numbering);
    if (first !== undefined && last !== undefined && batch !== undefined) this.#shared = { log, first, last, batch };
    return batch;
  }

  /** To be called before a log may change otherwise than by growing. */
  forget(): void {
    this.#shared = undefined;
  }
}

/** The log that alone has something new, as it stands there for all; undefined where there are several, or none. */
function onlyNews(logs: readonly Log[], { after, view, idAt }: Wanted): Log | undefined {
  if (view !== 'shared' || idAt !== undefined) return undefined;
  let only: Log | undefined;
  for (const log of logs) {
    const from = after(log);
    if (log.head <= from) continue;
    if (only !== undefined || isOvertaken(log, from)) return undefined;
    only = log;
  }
  return only;
}

/** This is where `too-slow` is decided: the log has dropped what the reader had not passed. */
function firstOf(log: Log, after: number): Next {
  const overtaken = isOvertaken(log, after);
  const index = log.indexAfter(after);
  const number = overtaken ? log.dropped : numberAt(log, index);
  return { log, index, number, gapAfter: overtaken ? after : undefined };
}

function advance(next: Next): void {
  if (next.gapAfter === undefined) next.index += 1;
  next.gapAfter = undefined;
  next.number = numberAt(next.log, next.index);
}

function numberAt(log: Log, index: number): number {
  return log.at(index)?.number ?? Number.POSITIVE_INFINITY;
}

function earliest(line: readonly Next[]): Next | undefined {
  let found = line[0];
  for (const next of line) if (found === undefined || next.number < found.number) found = next;
  return found;
}

function pieceOf(next: Next, numbering: Numbering, wanted: Wanted): Piece {
  const { log, number, gapAfter } = next;
  const entry = log.at(next.index);
  if (gapAfter === undefined && entry !== undefined) return viewOf(log, entry, numbering, wanted);
  const after = gapAfter ?? 0;
  const lost = log.lostAfter(after);
  const gap: Gap = { channel: log.channel, reason: 'too-slow', after: numbering.text(after), lost };
  return whole(encodeNotice('gateway.gap', gap, wanted.idAt?.(number) ?? numbering.text(number)));
}

function viewOf(log: Log, entry: Entry, numbering: Numbering, { view, idAt }: Wanted): Piece {
  if (view === 'shared' && idAt === undefined) return entry;
  const frame = entry.bytes.subarray(entry.start, entry.end);
  const id = idAt?.(entry.number) ?? entry.position ?? numbering.text(entry.number);
  if (view === 'enveloped' && entry.kind === 'event') {
    const event = entry.type ?? 'message';
    const data = JSON.stringify({ channel: log.channel, event, id: entry.id ?? null, data: dataOf(frame) });
    return whole(encodeEvent({ type: event, data: Buffer.from(data), id }));
  }
  const own = view === 'publisher-ids' && entry.id !== undefined && fitsAsId(entry.id);
  return whole(withId(frame, own ? entry.id : id));
}

/** Visible ASCII comes back in a header as it was sent; what reads as a cursor would be taken for one. */
function fitsAsId(id: string): boolean {
  return /^[\x21-\x7e]+$/.test(id) && parseCursor(id) === undefined;
}

function whole(bytes: Buffer): Piece {
  return { bytes, start: 0, end: bytes.length };
}

/** Pieces that follow each other in one slab become one; only what is scattered is copied together. */
class Run {
  size = 0;
  readonly #pieces: Buffer[] = [];
  #slab: Buffer | undefined;
  #start = 0;
  #end = 0;

  add(slab: Buffer, start: number, end: number): void {
    this.size += end - start;
    if (slab === this.#slab && start === this.#end) {
      this.#end = end;
      return;
    }
    this.#close();
    this.#slab = slab;
    this.#start = start;
    this.#end = end;
  }

  bytes(): Buffer {
    this.#close();
    const [first = Buffer.alloc(0)] = this.#pieces;
    return this.#pieces.length === 1 ? first : Buffer.concat(this.#pieces);
  }

  #close(): void {
    if (this.#slab !== undefined) this.#pieces.push(this.#slab.subarray(this.#start, this.#end));
    this.#slab = undefined;
  }
}
