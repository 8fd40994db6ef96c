/**
 * The walk through a stream for those who stand at a place that its log does not hold: a page at a time is read from the
 * stream itself, with the proof that nothing is missing, and given to everybody who stands in it. Whoever reaches the
 * log goes on there. Ten thousand clients who resume cause a handful of reads, and memory holds one page.
 */

import type { Log } from '../channel/log.ts';
import { type Cancel, type Clock, jitter, type Random } from '../clock.ts';
import type { Gap } from '../event.ts';
import type { Channel } from '../hub/channel.ts';
import type { Metrics } from '../metrics/metrics.ts';
import { compareIds, formatPosition, type Numbering, type StreamPosition, streamPosition } from '../position.ts';
import { encodeNotice } from '../sse/encode.ts';
import { collect, type View, type Wanted } from './batch.ts';
import { LAG_BYTES } from './behind.ts';
import { type Page, readPage } from './page.ts';
import { type Proof, Proofs } from './proofs.ts';
import { cursorAt } from './standing.ts';
import type { Apart, Subscriber } from './subscriber.ts';

/** What a walk needs. */
export interface WalkOptions {
  readonly channel: Channel;
  readonly numbering: Numbering;
  readonly clock: Clock;
  readonly random: Random;
  readonly metrics: Metrics;
  readonly maxEventSize: number;
  readonly viewOf: (subscriber: Subscriber) => View;
  /** Called after each write to a subscriber, and where a channel of it has joined its log. */
  readonly served: (subscriber: Subscriber) => void;
}

/** How long one turn gives to those who stand in a page, and how many are given it between two looks at the clock. */
const TURN_MS = 10;
const VISITS = 64;
/** After how long a stream is asked again that could not be read, and one whose log is not there yet; before jitter. */
const AGAIN_MS = 1000;
const SOON_MS = 20;

export class Walk {
  readonly #options: WalkOptions;
  /** Who waits for its turn, in the order in which they came. */
  readonly #ready = new Set<Apart>();
  readonly #fetching = new Map<string, Promise<Page>>();
  readonly #proofs: Proofs;
  #page: Page | undefined;
  #running = false;
  /** An answer of the source is waited for. */
  #reading = false;
  #again: Cancel | undefined;

  constructor(options: WalkOptions) {
    this.#options = options;
    const { channel, maxEventSize } = options;
    this.#proofs = new Proofs(
      (from) => readPage(channel, from, maxEventSize),
      (page) => this.#offer(page),
    );
  }

  /**
   * Gives a subscriber what comes next for it, once, when its turn has come. True where it stands in the page at hand and
   * no answer of Redis is waited for, which may take long.
   */
  want(apart: Apart): boolean {
    this.#ready.add(apart);
    this.#start();
    const soon = this.#again === undefined && !this.#reading;
    return soon && this.#page !== undefined && isAt(this.#page, apart);
  }

  /** Looks whether the stream goes on behind a position. Rejects with SourceDownError. */
  prove(from: StreamPosition): Promise<Proof> {
    return this.#proofs.prove(from);
  }

  /** Whoever was answered by a page may want it at once; nobody is given what was read long ago. */
  #offer(page: Page): void {
    if (this.#running) return;
    this.#page = page;
    setImmediate(() => {
      if (!this.#running) this.#page = undefined;
    });
  }

  #start(): void {
    if (this.#running || this.#again !== undefined) return;
    this.#running = true;
    this.#run()
      .catch(() => this.#later(AGAIN_MS)) // the source is down: everybody waits until it is back
      .finally(() => {
        this.#running = false;
        this.#reading = false;
        // Where everybody waits, it may be another stream by then.
        if (this.#ready.size === 0 || this.#again !== undefined) this.#page = undefined;
        if (this.#ready.size > 0) this.#start();
      });
  }

  /** Nobody is served before this time. */
  #later(ms: number): void {
    const { clock, random } = this.#options;
    this.#again ??= clock.after(jitter(ms, 0.5, random), () => {
      this.#again = undefined;
      if (this.#ready.size > 0) this.#start();
    });
  }

  async #run(): Promise<void> {
    while (this.#again === undefined) {
      const [first] = this.#ready;
      if (first === undefined) return;
      if (this.#page !== undefined && isAt(this.#page, first)) await this.#serveAll(this.#page);
      else if (this.#isGone(first) || this.#join(first, undefined)) this.#ready.delete(first);
      else {
        this.#reading = true;
        await this.#turnPage(first);
        this.#reading = false;
      }
    }
  }

  async #turnPage(first: Apart): Promise<void> {
    // The end is looked up before the page: what the page does not hold then is behind the end.
    const { channel } = this.#options;
    if (first.position === undefined) await this.#find(first);
    const { position } = first;
    if (position === undefined) return;
    const page = await this.#fetch(position);
    if (isAt(page, first)) {
      this.#page = page;
      return;
    }
    const end = await channel.startOf({ kind: 'none' });
    const still = await this.#fetch(position);
    if (isAt(still, first)) this.#page = still;
    else if (this.#join(first, end)) this.#ready.delete(first);
    else this.#later(SOON_MS);
  }

  /** Looks up where a newcomer begins who came before its source: what was added or trimmed meanwhile it may miss. */
  async #find(apart: Apart): Promise<void> {
    const { channel, subscriber, find } = apart;
    if (find === undefined) return;
    apart.position = await channel.startOf(find);
    // Of all that there is nothing is missed, if what was there when it came is there still.
    const stood = streamPosition(apart.stood);
    const whole = find.kind === 'all' && stood !== undefined && compareIds(apart.position.id, stood.id) <= 0;
    if (this.#isGone(apart) || whole) return;
    const gap: Gap = { channel: channel.name, reason: 'source-lost', after: null, lost: null };
    subscriber.outlet.write(encodeNotice('gateway.gap', gap, this.#cursorOf(subscriber)));
    this.#options.metrics.count('gaps');
  }

  /** Gives the page to all who stand in it, with pauses for other work of the loop. */
  async #serveAll(page: Page): Promise<void> {
    const { clock } = this.#options;
    let visits = 0;
    let began = clock.now();
    for (const apart of [...this.#ready]) {
      if (!isAt(page, apart)) continue;
      this.#ready.delete(apart);
      this.#give(apart, page);
      visits += 1;
      if (visits % VISITS !== 0 || clock.now() - began < TURN_MS) continue;
      await new Promise((resolve) => setImmediate(resolve));
      began = clock.now();
    }
  }

  #give(apart: Apart, page: Page): void {
    const { subscriber, position } = apart;
    const { clock, metrics, served } = this.#options;
    if (this.#isGone(apart) || position === undefined) return;
    const from = numberIn(page, apart);
    if (subscriber.outlet.pending === 0 && from !== undefined) {
      const batch = collect([page.log], this.#wanted(apart, page, from), this.#options.numbering);
      if (batch !== undefined) {
        subscriber.outlet.write(batch.frames);
        subscriber.lastWrite = clock.now();
        subscriber.apartNext = false;
        metrics.count('gaps', batch.gaps);
        apart.page = { log: page.log, number: batch.upTo };
        if (from === 0) apart.told = page.gap && formatPosition(page.begins);
        apart.position = streamPosition(page.log.positionAt(batch.upTo)) ?? position;
        this.#join(apart, undefined);
      }
    }
    served(subscriber);
  }

  #wanted(apart: Apart, page: Page, from: number): Wanted {
    const { subscriber, channel } = apart;
    const { numbering, viewOf } = this.#options;
    const view = viewOf(subscriber);
    const wanted = { after: () => from, upTo: Number.MAX_SAFE_INTEGER, bytes: LAG_BYTES, view };
    const { channels, uneven } = subscriber;
    if (channels.length === 1) return wanted;
    const logs = channels.map(({ log }) => log);
    const at = uneven?.at ?? new Map<Log, number>();
    const positions = new Map(subscriber.positions);
    for (const [log, other] of subscriber.apart ?? [])
      if (other.position) positions.set(log, formatPosition(other.position));
    const idAt = (upTo: number): string => {
      positions.set(channel.log, page.log.positionAt(upTo));
      return cursorAt(numbering.epoch, logs, { at, positions }, 0);
    };
    return { ...wanted, idAt };
  }

  /** Whether the log holds the place where somebody stands, or else this end behind it: then it goes on there. */
  #join(apart: Apart, end: StreamPosition | undefined): boolean {
    const { log } = apart.channel;
    const { subscriber } = apart;
    const position = end ?? apart.position;
    const number = position === undefined ? undefined : log.numberOf(position, wasToldOfEnd(apart));
    if (position === undefined || number === undefined || !apart.channel.known) return false;
    const past = log.ended && number >= log.head && !wasToldOfEnd(apart);
    subscriber.join(log, number, log.positionAt(number));
    // An idle end stands in no stream, and one that was there before this process in no log.
    if (past) this.#tellEnd(subscriber, log);
    this.#options.served(subscriber);
    return true;
  }

  #tellEnd(subscriber: Subscriber, log: Log): void {
    const end = { channel: log.channel, reason: log.endReason };
    subscriber.outlet.write(encodeNotice('gateway.end', end, this.#cursorOf(subscriber)));
  }

  /** What a subscriber has now; undefined where nothing is known of that. */
  #cursorOf(subscriber: Subscriber): string | undefined {
    const logs = subscriber.channels.map((channel) => channel.log);
    const at = subscriber.uneven?.at ?? new Map<Log, number>();
    const positions = new Map(subscriber.positions);
    for (const [log, { position }] of subscriber.apart ?? [])
      if (position) positions.set(log, formatPosition(position));
    return cursorAt(this.#options.numbering.epoch, logs, { at, positions }, 0) || undefined;
  }

  #isGone({ subscriber, channel }: Apart): boolean {
    return subscriber.place === 'gone' || !subscriber.outlet.open || subscriber.apart?.has(channel.log) !== true;
  }

  /** One read for all who ask for the same at once. */
  #fetch(from: StreamPosition): Promise<Page> {
    const key = formatPosition(from);
    const known = this.#fetching.get(key);
    if (known !== undefined) return known;
    const { channel, maxEventSize } = this.#options;
    const fetched = readPage(channel, from, maxEventSize).finally(() => this.#fetching.delete(key));
    this.#fetching.set(key, fetched);
    return fetched;
  }
}

/** Whether the page has something for somebody who stands there. */
function isAt(page: Page, apart: Apart): boolean {
  return (numberIn(page, apart) ?? page.log.head) < page.log.head;
}

/** Where somebody stands in the page; undefined where that is elsewhere. */
function numberIn(page: Page, apart: Apart): number | undefined {
  const { position, told } = apart;
  if (apart.page?.log === page.log) return apart.page.number;
  const number = position && page.numberOf(position);
  if (position === undefined || number !== 0 || page.gap === undefined) return number;
  const wasTold = told === formatPosition(position) && told === formatPosition(page.begins);
  return wasTold ? page.log.at(page.log.indexAfter(0))?.number : 0;
}

function wasToldOfEnd({ page }: Apart): boolean {
  return page !== undefined && page.log.at(page.log.indexAfter(page.number) - 1)?.kind === 'end';
}
