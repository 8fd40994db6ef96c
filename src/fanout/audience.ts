/**
 * An audience: everybody who follows the same channels in the same form.
 *
 * Its members at the head stand at one place in the logs, so what comes next is collected once and the same bytes are
 * written to each. Whoever has something pending falls behind and is served alone until it reaches the head again.
 * A sweep may take many visits; until it is complete nobody joins or leaves the array it goes along.
 */
import type { Log, LogReader } from '../channel/log.ts';
import type { Numbering } from '../position.ts';
import { type Form, unframe } from '../sse/framing.ts';
import type { Batch, Collector, View } from './batch.ts';
import { Behind } from './behind.ts';
import { isOvertaken, readFrom } from './standing.ts';
import type { Apart, Subscriber } from './subscriber.ts';

/** The most that is collected for one write, unless one event is larger. */
const SWEEP_BYTES = 256 * 1024;

const NOBODY: readonly Subscriber[] = [];

/** A sweep under way: what is written to everybody, and who is next. */
interface Sweep {
  readonly batch: Batch;
  readonly bytes: Buffer;
  next: number;
  readonly fell: Subscriber[];
  readonly left: Subscriber[];
}

/** How a visit to a subscriber behind went: `waits` for its socket or a sweep, `more` to write, or `joined` the head. */
export type Served = 'waits' | 'more' | 'joined';

/** What an audience needs of the fan-out. `want`: see Behind. */
export interface AudienceContext {
  readonly numbering: Numbering;
  readonly collector: Collector;
  readonly woken: (audience: Audience) => void;
  readonly want: (apart: Apart) => boolean;
}

export class Audience implements LogReader {
  readonly key: string;
  readonly logs: readonly Log[];
  readonly #form: Form;
  readonly view: View;
  readonly #collector: Collector;
  readonly #woken: (audience: Audience) => void;
  readonly #members: Subscriber[] = [];
  readonly #behind = new Set<Subscriber>();
  readonly #serving: Behind;
  /** Of those behind, who has a channel given from elsewhere: whatever is new in the others is theirs at once. */
  readonly #parted = new Set<Subscriber>();
  /** Behind, but waiting for nothing except the end of a sweep. */
  #joining: Subscriber[] = [];
  #sweep: Sweep | undefined;
  /** Members whose streams are to be ended. */
  #toEnd: Subscriber[] = [];
  #head = 0;
  /** What members have of logs whose events have positions of their own. */
  #positions = new Map<Log, string | undefined>();
  /** It stands in a line to be swept. */
  queued = false;
  /** Subscribers that hold it, those still opening included. */
  holders = 0;

  constructor(key: string, logs: readonly Log[], shown: { form: Form; view: View }, context: AudienceContext) {
    this.key = key;
    this.logs = logs;
    this.#form = shown.form;
    this.view = shown.view;
    this.#collector = context.collector;
    this.#woken = context.woken;
    const { numbering, want } = context;
    this.#serving = new Behind({ logs, view: shown.view, numbering, want });
  }

  /** Begins to read its logs. */
  open(): void {
    for (const log of this.logs) log.readers.add(this);
  }

  /** Stops reading its logs. */
  close(): void {
    for (const log of this.logs) log.readers.delete(this);
  }

  wake(): void {
    if (!this.queued && this.#members.length + this.#joining.length + this.#parted.size > 0) this.#woken(this);
  }

  keenFloor(): number {
    return this.#lowest((subscriber) => subscriber.outlet.pending === 0);
  }

  floor(): number {
    return this.#lowest(() => true);
  }

  /** Takes in a subscriber that stands somewhere in the past or at the head; `serve` brings it on. */
  enter(subscriber: Subscriber): void {
    subscriber.place = 'behind';
    this.#behind.add(subscriber);
  }

  /** Lets a subscriber go. */
  leave(subscriber: Subscriber): void {
    const { place } = subscriber;
    subscriber.place = 'gone';
    this.#parted.delete(subscriber);
    if (place === 'behind') this.#behind.delete(subscriber);
    if (place !== 'head') return;
    if (this.#sweep === undefined) this.#remove(subscriber);
    else this.#sweep.left.push(subscriber);
  }

  /** Does at most `visits` members' worth of what is next: a part of a sweep, or of ending streams that are over. */
  sweep(visits: number, now: number): { visited: number; more: boolean; joining: readonly Subscriber[]; gaps: number } {
    const sweep = this.#sweep ?? this.#begin();
    if (sweep === undefined) {
      this.#endSome(visits);
      return { visited: 0, more: this.#toEnd.length > 0, joining: this.#takeJoining(), gaps: 0 };
    }
    const until = Math.min(sweep.next + visits, this.#members.length);
    const visited = until - sweep.next;
    for (; sweep.next < until; sweep.next++) this.#visit(this.#members[sweep.next], sweep, now);
    if (sweep.next < this.#members.length) return { visited, more: true, joining: NOBODY, gaps: 0 };
    const gaps = sweep.batch.gaps * (this.#members.length - sweep.fell.length);
    this.#complete(sweep);
    const more = this.#toEnd.length > 0 || !this.#nothingBetween(this.#head, Number.POSITIVE_INFINITY);
    return { visited, more, joining: this.#takeJoining(), gaps };
  }

  /** Whether a subscriber was given everything up to `number`. */
  hasGiven(subscriber: Subscriber, number: number): boolean {
    return subscriber.place === 'head' && this.#head >= number;
  }

  /** Brings a subscriber that is behind one write further. */
  serve(subscriber: Subscriber, now: number): { served: Served; gaps: number } {
    if (subscriber.outlet.pending > 0) {
      subscriber.outlet.whenDrained();
      return { served: 'waits', gaps: 0 };
    }
    const advanced = this.#serving.advance(subscriber, this.#head, now);
    if (subscriber.apart === undefined) this.#parted.delete(subscriber);
    else this.#attendTo(subscriber);
    if (advanced.kind === 'more') return { served: 'more', gaps: advanced.gaps };
    return { served: advanced.kind === 'waits' ? 'waits' : this.#join(subscriber), gaps: 0 };
  }

  #attendTo(subscriber: Subscriber): void {
    if (this.#parted.has(subscriber)) return;
    this.#parted.add(subscriber);
    for (const log of this.logs) log.attend();
  }

  #begin(): Sweep | undefined {
    if (this.#members.length === 0) return undefined;
    if (this.#mustDemote()) {
      this.#demote();
      return undefined;
    }
    const idAt = this.#serving.idsFrom(this.#head, this.#positions);
    const upTo = Number.MAX_SAFE_INTEGER;
    const after = (log: Log): number => readFrom(log, this.#head, this.#positions.get(log));
    const wanted = { after, upTo, bytes: SWEEP_BYTES, view: this.view, ...(idAt && { idAt }) };
    const batch = this.#collector.collect(this.logs, wanted);
    if (batch === undefined) {
      // What there is, members have already.
      this.#head = Math.max(this.#head, ...this.logs.map((log) => log.head));
      return undefined;
    }
    const bytes = this.#form === 'plain' ? unframe(batch.frames) : batch.frames;
    this.#sweep = { batch, bytes, next: 0, fell: [], left: [] };
    return this.#sweep;
  }

  /** A log alone says itself what its members lost, unless it is a stream, of which nothing is lost. */
  #mustDemote(): boolean {
    return this.logs.some((log) => isOvertaken(log, this.#head) && (log.nature.own || this.logs.length > 1));
  }

  /** Members that one of several logs has overtaken stand in each at another place: from here on they are served alone. */
  #demote(): void {
    for (const member of this.#members) {
      this.#fallBehind(member);
      this.#joining.push(member);
    }
    this.#members.length = 0;
  }

  /** Ends streams of members for whom every channel has ended, a part at a time. */
  #endSome(visits: number): void {
    if (!this.#over()) this.#toEnd = []; // a channel was opened again meanwhile
    for (let left = visits; left > 0; left--) {
      const member = this.#toEnd.pop();
      if (member === undefined) return;
      if (member.place !== 'head') continue;
      this.#remove(member);
      member.place = 'gone';
      member.outlet.end('ended');
    }
  }

  #visit(member: Subscriber | undefined, sweep: Sweep, now: number): void {
    if (member === undefined || member.place !== 'head') return;
    if (member.outlet.pending > 0) {
      sweep.fell.push(member);
      return;
    }
    member.outlet.writeFormed(sweep.bytes);
    member.lastWrite = now;
  }

  #complete(sweep: Sweep): void {
    this.#sweep = undefined;
    for (const subscriber of sweep.left) this.#remove(subscriber);
    for (const subscriber of sweep.fell) {
      if (subscriber.place !== 'head') continue;
      this.#remove(subscriber);
      this.#fallBehind(subscriber);
      subscriber.outlet.whenDrained();
    }
    this.#serving.advancePositions(this.#positions, this.#head, sweep.batch.upTo);
    this.#head = sweep.batch.upTo;
    if (this.#over()) this.#toEnd = this.#members.filter((member) => this.#isOverFor(member));
  }

  #fallBehind(member: Subscriber): void {
    member.cursor = this.#head;
    member.positions = this.#serving.positionsAt(this.#head, this.#positions);
    this.enter(member);
  }

  #takeJoining(): readonly Subscriber[] {
    if (this.#joining.length + this.#parted.size === 0) return NOBODY;
    const joining = [...this.#joining, ...this.#parted];
    this.#joining = [];
    return joining.filter((subscriber) => subscriber.place === 'behind');
  }

  /** Joins at the head, which is one tick: nothing is appended between the last of the past and the array. */
  #join(subscriber: Subscriber): Served {
    const free = this.#members.length === 0 || this.#nothingBetween(this.#head, subscriber.cursor);
    if (this.#sweep === undefined && subscriber.cursor > this.#head && free) this.#head = subscriber.cursor;
    if (this.#sweep !== undefined || subscriber.cursor !== this.#head || !this.#hasTheSame(subscriber)) {
      this.#joining.push(subscriber);
      this.wake();
      return 'waits';
    }
    this.#behind.delete(subscriber);
    if (this.#members.length === 0) this.#positions = subscriber.positions ?? new Map();
    subscriber.positions = undefined;
    subscriber.place = 'head';
    subscriber.index = this.#members.push(subscriber) - 1;
    for (const log of this.logs) log.attend();
    if (this.#over() && this.#isOverFor(subscriber)) this.#toEnd.push(subscriber);
    if (this.#toEnd.length > 0 || !this.#nothingBetween(this.#head, Number.POSITIVE_INFINITY)) this.wake();
    return 'joined';
  }

  /** Of keys members may have a value that another has replaced meanwhile: who was not given it waits for the other. */
  #hasTheSame({ positions }: Subscriber): boolean {
    if (this.#members.length === 0 || positions === undefined) return true;
    return [...positions].every(([log, has]) => log.nature.compact === undefined || this.#positions.get(log) === has);
  }

  /** Whether these ends close this stream: it was given them, or they hold for those who come later too. */
  #isOverFor(subscriber: Subscriber): boolean {
    return this.logs.every((log) => log.nature.final || log.head > subscriber.from);
  }

  /** Whether every channel has ended, and the head is past that. */
  #over(): boolean {
    return this.logs.every((log) => log.ended && log.head <= this.#head);
  }

  #nothingBetween(after: number, upTo: number): boolean {
    return this.logs.every((log) => {
      if (log.head <= after) return true;
      const next = log.at(log.indexAfter(after));
      return (next === undefined || next.number > upTo) && !isOvertaken(log, after);
    });
  }

  #lowest(counts: (subscriber: Subscriber) => boolean): number {
    let floor = this.#members.length > 0 ? this.#head : Number.POSITIVE_INFINITY;
    for (const subscriber of this.#behind) if (counts(subscriber)) floor = Math.min(floor, subscriber.floor);
    return floor;
  }

  #remove(subscriber: Subscriber): void {
    const last = this.#members.pop();
    if (last === undefined || last === subscriber) return;
    this.#members[subscriber.index] = last;
    last.index = subscriber.index;
  }
}
