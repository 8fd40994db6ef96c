/** A live channel: its log, who follows it, and whether its source is heard. */
import { type Brought, positionIn } from '../channel/continuity.ts';
import { Log, type LogContext } from '../channel/log.ts';
import type { Cancel } from '../clock.ts';
import { SourceDownError } from '../errors.ts';
import { BEGINNING, type Replay, type StreamPosition } from '../position.ts';
import type { StreamPage } from '../source/source.ts';
import { natureOf, type Plan } from './plan.ts';

/** Where a message starts to be missing: told to whoever waits. */
type Waiter = () => void;

export class Channel {
  #plan: Plan;
  readonly log: Log;
  /** Subscriptions that follow it now. */
  followers = 0;
  /** When the last follower left is being waited out. */
  lingering: Cancel | undefined;
  readonly #context: LogContext;
  readonly #waiters = new Set<Waiter>();
  #confirmed = false;
  #heardBefore = false;
  #owesGap = false;
  #refused = false;

  /** `base`: the last number below which nothing of this name can be proved. */
  constructor(plan: Plan, base: number, context: LogContext) {
    this.#plan = plan;
    this.log = new Log(plan.name, plan.history, base, context, natureOf(plan));
    this.#context = context;
  }

  get plan(): Plan {
    return this.#plan;
  }

  get name(): string {
    return this.plan.name;
  }

  /** True where events enter only through this process: such a log outlives its listeners. */
  get memory(): boolean {
    return this.plan.feed.kind === 'memory';
  }

  /** True where the source can tell what was missed, so that a lost link alone is no gap. */
  get proven(): boolean {
    return this.plan.feed.kind === 'stream' || this.plan.feed.kind === 'key';
  }

  /** Whether every message of the feed is heard from now on. */
  get confirmed(): boolean {
    return this.#confirmed;
  }

  /** Whether it was ever confirmed, so that its log stands at a known place. */
  get known(): boolean {
    return this.#heardBefore;
  }

  /** Whether the source refuses to be read here, and was heard to say so. */
  get refused(): boolean {
    return this.#refused;
  }

  /** Calls `waiter` once, at the confirmation. Gives the way to stop waiting. */
  whenConfirmed(waiter: Waiter): Cancel {
    this.#waiters.add(waiter);
    return () => this.#waiters.delete(waiter);
  }

  /** Whether its source can be asked what a key holds now. */
  get canReadAgain(): boolean {
    return this.plan.source.readAgain !== undefined;
  }

  /** Calls `waiter` once what a key holds now was told, or at its next confirmation. Gives the way to stop waiting. */
  whenRead(waiter: Waiter): Cancel {
    const { source, feed } = this.plan;
    const reading = this.#confirmed ? source.readAgain?.(feed) : undefined;
    if (reading === undefined) return this.whenConfirmed(waiter);
    let cancelled = false;
    let cancel: Cancel = () => {
      cancelled = true;
    };
    reading.then((read) => {
      if (cancelled) return;
      if (read || this.#confirmed) waiter();
      else cancel = this.whenConfirmed(waiter);
    });
    return () => cancel();
  }

  /**
   * Somebody's stream was opened without the confirmation: what was missed is announced with it. A key announces itself,
   * a stream proves what comes behind a place that is known.
   */
  openedPending(brought: Brought): void {
    const position = brought.kind === 'cursor' ? positionIn(brought.cursor, this.name) : undefined;
    if (!this.proven) this.#owesGap = true;
    else if (this.plan.feed.kind === 'stream' && !this.#heardBefore) this.#owesGap ||= position?.kind !== 'stream';
  }

  /** Reads a page of the stream behind a position, with its proof. Rejects with SourceDownError. */
  page(from: StreamPosition): Promise<StreamPage> {
    const { source, feed } = this.plan;
    return source.page?.(feed, from) ?? Promise.reject(new SourceDownError(`"${feed.name}" is no stream`));
  }

  /** Finds where a newcomer begins in the stream. Rejects with SourceDownError. */
  startOf(start: Replay): Promise<StreamPosition> {
    const { source, feed } = this.plan;
    // An end that is an entry of its own is no event that a newcomer asks for.
    const isOne = start.kind === 'last' && this.log.endsBare;
    const wanted = isOne ? { ...start, count: start.count + 1 } : start;
    return source.startOf?.(feed, wanted) ?? Promise.reject(new SourceDownError(`"${feed.name}" is no stream`));
  }

  /**
   * The source hears the feed from here on. This is where `source-lost` is decided: a channel that was heard on an
   * earlier link, or opened without one, has a hole of unknown size before this place.
   */
  confirm(): void {
    const { numbering } = this.#context;
    if (!this.#heardBefore && !this.memory) {
      // A number of its own, so that no cursor handed out before this moment can seem to prove this log. Where a gap
      // follows at once, it is that number.
      this.log.beginAt(this.#owesGap ? numbering.last : numbering.next());
    }
    if (this.#owesGap) this.log.appendGap('source-lost', null);
    this.#owesGap = false;
    this.#refused = false;
    this.#heardBefore = true;
    this.#confirmed = true;
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    for (const waiter of waiters) waiter();
  }

  /** The source refuses to be read here: said once, until it agrees. */
  refuse(): void {
    if (this.#refused) return;
    this.#refused = true;
    if (!this.proven) this.#owesGap = true;
    this.log.beginAt(this.#context.numbering.last);
    this.log.appendGap('source-error', null);
  }

  /** Goes by another plan of the same shape. */
  replan(plan: Plan): void {
    this.#plan = { ...plan, feed: this.#plan.feed };
    this.log.limit(plan.history);
  }

  /** Takes the place of a channel of the same name that read something else: who comes from there is told. */
  replaces(): void {
    if (this.log.nature.own) return; // the stream or key judges every position itself
    this.log.beginAt(this.#context.numbering.last);
    this.log.appendGap('reset', null);
  }

  /**
   * Another channel takes its place. The positions of two streams look alike, so who follows is told before being cut;
   * gives the number up to which everything is to be given for that, 0 where the next channel tells.
   */
  giveWay(by: Plan): number {
    const bothStreams = this.log.nature.own && this.plan.feed.kind === 'stream' && by.feed.kind === 'stream';
    return bothStreams ? this.log.appendGap('reset', null, BEGINNING) : 0;
  }

  /** The source hears nothing any more, until the next confirmation. */
  lose(): void {
    if (!this.#confirmed) return;
    this.#confirmed = false;
    if (!this.proven) this.#owesGap = true;
  }
}
