/** A client that knows what was published, and checks that nothing is lost or repeated unless a gap says so at that place. */

import assert from 'node:assert/strict';
import { type Cursor, parseCursor } from '../../src/cursor.ts';
import type { Replay } from '../../src/position.ts';
import { type GapData, gapData, isPublished, openData, parseObject } from './gateway-events.ts';
import type { Ledger, Published } from './ledger.ts';
import type { ReceivedEvent } from './sse-reader.ts';

/** What a witness must know of the gateway to judge it. */
export interface Judged {
  readonly ledger: Ledger;
  readonly epoch: string;
  /** The number given out last when the stream was asked for. */
  readonly head: number;
  /** Where the logs began: what was heard before, nobody can be given any more. */
  readonly began: ReadonlyMap<string, number>;
  /** The bases of the logs then. */
  readonly bases: ReadonlyMap<string, number>;
  /** What was asked for where nothing is brought. */
  readonly replay: Replay;
  readonly enveloped: boolean;
  /** The channels are those of a source: they may open later, and prove less. */
  readonly fromSource: boolean;
  /** The number of the last event of a channel that is gone for everybody. */
  dropped(channel: string): number;
}

/** An id that came, and the channels of which something was missing then that no gap had told of yet. */
export interface Seen {
  readonly id: string;
  readonly owed: readonly string[];
}

export class Witness {
  /** Every id that came, in order. */
  readonly seen: Seen[] = [];
  /** Gaps that came in the running stream. */
  readonly gaps: GapData[] = [];
  readonly #judged: Judged;
  readonly #resumes: boolean;
  /** Up to which number each channel is accounted for; undefined until the stream says where it starts. */
  readonly #at = new Map<string, number | undefined>();
  /** The reason of the gap that must be announced for a channel before the stream opens, and those that were. */
  readonly #expected = new Map<string, string>();
  readonly #announced = new Map<string, string>();
  /** Where the client stood in channels that go on elsewhere without a gap before the stream opened. */
  readonly #stoodAt = new Map<string, number>();
  /** Channels of which a gap must come before anything else. */
  readonly #owed: Set<string>;
  #opened = false;
  #newest = 0;
  #last: Cursor | undefined;

  constructor(channels: readonly string[], brought: Seen | undefined, judged: Judged) {
    this.#judged = judged;
    this.#resumes = brought !== undefined;
    this.#owed = new Set(brought?.owed.filter((channel) => channels.includes(channel)));
    const cursor = brought === undefined ? undefined : parseCursor(brought.id);
    for (const channel of channels) this.#bring(channel, cursor);
  }

  /** Whether all that was published has come. */
  get complete(): boolean {
    const { ledger } = this.#judged;
    return this.#opened && [...this.#at].every(([channel, at = 0]) => ledger.next(channel, at) === undefined);
  }

  /** Whether the last that came of every channel is its end. */
  get over(): boolean {
    const { ledger } = this.#judged;
    return this.#opened && [...this.#at].every(([channel, at = 0]) => ledger.last(channel, at)?.kind === 'end');
  }

  /** Takes the next event of the stream. Throws at everything that no client should see. */
  see(event: ReceivedEvent): void {
    const cursor = event.id === undefined ? undefined : readable(event.id);
    if (!this.#opened && event.type === 'gateway.gap') this.#seeEarlyGap(gapData(event), cursor);
    else if (!this.#opened) this.#seeOpen(event, cursor);
    else if (event.type === 'gateway.gap') this.#seeGap(gapData(event), cursor);
    else if (event.type === 'gateway.end') this.#seeEnd(event, cursor);
    else this.#seeEvent(event, cursor);
    if (cursor !== undefined) this.#checkId(cursor);
    if (cursor !== undefined && event.id !== undefined) this.seen.push({ id: event.id, owed: this.#owing(cursor) });
  }

  #bring(channel: string, cursor: Cursor | undefined): void {
    const { epoch, head } = this.#judged;
    this.#at.set(channel, undefined);
    if (!this.#resumes) return;
    const position = cursor?.named.get(channel) ?? cursor?.main;
    if (position?.kind !== 'log') this.#expected.set(channel, 'unknown-position');
    else if (position.epoch !== epoch) this.#expected.set(channel, 'restarted');
    else if (position.number > head) this.#expected.set(channel, 'unknown-position');
    else this.#at.set(channel, position.number);
  }

  #seeEarlyGap({ channel, reason }: GapData, cursor: Cursor | undefined): void {
    assert.equal(cursor, undefined, 'a gap before gateway.open has an id');
    assert.ok(this.#at.has(channel) && !this.#announced.has(channel), `a gap of ${channel} for nothing`);
    if (reason !== 'trimmed') assert.equal(reason, this.#expected.get(channel));
    this.#announced.set(channel, reason);
    this.#owed.delete(channel);
  }

  #seeOpen(event: ReceivedEvent, cursor: Cursor | undefined): void {
    const { channels, resumed, pending } = openData(event);
    assert.deepEqual([...channels].sort(), [...this.#at.keys()].sort());
    assert.equal(resumed, this.#resumes && this.#announced.size === 0 && pending.length === 0);
    const { head, fromSource, replay } = this.#judged;
    const late = fromSource && (this.#resumes || replay.kind === 'none');
    for (const [channel, reason] of this.#expected) assert.equal(this.#announced.get(channel), reason);
    for (const [channel, at] of this.#at) {
      const start = this.#numberIn(cursor, channel);
      if (at !== undefined) this.#checkResumed(channel, at, start);
      else if (late) assert.ok(start >= head, `${channel} starts before it was asked for`);
      else if (this.#resumes) assert.equal(start, head, `${channel} does not start at the head`);
      else if (!fromSource) this.#checkReplay(channel, start);
      this.#at.set(channel, start);
    }
    this.#opened = true;
  }

  #checkResumed(channel: string, brought: number, start: number): void {
    const { fromSource } = this.#judged;
    if (this.#announced.get(channel) !== 'trimmed') {
      // A log that begins with a gap tells of what was before by that.
      if (fromSource && start > brought) {
        this.#owed.add(channel);
        this.#stoodAt.set(channel, brought);
      } else assert.equal(start, brought, `${channel} does not go on where the client was`);
      return;
    }
    const lost = this.#judged.ledger.between(channel, brought, start);
    const proved = !fromSource && lost.length === 0;
    assert.ok(!proved && start > brought, `${channel} was not trimmed between ${brought} and ${start}`);
  }

  #checkReplay(channel: string, start: number): void {
    const { ledger, replay, head, bases } = this.#judged;
    const base = bases.get(channel) ?? 0;
    const events = ledger.between(channel, start, head).filter(({ kind }) => kind === 'event').length;
    assert.ok(start >= base && start <= head);
    if (replay.kind === 'none') assert.equal(start, head, `${channel} does not start at the head`);
    else if (replay.kind === 'all') assert.equal(start, base, `${channel} does not start with the oldest`);
    else if (replay.kind === 'last') assert.ok(events === replay.count || start === base, `${events} events replayed`);
  }

  /** A gap in the running stream stands for events that are gone, and its place is the last of them. */
  #seeGap(gap: GapData, cursor: Cursor | undefined): void {
    const { channel, reason } = gap;
    const at = this.#at.get(channel) ?? 0;
    const place = this.#numberIn(cursor, channel);
    const missing = this.#judged.ledger.between(channel, at, place);
    if (reason === 'source-lost') {
      assert.deepEqual(this.#kept(channel, missing), [], 'a lost link stands for events that were heard');
    } else {
      assert.equal(reason, 'too-slow');
      assert.ok(place <= this.#judged.dropped(channel), `${place} of ${channel} was not overtaken`);
      if (gap.lost !== null)
        assert.equal(missing.at(-1)?.number, place, `nothing of ${channel} is missing at ${place}`);
    }
    this.#checkClaims(gap, this.#stoodAt.get(channel) ?? at, place);
    this.#ascend(place);
    this.#at.set(channel, place);
    this.#stoodAt.delete(channel);
    this.#owed.delete(channel);
    this.gaps.push(gap);
  }

  /** What a gap says is true: everything that was heard up to `after` has come, and `lost` are missing. */
  #checkClaims({ channel, reason, after, lost }: GapData, at: number, place: number): void {
    // Where a slow reader was overtaken, so may have been the gap that told of a hole: by how much is not known then.
    const known = reason === 'too-slow' && lost === null ? 'event' : undefined;
    const missing = this.#judged.ledger.between(channel, at, place).filter(({ kind }) => (known ?? kind) === kind);
    const whole = after === null ? 0 : this.#numberIn(readable(after), channel);
    const [{ number: first } = { number: Number.POSITIVE_INFINITY }] = missing;
    assert.ok(first > whole, `${channel} is said to be whole up to ${whole}, but ${first} never came`);
    if (lost !== null) assert.equal(lost, missing.length, `another number of ${channel} is missing than the gap says`);
  }

  /** An end is an entry like any other; where a stream starts past it, it is told once more. */
  #seeEnd(event: ReceivedEvent, cursor: Cursor | undefined): void {
    const { channel, reason, ...more } = parseObject(event.data);
    assert.ok(typeof channel === 'string' && reason === 'ended');
    assert.deepEqual(more, {});
    const { ledger } = this.#judged;
    const at = this.#at.get(channel) ?? 0;
    const due = ledger.next(channel, at);
    const place = this.#numberIn(cursor, channel);
    if (due?.kind === 'end' && due.number === place) {
      this.#ascend(place);
      this.#at.set(channel, place);
      return;
    }
    assert.equal(ledger.last(channel, at)?.kind, 'end', `${channel} has not ended`);
    assert.equal(this.#newest, 0, `the end of ${channel} is told in the middle of the stream`);
  }

  #seeEvent(event: ReceivedEvent, cursor: Cursor | undefined): void {
    assert.ok(isPublished(event), event.type);
    const { ledger, enveloped } = this.#judged;
    const data = enveloped ? String(parseObject(event.data)['data']) : event.data;
    const [channel = ''] = data.split(' ', 1);
    assert.ok(!this.#owed.has(channel), `what is missing of ${channel} was not told before its next event`);
    const due = ledger.next(channel, this.#at.get(channel) ?? 0);
    assert.equal(data.slice(0, 40), due?.data.slice(0, 40), `another event of ${channel} was due`);
    assert.equal(data.length, due?.data.length);
    assert.equal(this.#numberIn(cursor, channel), due?.number);
    this.#ascend(due?.number ?? 0);
    this.#at.set(channel, due?.number ?? 0);
  }

  #ascend(number: number): void {
    assert.ok(number > this.#newest, `${number} comes after ${this.#newest}`);
    this.#newest = number;
  }

  /** Channels of which the id passes over a hole: the gap is yet to come, and comes to whoever resumes from it too. */
  #owing(cursor: Cursor): string[] {
    const { ledger } = this.#judged;
    const passed = ([channel, at = 0]: [string, number | undefined]): boolean =>
      ledger.between(channel, at, this.#numberIn(cursor, channel)).length > 0;
    return [...this.#at]
      .filter(passed)
      .map(([channel]) => channel)
      .concat(...this.#owed);
  }

  /** Whoever resumes from an id gets exactly the rest: it passes over nothing that no gap was told of, and never goes back. */
  #checkId(cursor: Cursor): void {
    for (const [channel, at = 0] of this.#at) {
      const number = this.#numberIn(cursor, channel);
      assert.ok(number >= at, `${channel} is at ${at}, its id says ${number}`);
      if (this.#last !== undefined) assert.ok(number >= this.#numberIn(this.#last, channel), `${channel} goes back`);
      const passed = this.#kept(channel, this.#judged.ledger.between(channel, at, number));
      assert.deepEqual(passed, [], `the id passes over events of ${channel}`);
    }
    this.#last = cursor;
  }

  /** What was heard since the log began. */
  #kept(channel: string, published: readonly Published[]): Published[] {
    const began = this.#judged.began.get(channel) ?? 0;
    return published.filter(({ kind, number }) => kind !== 'hole' && number > began);
  }

  #numberIn(cursor: Cursor | undefined, channel: string): number {
    const position = cursor?.named.get(channel) ?? cursor?.main;
    assert.ok(position?.kind === 'log' && position.epoch === this.#judged.epoch, `no position of ${channel}`);
    return position.number;
  }
}

function readable(id: string): Cursor {
  const cursor = parseCursor(id);
  assert.ok(cursor !== undefined, `an id that is no cursor: ${id}`);
  return cursor;
}
