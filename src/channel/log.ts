/**
 * A channel's log: its events in order, encoded once, numbered by the process's one counter.
 *
 * It has two borders. `base` is the end of what history has dropped: whoever stands at or above it can resume.
 * `dropped` is the end of what is gone altogether: between the two stand events that only connected subscribers
 * still need (the window). `dropped <= base` always.
 */
import type { Gap, GapReason, Message } from '../event.ts';
import type { Numbering, Replay, StreamPosition } from '../position.ts';
import { measure, type WireEvent } from '../sse/encode.ts';
import { beginningOf } from './beginning.ts';
import { Entries, type Entry } from './entries.ts';
import type { Held, HistoryLimits } from './history.ts';
import { type EndReason, MEMORY_LOG, type Nature, type Standing } from './nature.ts';
import { Newest } from './newest.ts';
import { Overtaken } from './overtaken.ts';
import { frameAt, numberOf } from './places.ts';
import { alone, SlabWriter } from './slab.ts';

/** Who reads a log as it grows. */
export interface LogReader {
  /** Something was appended. Must not append or change readers. */
  wake(): void;
  /** The number up to which everything was read; `Infinity` where nothing is waited for. */
  floor(): number;
  /** The same of those alone who could take more: what they have not read yet is not their fault. */
  keenFloor(): number;
}

/** What a log needs of the process. */
export interface LogContext {
  readonly numbering: Numbering;
  readonly held: Held;
  now(): number;
}

export class Log {
  readonly channel: string;
  readonly nature: Nature;
  readonly readers = new Set<LogReader>();
  /** Why what stands in its stream or key now cannot be told, as the gap behind the newest event says; undefined where it can. */
  unreadable: GapReason | undefined;
  /** The newest value of a key stands here, which the channel's rate holds back; undefined where nothing is held. */
  awaited: string | undefined;
  #limits: HistoryLimits;
  readonly #context: LogContext;
  readonly #entries: Entries;
  readonly #slabs = new SlabWriter();
  readonly #overtaken = new Overtaken();
  #ended: EndReason | undefined;
  #beganBare = false;
  /** Where the head stood when it was last looked whether the log rests, and the base when it was packed. */
  #restedAt = -1;
  #packedAt = -1;
  #woken = false;
  #base: number;
  #dropped = 0;
  /** Where in its stream or key a reader stands that was given all that is dropped; at first where the log begins. */
  #droppedPosition: string | undefined;
  /** The number of the last gap at which a reader was moved back, or to a stream that began anew. */
  #turnedAt = -1;
  /** What a compacted log holds. */
  readonly #newest: Newest | undefined;
  /** Where the log began: nothing of this channel was heard before. */
  #origin: number;

  /** `base` is the number that a cursor must have reached for this log to prove what came after it. */
  constructor(channel: string, limits: HistoryLimits, base: number, context: LogContext, nature = MEMORY_LOG) {
    this.nature = nature;
    this.#newest = nature.compact === undefined ? undefined : new Newest(nature.compact);
    this.channel = channel;
    this.#limits = limits;
    this.#context = context;
    this.#entries = new Entries(context.held);
    this.#base = base;
    this.#origin = base;
  }

  /** Keeps this much from now on. */
  limit(limits: HistoryLimits): void {
    this.#limits = limits;
    this.trim();
  }

  /** Moves the beginning of a log in which nothing stands yet: what came before `number` was not heard. */
  beginAt(number: number): void {
    if (this.#entries.newest !== undefined) return;
    this.#base = number;
    this.#origin = number;
  }

  /** Says where in its stream or key a log begins that knows of no place yet, and what ended it there. */
  beginsAt(position: string, ended: EndReason | undefined, bare = false): void {
    if (this.position !== undefined) return;
    // What was told before anything was known of the stream has no place in it.
    for (let told = this.newest; told !== undefined; ) told = this.#entries.remove(told.number) && this.newest;
    this.#droppedPosition = position;
    this.#ended = ended;
    this.#beganBare = bare;
  }

  /** Whether the newest entry of its stream is an end and nothing else. */
  get endsBare(): boolean {
    const { newest } = this;
    if (newest === undefined) return this.#beganBare;
    return newest.kind === 'end' && this.#ended === 'ended' && this.positionAt(newest.number - 1) !== newest.position;
  }

  /** Where the newest event stands in its stream or key; undefined while that is not known, and in other logs. */
  get position(): string | undefined {
    return this.#entries.newest?.position ?? this.#droppedPosition;
  }

  /** Where a reader stands that was given everything up to `number`; undefined where that is dropped. */
  positionAt(number: number): string | undefined {
    if (number < this.#dropped) return undefined;
    return this.#entries.at(this.#entries.indexAfter(number) - 1)?.position ?? this.#droppedPosition;
  }

  /**
   * The number of a place in a stream, from which a newcomer can go on here; undefined where it is not within history.
   * `pastEnd`: it was told of an end there.
   */
  numberOf(position: StreamPosition, pastEnd = false): number | undefined {
    const beginning = { number: this.#base, position: this.positionAt(this.#base) };
    return numberOf(this.#entries, position, beginning, pastEnd);
  }

  /** The frame of the event with this position, such as `1-0`; undefined where history has none. */
  kept(position: string): Buffer | undefined {
    return frameAt(this.#entries, position, this.#base);
  }

  /** What the newest event is; undefined where nothing is kept. */
  get newest(): Entry | undefined {
    return this.#entries.newest;
  }

  /** The last number that history dropped. */
  get base(): number {
    return this.#base;
  }

  /** The number of the last event that is gone for everybody; 0 before the first. */
  get dropped(): number {
    return this.#dropped;
  }

  /** The number of the newest event; `base` where there is none. */
  get head(): number {
    return this.#entries.newest?.number ?? this.#base;
  }

  /** Whether the first that was ever put here is a gap and still stands: it tells whoever comes from before. */
  get beginsWithGap(): boolean {
    return this.#base === this.#origin && this.#entries.oldest?.kind === 'gap';
  }

  /** Whether the newest event is an end: nothing comes until somebody publishes again. */
  get ended(): boolean {
    return this.#ended !== undefined;
  }

  /** Why it has ended; undefined where it has not. */
  get endReason(): EndReason | undefined {
    return this.#ended;
  }

  /** Events within history. */
  get size(): number {
    return this.#entries.size;
  }

  /** Bytes on the wire of events within history. */
  get bytes(): number {
    return this.#entries.historyBytes;
  }

  /** Memory of events beyond history that some connected reader has not passed, in bytes, as far as was looked. */
  get windowBytes(): number {
    return this.#entries.windowBytes;
  }

  /** Events within history of the last minute, a second. */
  get rate(): number {
    return this.#entries.rateAt(this.#context.now());
  }

  /** Appends a message: its data as an event, its end as one of its own. Gives the number of the last. */
  append(message: Message, standing: Standing = {}): number {
    const { data, type, end } = message;
    let number = this.head;
    if (data !== undefined) number = this.#append('event', (id) => ({ type, data, id }), standing, message.id);
    if (end === true) number = this.appendEnd('ended', { position: standing.position });
    return number;
  }

  /** Appends the end of the channel. A later message opens it again. */
  appendEnd(reason: EndReason, standing: Standing = {}): number {
    const number = this.#appendNotice('end', { channel: this.channel, reason }, standing);
    this.#ended = reason;
    return number;
  }

  /** Appends that the watched key is gone. */
  appendDeleted(standing: Standing): number {
    return this.#appendNotice('deleted', { channel: this.channel }, standing);
  }

  /**
   * Appends a gap, which has a number and so a place of its own: it is replayed like any event. `position`: what a
   * reader goes on from, where it is moved.
   */
  appendGap(reason: GapReason, lost: number | null, position?: string): number {
    const text = (): string | null => (this.head === this.#origin ? null : this.#context.numbering.text(this.head));
    const after = this.nature.own ? (this.position ?? null) : text();
    const gap: Gap = { channel: this.channel, reason, after, lost };
    const number = this.#appendNotice('gap', gap, { position: position ?? this.position });
    if (reason === 'reset' || reason === 'rolled-back') this.#turnedAt = number;
    return number;
  }

  /** Takes a gap back that turned out to be none, from whoever has not read it yet. */
  withdraw(number: number): void {
    this.#entries.remove(number);
  }

  /** Whether history holds a place where the stream began anew or went another way: what is before it is no part of it. */
  get hasTurned(): boolean {
    return this.#turnedAt > this.#base;
  }

  /** Index of the first kept event above `number`; use with `at`. */
  indexAfter(number: number): number {
    return this.#entries.indexAfter(number);
  }

  /** The event at an index of `indexAfter` or one counted on from it; undefined behind the newest. */
  at(index: number): Entry | undefined {
    return this.#entries.at(index);
  }

  /** Where a newcomer starts who is to get this much of what is kept: the number before the first of it. */
  startOf(replay: Replay): number {
    const { numbering, now } = this.#context;
    if (replay.kind === 'none') return numbering.last;
    const skipsGaps = this.nature.compact !== undefined || this.nature.own;
    return beginningOf(this.#entries, replay, { base: this.#base, now: now(), skipsGaps });
  }

  /** The number of the one event of history with this publisher's id; undefined where there is none, or more. */
  numberOfId(id: string): number | undefined {
    return this.#entries.withId(id)?.number;
  }

  /** How many events a reader at `number` was not given before they were dropped; null where that is not known. */
  lostAfter(number: number): number | null {
    return this.#overtaken.countAfter(number);
  }

  /** Readers have read, or a new one has come: the next append wakes them. */
  attend(): void {
    this.#woken = false;
  }

  /** Whether `trim` has anything to do but to look at the age of history. */
  get untrimmed(): boolean {
    return this.#woken || this.#entries.oldestInWindow !== undefined || !this.#overtaken.empty;
  }

  /** Lets go of what is beyond history, and of what no connected reader waits for. Costs little where nothing changed. */
  trim(): void {
    this.#woken = false;
    this.#advanceHistory();
    if (this.#entries.oldestInWindow === undefined && this.#overtaken.empty) return;
    const floor = this.#lowest((reader) => reader.floor());
    this.#overtaken.passed(floor);
    for (let oldest = this.#entries.oldestInWindow; oldest !== undefined && oldest.number <= floor; ) {
      this.#drop(oldest);
      oldest = this.#entries.oldestInWindow;
    }
  }

  /**
   * Lets go of the oldest beyond history until at most `window` bytes are left: readers behind them get a gap.
   * `sparing` lets those alone who could take more, whose turn has only not come yet.
   */
  overtake(window: number, sparing: boolean): void {
    this.trim();
    const upTo = sparing ? this.#lowest((reader) => reader.keenFloor()) : Number.POSITIVE_INFINITY;
    while (this.#entries.windowBytes > window) {
      const oldest = this.#entries.oldestInWindow;
      if (oldest === undefined || oldest.number > upTo) return;
      if (oldest.kind === 'gap') this.#overtaken.unknownAt(oldest.number);
      else this.#overtaken.add(oldest.number);
      this.#drop(oldest);
    }
  }

  /** Frees memory that is only kept for events to come, where none have come since the last call. */
  rest(): void {
    if (this.#packedAt === this.#base) return;
    const rested = this.#restedAt === this.head;
    this.#restedAt = this.head;
    if (!rested) return;
    this.#slabs.release();
    this.#entries.pack();
    this.#packedAt = this.#base;
  }

  /** Empties history, keeping what connected readers still need. A compacted log is its channel's state, and stays. */
  forget(): void {
    if (this.nature.compact !== undefined) return;
    for (let oldest = this.#entries.oldest; oldest !== undefined; oldest = this.#entries.oldest) this.#pass(oldest);
    this.trim();
  }

  /** Empties a log that nobody reads any more. */
  discard(): void {
    for (let oldest = this.#entries.oldest; oldest !== undefined; oldest = this.#entries.oldest) this.#pass(oldest);
    this.#newest?.clear();
    for (let old = this.#entries.oldestInWindow; old !== undefined; old = this.#entries.oldestInWindow) this.#drop(old);
  }

  #appendNotice(kind: 'gap' | 'end' | 'deleted', data: object, standing: Standing): number {
    const wire = (id: string | undefined): WireEvent => {
      return { type: `gateway.${kind}`, data: Buffer.from(JSON.stringify(data)), id };
    };
    return this.#append(kind, wire, standing, undefined);
  }

  #append(
    kind: Entry['kind'],
    event: (id: string | undefined) => WireEvent,
    { position, key }: Standing,
    publisherId: string | undefined,
  ): number {
    const number = this.#context.numbering.next();
    const { own, compact } = this.nature;
    const wire = event(own ? position : this.#context.numbering.text(number));
    const measured = measure(wire);
    const live = compact === undefined ? this.#entries.historyBytes + this.#entries.windowBytes : 0;
    const { bytes, start, end } = compact === undefined ? this.#slabs.write(measured, live) : alone(measured);
    const at = this.#context.now();
    for (const gone of this.#newest?.put(key ?? kind, number, kind === 'event') ?? []) this.#takeOut(gone);
    this.#entries.push({ number, at, bytes, start, end, kind, type: wire.type, id: publisherId, position });
    this.#ended = undefined;
    this.#packedAt = -1;
    this.#advanceHistory();
    if (this.readers.size === 0) this.trim();
    this.#wake();
    return number;
  }

  #takeOut(number: number): void {
    const entry = this.#entries.remove(number);
    if (entry === undefined || entry.number < this.#dropped) return;
    this.#dropped = entry.number;
    this.#droppedPosition = entry.position;
  }

  /** Readers are woken by the first append after they have read: ten thousand of them would be slow to wake by each. */
  #wake(): void {
    if (this.#woken) return;
    this.#woken = true;
    for (const reader of this.readers) reader.wake();
  }

  #lowest(floorOf: (reader: LogReader) => number): number {
    let floor = Number.POSITIVE_INFINITY;
    for (const reader of this.readers) floor = Math.min(floor, floorOf(reader));
    return floor;
  }

  #advanceHistory(): void {
    const { events, bytes, age } = this.#limits;
    const oldestAt = this.#context.now() - age;
    if (this.nature.compact !== undefined) {
      this.#advanceCompacted(oldestAt);
      return;
    }
    for (let oldest = this.#entries.oldest; oldest !== undefined; oldest = this.#entries.oldest) {
      if (this.size <= events && this.bytes <= bytes && oldest.at >= oldestAt) return;
      this.#pass(oldest);
    }
  }

  /** State does not age while somebody may ask for it; in memory nobody else has it, so it lives as long as a history. */
  #advanceCompacted(oldestAt: number): void {
    const { newest } = this.#entries;
    if (newest === undefined) return;
    const forgotten = this.nature.final && !this.nature.own && this.readers.size === 0 && newest.at < oldestAt;
    if (forgotten) this.discard();
    while (this.bytes > this.#limits.bytes && this.size > 1) {
      for (const gone of this.#newest?.takeOldest() ?? []) this.#takeOut(gone);
    }
  }

  #pass(oldest: Entry): void {
    this.#base = oldest.number;
    this.#entries.passOldest();
  }

  #drop(oldest: Entry): void {
    this.#dropped = oldest.number;
    this.#droppedPosition = oldest.position ?? this.#droppedPosition;
    this.#entries.dropOldest();
  }
}
