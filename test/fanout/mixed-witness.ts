/** A client of streams, keys and logs on one connection, which hands what it is sent to the judge of each channel. */
import assert from 'node:assert/strict';
import { type Cursor, MAX_CURSOR_BYTES, parseCursor } from '../../src/cursor.ts';
import type { Position } from '../../src/position.ts';
import { gapData, isPublished, openData, parseObject } from '../support/gateway-events.ts';
import type { ReceivedEvent } from '../support/sse-reader.ts';
import type { Judge, Standing } from './standings.ts';

/** An id that came, and what its client had of each channel then. */
export interface Place {
  readonly names: readonly string[];
  readonly id: string;
  readonly standings: ReadonlyMap<string, Standing>;
}

/** Where the reading of one stream of events begins. */
export interface Witnessing {
  readonly names: readonly string[];
  readonly resumes: boolean;
  readonly enveloped: boolean;
  readonly judgeOf: (name: string) => Judge;
  /** Whether the stream may be opened without some of its channels: its source was away, or did not answer in time. */
  readonly late: () => boolean;
}

export class MixedWitness {
  /** Every id that came, in order. */
  readonly seen: Place[] = [];
  readonly #options: Witnessing;
  readonly #judges: ReadonlyMap<string, Judge>;
  #opened = false;
  #gaps = 0;

  constructor(options: Witnessing) {
    this.#options = options;
    this.#judges = new Map(options.names.map((name) => [name, options.judgeOf(name)] as const));
  }

  /** Whether all there is has come. */
  get complete(): boolean {
    return this.#opened && [...this.#judges.values()].every((judge) => judge.complete);
  }

  /** What the client has now of each channel. */
  get standings(): ReadonlyMap<string, Standing> {
    return new Map([...this.#judges].flatMap(([name, { standing }]) => (standing ? [[name, standing] as const] : [])));
  }

  /** The channels of which something is still to come. */
  get lacking(): string[] {
    return [...this.#judges].filter(([, judge]) => !judge.complete).map(([name]) => name);
  }

  /** Takes the next event of the stream. Throws at everything that no client should see. */
  see(event: ReceivedEvent): void {
    const cursor = event.id === undefined ? undefined : readable(event.id);
    if (!this.#opened) this.#seeOpening(event, cursor);
    else {
      assert.ok(cursor !== undefined, 'an event without an id');
      const name = this.#take(event, cursor);
      for (const [other, judge] of this.#judges) if (other !== name) judge.look(this.#positionIn(cursor, other));
    }
    if (event.id === undefined) return;
    this.seen.push({ names: this.#options.names, id: event.id, standings: this.standings });
  }

  #seeOpening(event: ReceivedEvent, cursor: Cursor | undefined): void {
    if (event.type === 'gateway.gap') {
      assert.equal(cursor, undefined, 'a gap before gateway.open has an id');
      this.#gaps += 1;
      this.#judge(gapData(event).channel).early(gapData(event));
      return;
    }
    const { names, resumes, late } = this.#options;
    const { channels, resumed, pending } = openData(event);
    assert.deepEqual(channels, names);
    // While one is waited for, what was known of the others may be over.
    assert.ok(pending.length === 0 || late() || names.length > 1, `${pending} is said to be pending`);
    assert.equal(resumed, resumes && this.#gaps === 0 && pending.length === 0, `resumed: ${resumed}`);
    for (const [name, judge] of this.#judges) judge.open(this.#positionIn(cursor, name), pending.includes(name));
    this.#opened = true;
  }

  /** Gives the channel that the event is of. */
  #take(event: ReceivedEvent, cursor: Cursor): string {
    if (event.type === 'gateway.gap') {
      const gap = gapData(event);
      this.#judge(gap.channel).gap(gap, this.#positionIn(cursor, gap.channel));
      return gap.channel;
    }
    if (event.type === 'gateway.deleted') {
      const name = String(parseObject(event.data)['channel']);
      this.#judge(name).event(undefined, this.#positionIn(cursor, name));
      return name;
    }
    assert.ok(isPublished(event), event.type);
    const data = this.#options.enveloped ? this.#unwrap(event.data) : event.data;
    const [name = ''] = data.split(' ', 1);
    this.#judge(name).event(data, this.#positionIn(cursor, name));
    return name;
  }

  #unwrap(text: string): string {
    const { channel, event, id, data, ...more } = parseObject(text);
    assert.deepEqual([event, id, more], ['message', null, {}]);
    assert.ok(typeof data === 'string' && data.startsWith(`${String(channel)} `));
    return data;
  }

  #judge(name: string): Judge {
    const judge = this.#judges.get(name);
    assert.ok(judge !== undefined, `something of ${name}, which was not asked for`);
    return judge;
  }

  /** Only a log has the position that stands for all channels, unless there is one channel. */
  #positionIn(cursor: Cursor | undefined, name: string): Position | undefined {
    const named = cursor?.named.get(name);
    if (named !== undefined) return named;
    const main = cursor?.main;
    return this.#options.names.length === 1 || name.startsWith('m') ? main : undefined;
  }
}

function readable(id: string): Cursor {
  const cursor = parseCursor(id);
  assert.ok(cursor !== undefined && id.length <= MAX_CURSOR_BYTES, `an id that is no cursor: ${id}`);
  return cursor;
}

/** What a client has by a text that it made up; `known` says what a position means in a channel. */
export function madeUp(
  text: string,
  names: readonly string[],
  known: (name: string, position: Position) => Standing | undefined,
): Map<string, Standing> {
  const cursor = parseCursor(text);
  const standings = new Map<string, Standing>();
  for (const name of names) {
    const position = cursor?.named.get(name) ?? cursor?.main;
    const standing = position && known(name, position);
    if (standing !== undefined) standings.set(name, standing);
  }
  return standings;
}
