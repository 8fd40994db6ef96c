/**
 * The way into a channel's log: what its source tells is read by the channel's format, checked against the limits, kept
 * to the channel's rate, and appended.
 */
import { conflationKey, SHARED_KEY } from '../channel/conflation.ts';
import type { Log } from '../channel/log.ts';
import type { Standing } from '../channel/nature.ts';
import { Pacing } from '../channel/pacing.ts';
import { finish, type Read, readEntry, readPayload } from '../channel/reading.ts';
import type { Cancel, Clock } from '../clock.ts';
import type { Message } from '../event.ts';
import type { Metrics } from '../metrics/metrics.ts';
import { compareIds, formatPosition, streamPosition } from '../position.ts';
import type { Break, KeyValue, Payload, StreamEntry, StreamState } from '../source/source.ts';
import { encodeEvent } from '../sse/encode.ts';
import type { Plan } from './plan.ts';

/** What an intake needs. */
export interface IntakeOptions {
  readonly plan: Plan;
  readonly log: Log;
  readonly clock: Clock;
  readonly metrics: Metrics;
  /** Bytes of the data of one event at most. */
  readonly maxEventSize: number;
  /** Called after something was appended. */
  readonly appended: () => void;
}

/** Something on its way into the log. */
interface Item {
  readonly bytes: number;
  readonly append: () => number;
}

/** How many times `limits.event_size` an envelope may have: every byte of its data may be escaped as six. */
const ENVELOPE_EVENTS = 8;
/** How many keys are held back at most where the channel keeps one. */
const ONE_KEY = 1;
const BLEMISHES = {
  'not-an-envelope': 'messages_not_an_envelope',
  'type-left-out': 'types_left_out',
  'id-left-out': 'ids_left_out',
} as const;

export class Intake {
  #options: IntakeOptions;
  #pacing: Pacing<Item> | undefined;
  /** When the newest event came, on the monotonic clock; undefined where there is none. */
  #newestAt: number | undefined;
  #idle: Cancel | undefined;
  /** What came while the log is being filled with what is older. */
  #held: (() => void)[] | undefined;
  /** The gap that said that the stream cannot be read, while nothing was read since. */
  #error: number | undefined;

  constructor(options: IntakeOptions) {
    this.#options = options;
    this.#pacing = this.#paced();
  }

  /** Goes by another plan of the same shape. */
  replan(plan: Plan): void {
    this.#pacing?.flush();
    this.#pacing?.stop();
    this.#idle?.();
    this.#idle = undefined;
    this.#options = { ...this.#options, plan };
    this.#pacing = this.#paced();
    this.#awaitIdle();
  }

  #paced(): Pacing<Item> | undefined {
    const { plan, clock } = this.#options;
    if (plan.maxRate === undefined) return undefined;
    return new Pacing<Item>({
      perSecond: plan.maxRate,
      maxKeys: typeof plan.conflate === 'object' ? plan.conflate.maxKeys : ONE_KEY,
      maxBytes: plan.history.bytes,
      sizeOf: (item) => item.bytes,
      clock,
      deliver: (items) => {
        for (const item of items) this.#append(item);
      },
    });
  }

  /** Takes what was published under a name. */
  payload({ data, from }: Payload): void {
    const { plan, maxEventSize } = this.#options;
    // An envelope may be longer than its data, but not so long that it is worth reading.
    const longest = plan.reading.format === 'text' ? maxEventSize : ENVELOPE_EVENTS * maxEventSize;
    if (data.length > longest) this.#tooLarge(undefined);
    else this.#read(readPayload(plan.reading, data, from), undefined);
  }

  /** Takes a message that entered in this process. Gives the number of its event, or of the last where it is held back. */
  message(message: Message): number {
    const { plan, log } = this.#options;
    this.#take(finish(plan.reading, message, plan.feed.name), message.data, undefined);
    return log.head;
  }

  /** Keeps what comes from here on until `release`; what is given meanwhile by `fill` is older. */
  hold(): void {
    this.#held = [];
  }

  /** Takes what was kept since `hold`. */
  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const take of held) take();
  }

  /** Takes what stood in a stream before what comes next. */
  fill(entries: readonly StreamEntry[]): void {
    this.#readEntries(entries);
  }

  /** Takes what comes next in a stream. */
  entries(entries: readonly StreamEntry[]): void {
    if (this.#held === undefined) this.#readEntries(entries);
    else this.#held.push(() => this.#readEntries(entries));
  }

  #readEntries(entries: readonly StreamEntry[]): void {
    const { plan, log } = this.#options;
    // It can be read again and goes on where it was, so nothing is missing for who comes back now.
    if (this.#error !== undefined) log.withdraw(this.#error);
    this.#error = undefined;
    log.unreadable = undefined;
    for (const { id, fields } of entries) this.#read(readEntry(plan.reading, fields, plan.feed.name), id);
  }

  /** Takes what a key holds: said only where it is another value. */
  value({ digest, data }: KeyValue): void {
    const { plan, log } = this.#options;
    log.unreadable = undefined;
    const standing = { position: `~${digest}`, key: SHARED_KEY };
    log.awaited = standing.position;
    const append = (): number => {
      log.awaited = undefined;
      if (log.position === standing.position) return log.head;
      return data === undefined
        ? log.appendDeleted(standing)
        : log.append(readPayload(plan.reading, data, plan.feed.name).message, standing);
    };
    this.#pass({ bytes: data?.length ?? 0, append }, SHARED_KEY);
  }

  /** Takes a place where continuity is broken. */
  broken(gap: Break): void {
    if (this.#held === undefined) this.#break(gap);
    else this.#held.push(() => this.#break(gap));
  }

  #break({ reason, lost, at }: Break): void {
    const { log, plan } = this.#options;
    const position = log.nature.own && at !== undefined ? formatPosition(at) : undefined;
    if (reason === 'too-large') this.#options.metrics.count('messages_too_large');
    // A place in a stream that is too large is passed; a key that is stays so.
    log.unreadable = reason === 'source-error' || plan.feed.kind === 'key' ? reason : undefined;
    const trimmed = reason === 'trimmed' && plan.conflate !== false;
    // Of entries that are gone nothing counts but the newest, and that is still there where any is.
    if (trimmed && plan.conflate === true && at?.before === true) return;
    const append = (): number => log.appendGap(trimmed ? 'source-lost' : reason, lost, position);
    this.#now({
      bytes: 0,
      append: () => {
        const number = append();
        this.#error = reason === 'source-error' ? number : undefined;
        return number;
      },
    });
  }

  /**
   * Whether this very entry stands in the log; undefined where it is older than all that does. Of the place where the log
   * begins nothing but the id is known.
   */
  knows({ id, fields }: StreamEntry): boolean | undefined {
    const { plan, log } = this.#options;
    // What stands in a conflated log may be of entries that are lost: it is read anew.
    if (!log.nature.own) return false;
    const number = log.numberOf({ kind: 'stream', id, before: false }, true);
    if (number === undefined) {
      const beginning = log.hasTurned ? undefined : streamPosition(log.positionAt(log.base));
      return beginning !== undefined && compareIds(id, beginning.id) < 0 ? undefined : false;
    }
    const kept = log.kept(id);
    if (kept === undefined) return true;
    const { data, type } = readEntry(plan.reading, fields, plan.feed.name).message;
    return data === undefined || encodeEvent({ type, data, id }).equals(kept);
  }

  /** A stream was found like this: its newest entry may be an end, or so old that it counts as one. */
  begins({ last, newest, age }: StreamState): void {
    const { plan, log, clock } = this.#options;
    const message = newest && readEntry(plan.reading, newest.fields, plan.feed.name).message;
    const ended = message?.end === true;
    const idle = plan.endAfter > 0 && age !== undefined && age >= plan.endAfter;
    if (log.nature.own)
      log.beginsAt(last, ended ? 'ended' : idle ? 'idle' : undefined, ended && message.data === undefined);
    if (newest === undefined || ended || idle) return;
    this.#newestAt = clock.now() - (age ?? 0);
    this.#awaitIdle();
  }

  /** Holds nothing back and waits for nothing any more. */
  stop(): void {
    this.#pacing?.stop();
    this.#idle?.();
    this.#idle = undefined;
  }

  #read({ message, blemishes, data }: Read, position: string | undefined): void {
    const { metrics, maxEventSize } = this.#options;
    if ((data?.length ?? 0) > maxEventSize) {
      this.#tooLarge(position);
      return;
    }
    for (const blemish of blemishes) metrics.count(BLEMISHES[blemish]);
    this.#take(message, data, position);
  }

  #tooLarge(position: string | undefined): void {
    const { log, metrics } = this.#options;
    metrics.count('messages_too_large');
    this.#now({ bytes: 0, append: () => log.appendGap('too-large', 1, position) });
  }

  /** `data` is what the message carried before it was encoded. */
  #take(message: Message, data: Buffer | undefined, position: string | undefined): void {
    const { plan, log, metrics } = this.#options;
    metrics.count('messages');
    if (plan.conflate === false) {
      log.append(message, log.nature.own ? { position } : undefined);
      this.#appended();
      return;
    }
    const standing: Standing = { key: conflationKey(plan.conflate, data) };
    const item = { bytes: message.data?.length ?? 0, append: () => log.append(message, standing) };
    if (message.end === true) this.#now(item);
    else this.#pass(item, standing.key ?? SHARED_KEY);
  }

  #pass(item: Item, key: string): void {
    if (this.#pacing === undefined) this.#append(item);
    else this.#pacing.push(key, item);
  }

  /** An end or a gap stands in its place: what is held back comes before it. */
  #now(item: Item): void {
    if (this.#pacing === undefined) this.#append(item);
    else this.#pacing.pushAtOnce(item);
  }

  #append(item: Item): void {
    item.append();
    this.#appended();
  }

  #appended(): void {
    const { plan, clock, appended } = this.#options;
    appended();
    if (plan.endAfter === 0) return;
    this.#newestAt = clock.now();
    this.#awaitIdle();
  }

  /** One timer, however many events come: where one came meanwhile it is set again for what is left. */
  #awaitIdle(): void {
    const { plan, log, clock, appended } = this.#options;
    if (plan.endAfter === 0 || this.#idle !== undefined || this.#newestAt === undefined || log.ended) return;
    const left = Math.max(1, this.#newestAt + plan.endAfter - clock.now());
    this.#idle = clock.after(left, () => {
      this.#idle = undefined;
      if (log.ended) return;
      if (this.#newestAt !== undefined && clock.now() - this.#newestAt < plan.endAfter) {
        this.#awaitIdle();
        return;
      }
      log.appendEnd('idle', { position: log.position });
      appended();
    });
  }
}
