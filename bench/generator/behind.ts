/** Measures how one client catches up that is far behind while more comes. */
import { setTimeout as delay } from 'node:timers/promises';
import { payload } from '../../src/load/payload.ts';
import { Scanner } from '../../src/load/scanner.ts';
import { feedOf } from './lines.ts';
import { measurePhase } from './measure.ts';
import { addCommand, RedisPublishers } from './publisher.ts';
import { now, Session } from './session.ts';
import { bytesOf, settledBytes } from './settled.ts';
import type { Figures, Spec } from './spec.ts';
import { Subscribers } from './subscribers.ts';

/** Stands before every entry of a stream. */
const BEGINNING = '0-0';

/** The number of the first old entry: the new ones begin at 0 and never get there. */
const OLD = 2 ** 30;

/** Entries that are on their way to Redis at a time. */
const AT_ONCE = 5000;

/** How often memory is looked at, in milliseconds. */
const LOOK_EVERY = 100;

/** How long it is given at most, in milliseconds. */
const LIMIT = 60_000;

/** Fills the stream, publishes on, and lets one client come that has nothing yet. */
export async function measureBehind(spec: Spec): Promise<Figures> {
  const { load, port, pids, dialect } = spec;
  const entries = load.behind ?? 0;
  const session = new Session(spec);
  const [line] = session.lines.all;
  if (line === undefined || session.lines.all.length !== 1) throw new Error('it needs one line');
  await fill(spec, feedOf(line.channel), entries);
  await session.streams.open();
  await session.driver.run(load.warmUp);
  const before = await settledBytes(pids);
  const late = new LateReader(entries, () => session.ledger.reached(0, 0));
  const client = new Subscribers({
    count: 1,
    port,
    dialect,
    channelsOf: session.lines.channelsOf,
    scanner: () => late.scanner(load.size),
    ...session.around(),
    cursor: BEGINNING,
  });
  const measured = measurePhase(spec, session, load.measured);
  const begun = now();
  await client.open();
  let growth = 0;
  while (!late.isThere && now() - begun < LIMIT * 1000) {
    growth = Math.max(growth, bytesOf(pids) - before);
    await delay(LOOK_EVERY);
  }
  const phase = await measured;
  const lost = client.closed + late.faults;
  client.close();
  const figures = session.close();
  return {
    ...figures,
    ...phase,
    whole: figures.whole && late.isThere && lost === 0,
    closed: figures.closed + client.closed,
    behind: { seconds: (late.thereAt - begun) / 1e6, growth },
  };
}

/** Writes that many entries into a stream, numbered from `OLD` on. */
async function fill({ redis, load }: Spec, feed: string, entries: number): Promise<void> {
  const publisher = new RedisPublishers(redis?.port ?? 0, 1, (_, text) => addCommand(feed, text));
  for (let at = 0; at < entries; ) {
    const end = Math.min(at + AT_ONCE, entries);
    for (; at < end; at++) publisher.send(0, payload(OLD + at, 0, load.size), () => undefined);
    publisher.flush();
    while (publisher.answered < end && publisher.refused === 0) await delay(1);
  }
  if (publisher.refused > 0) throw new Error('Redis has refused the entries');
  publisher.close();
}

/** The client that comes late: first the old entries, then the new ones from the first on. */
class LateReader {
  faults = 0;
  /** When it had what the others had, in microseconds; NaN before. */
  thereAt = Number.NaN;
  readonly #end: number;
  readonly #others: () => number;
  #next = OLD;

  constructor(entries: number, others: () => number) {
    this.#end = OLD + entries;
    this.#others = others;
  }

  get isThere(): boolean {
    return !Number.isNaN(this.thereAt);
  }

  scanner(size: number): Scanner {
    return new Scanner(size, (number) => {
      if (number !== this.#next) this.faults += 1;
      this.#next = number + 1 === this.#end ? 0 : number + 1;
      if (!this.isThere && this.#next < OLD && this.#next >= this.#others()) this.thereAt = now();
    });
  }
}
