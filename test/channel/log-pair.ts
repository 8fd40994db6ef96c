/** A log and its model, fed with the same and held against each other. */
import assert from 'node:assert/strict';
import { ENTRY_BYTES } from '../../src/channel/entries.ts';
import { Held, type HistoryLimits } from '../../src/channel/history.ts';
import { Log, type LogReader } from '../../src/channel/log.ts';
import { Numbering } from '../../src/position.ts';
import { encodeEvent } from '../../src/sse/encode.ts';
import { FakeClock } from '../client/fake-clock.ts';
import { bytesOf, memoryOf, type NaiveEvent, NaiveLog } from './naive-log.ts';

/** Reads as far as a test says. */
export class Reader implements LogReader {
  at: number;
  /** It could take more. */
  keen = true;
  wakes = 0;

  constructor(at: number) {
    this.at = at;
  }

  wake(): void {
    this.wakes += 1;
  }

  floor(): number {
    return this.at;
  }

  keenFloor(): number {
    return this.keen ? this.at : Number.POSITIVE_INFINITY;
  }
}

/** A real log and its model, fed with the same. */
export class Pair {
  readonly real: Log;
  readonly naive: NaiveLog;
  readonly #world: World;

  constructor(channel: string, limits: HistoryLimits, world: World) {
    this.#world = world;
    const { numbering, held, clock } = world;
    this.real = new Log(channel, limits, 0, { numbering, held, now: () => clock.now() });
    this.naive = new NaiveLog(limits, 0);
  }

  get readers(): Reader[] {
    return [...this.real.readers].filter((reader) => reader instanceof Reader);
  }

  get floors(): number[] {
    return this.readers.map(({ at }) => at);
  }

  append(size: number, id: string | undefined): void {
    const data = Buffer.alloc(size, 'x');
    this.real.attend();
    const wakes = this.readers.map(({ wakes: before }) => before + 1);
    const number = this.real.append({ data, ...(id !== undefined && { id }) });
    assert.equal(number, this.#world.numbering.last);
    this.#appended('event', encodeEvent({ data, id: this.#world.numbering.text(number) }), id);
    assert.deepEqual(
      this.readers.map(({ wakes: now }) => now),
      wakes,
    );
  }

  appendGap(): void {
    const after = this.naive.head === 0 ? null : this.#world.numbering.text(this.naive.head);
    const number = this.real.appendGap('source-lost', null);
    const gap = { channel: this.real.channel, reason: 'source-lost', after, lost: null };
    const data = Buffer.from(JSON.stringify(gap));
    this.#appended('gap', encodeEvent({ type: 'gateway.gap', data, id: this.#world.numbering.text(number) }));
  }

  end(): void {
    const number = this.real.append({ end: true });
    const data = Buffer.from(JSON.stringify({ channel: this.real.channel, reason: 'ended' }));
    this.#appended('end', encodeEvent({ type: 'gateway.end', data, id: this.#world.numbering.text(number) }));
  }

  #appended(kind: NaiveEvent['kind'], bytes: Buffer, id?: string): void {
    const event = { number: this.#world.numbering.last, at: this.#world.clock.now(), kind, bytes, id };
    this.naive.append(event, this.floors);
  }
}

/** Two logs of one process. */
export class World {
  readonly numbering = new Numbering('k3');
  readonly held = new Held();
  readonly clock = new FakeClock();
  readonly pairs: readonly [Pair, Pair];

  constructor(limits: HistoryLimits) {
    this.pairs = [new Pair('a', limits, this), new Pair('b', limits, this)];
  }
}

/** Asserts that a log is as its model; `probe` chooses where it is looked at. */
export function assertSame({ real, naive, floors }: Pair, world: World, probe: number): void {
  const { numbering } = world;
  assert.equal(real.base, naive.base, 'base');
  assert.equal(real.dropped, naive.dropped, 'dropped');
  assert.ok(real.dropped <= real.base);
  assert.equal(real.head, naive.head, 'head');
  assert.equal(real.size, naive.history.length, 'size');
  assert.equal(real.bytes, bytesOf(naive.history), 'bytes');
  assert.equal(real.windowBytes, memoryOf(naive.window), 'window');
  assert.equal(real.ended, naive.ended, 'ended');
  assertKept(real, naive.kept);
  const number = probe % (numbering.last + 2);
  assert.equal(real.at(real.indexAfter(number))?.number, naive.kept.find((event) => event.number > number)?.number);
  assertReplays(real, naive, probe, world);
  const [found, another] = naive.history.filter(({ id }) => id === `id${probe % 9}`);
  assert.equal(real.numberOfId(`id${probe % 9}`), another === undefined ? found?.number : undefined, 'id');
  for (const floor of floors) {
    const lost = naive.overtaken.filter(({ number }) => number > floor);
    // A gap that was overtaken stands for events of which nobody knows how many they are.
    const count = lost.some(({ kind }) => kind === 'gap') ? null : lost.length;
    assert.equal(real.lostAfter(floor), count, `lost after ${floor}`);
  }
}

/** What is kept is the whole of each frame, and those that follow each other in one slab stand side by side. */
function assertKept(real: Log, kept: readonly NaiveEvent[]): void {
  const first = real.indexAfter(0);
  for (const [i, event] of kept.entries()) {
    const entry = real.at(first + i);
    assert.deepEqual([entry?.number, entry?.at, entry?.kind], [event.number, event.at, event.kind]);
    assert.ok(entry?.bytes.subarray(entry.start, entry.end).equals(event.bytes));
    const before = real.at(first + i - 1);
    if (i > 0 && before?.bytes === entry?.bytes) assert.equal(entry?.start, before?.end);
  }
  assert.equal(real.at(first + kept.length), undefined);
}

function assertReplays(real: Log, { base, history }: NaiveLog, probe: number, { numbering, clock }: World): void {
  assert.equal(real.startOf({ kind: 'none' }), numbering.last);
  assert.equal(real.startOf({ kind: 'all' }), base);
  const count = probe % 12;
  const last = real.startOf({ kind: 'last', count });
  const events = history.filter(({ kind }) => kind === 'event');
  assert.equal(events.filter(({ number }) => number > last).length, Math.min(count, events.length), `last ${count}`);
  const since = real.startOf({ kind: 'since', since: probe });
  assert.deepEqual(
    history.filter(({ number }) => number > since),
    history.filter(({ at }) => at >= clock.now() - probe),
  );
  for (const start of [last, since]) assert.ok(start >= base && start <= numbering.last);
}

/** Asserts that what all logs hold together is the sum of what each holds. */
export function assertHeld({ held, pairs }: World): void {
  const sum = (of: (log: Log) => number): number => pairs.reduce((total, { real }) => total + of(real), 0);
  assert.equal(
    held.history,
    sum((log) => log.bytes + log.size * ENTRY_BYTES),
  );
  assert.equal(
    held.window,
    sum((log) => log.windowBytes),
  );
}
