/** Those who read: each with its own strict parser and its own last id, cut, slowed and sent elsewhere as its kind has it. */
import { setTimeout as delay } from 'node:timers/promises';
import { gapData, isPublished, openData } from '../../support/gateway-events.ts';
import type { Owner } from '../../support/owner.ts';
import type { Dice } from '../../support/random.ts';
import type { ReceivedEvent } from '../../support/sse-reader.ts';
import { SseStream } from '../../support/sse-stream.ts';
import type { Beginning, ClientLog, Seen } from './client-log.ts';
import { readPayload } from './payload.ts';

/**
 * `steady` stays; `cut` loses its connection anywhere; `slow` stops reading for a while again and again;
 * `late` goes away for longer and comes back with an old id; `hopping` is on another gateway after every cut.
 */
export type Habit = 'steady' | 'cut' | 'slow' | 'late' | 'hopping';

/** What a client is. */
export interface ClientOptions {
  readonly name: string;
  readonly habit: Habit;
  /** The feed of each channel. */
  readonly channels: ReadonlyMap<string, string>;
  readonly beginning?: Beginning;
  /** The addresses that it may connect to now. */
  readonly gateways: () => readonly string[];
  readonly dice: Dice;
}

/** `until` on a stream takes a deadline; a client's connection has none. */
const FOREVER_MS = 2 ** 30;

/** One client over many connections. */
export class CheckedClient {
  readonly log: ClientLog;
  /** The keys of all payloads that came. */
  readonly received = new Set<string>();
  readonly #options: ClientOptions;
  #lastEventId: string | undefined;
  #stream: SseStream | undefined;
  #visits = 0;
  #calm = false;
  #away = false;
  #stopped = false;
  #running: Promise<void> | undefined;

  constructor(options: ClientOptions) {
    this.#options = options;
    const { name, channels, beginning = { kind: 'live' } } = options;
    this.log = { name, channels, beginning, seen: [] };
    if (beginning.kind === 'cursor') this.#lastEventId = beginning.cursor;
  }

  /** The last id as `EventSource` remembers it. */
  get lastEventId(): string | undefined {
    return this.#lastEventId;
  }

  /** Whether its connection of now is open in the sense of `gateway.open`. */
  get isOpen(): boolean {
    return this.log.seen.findLast(({ kind }) => kind === 'open' || kind === 'connect')?.kind === 'open';
  }

  start(): void {
    this.#running = this.#live();
  }

  /** Loses its connection now and stays away until `comeBack`. */
  goAway(): void {
    this.#away = true;
    this.#stream?.reset();
  }

  comeBack(): void {
    this.#away = false;
  }

  /** From now on it behaves like a steady one. */
  calmDown(): void {
    this.#calm = true;
    this.#away = false;
    this.#stream?.resume();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#stream?.cut();
    await this.#running;
  }

  async #live(): Promise<void> {
    while (!this.#stopped) {
      const url = this.#away ? undefined : this.#nextUrl();
      if (url !== undefined) await this.#visit(url);
      await delay(this.#pauseMs());
    }
  }

  #nextUrl(): string | undefined {
    const urls = this.#options.gateways();
    const chosen = this.#options.habit === 'hopping' ? this.#visits : 0;
    return urls[chosen % Math.max(1, urls.length)];
  }

  async #visit(base: string): Promise<void> {
    const { channels, beginning } = this.log;
    this.#visits += 1;
    const query = new URLSearchParams([...channels.keys()].map((name): [string, string] => ['channel', name]));
    if (beginning.kind === 'start') query.set('since', 'start');
    const cursor = this.#lastEventId;
    this.#see({ kind: 'connect', at: performance.now(), url: base, cursor });
    const stream = new SseStream(`${base}/events?${query}`, { lastEventId: cursor });
    this.#stream = stream;
    const disturbance = this.#disturb(stream);
    let taken = 0;
    const take = () => {
      for (; taken < stream.events.length; taken += 1) this.#receive(stream.events[taken]);
      return stream.end;
    };
    await stream.until('its end', take, FOREVER_MS).catch((error: unknown) => this.#odd(String(error)));
    stream.cut();
    await disturbance;
    const { head } = stream;
    if (head !== undefined && head.status !== 200) this.#odd(`status ${head.status} ${stream.text}`);
    this.#see({ kind: 'closed', at: performance.now() });
  }

  /** What its habit does to a connection; settles soon after the connection has ended. */
  async #disturb(stream: SseStream): Promise<void> {
    const { habit, dice } = this.#options;
    if (this.#calm || habit === 'steady') return;
    if (habit === 'slow') return await this.#readSlowly(stream);
    const stay = habit === 'late' ? 300 + dice.below(1_500) : dice.below(600);
    if (habit !== 'late' && dice.below(2) === 0) stream.cutAfter(1 + dice.below(20_000));
    const timer = setTimeout(() => {
      if (this.#calm) return;
      if (dice.below(2) === 0) stream.cut();
      else stream.reset();
    }, stay);
    await stream.ended(FOREVER_MS).catch(() => undefined); // what broke it is logged where the stream is read
    clearTimeout(timer);
  }

  async #readSlowly(stream: SseStream): Promise<void> {
    const { dice } = this.#options;
    while (stream.end === undefined && !this.#stopped && !this.#calm) {
      stream.pause();
      await delay(100 + dice.below(1_400));
      stream.resume();
      await delay(dice.below(20));
    }
  }

  #pauseMs(): number {
    const { habit, dice } = this.#options;
    if (this.#calm || this.#stopped) return 20;
    return habit === 'late' ? 200 + dice.below(2_000) : 10 + dice.below(150);
  }

  #receive(event: ReceivedEvent | undefined): void {
    if (event === undefined) return;
    const at = performance.now();
    this.#lastEventId = event.id ?? this.#lastEventId;
    if (event.type === 'gateway.open') {
      this.#see({ kind: 'open', at, ...openData(event), id: event.id ?? '' });
    } else if (event.type === 'gateway.gap') {
      this.#see({ kind: 'gap', at, ...gapData(event), id: event.id });
    } else if (isPublished(event)) {
      this.#see({ kind: 'event', at, type: event.type, data: event.data, id: event.id ?? '' });
      const reading = readPayload(event.data);
      if (reading !== undefined) this.received.add(reading.key);
    } else this.#odd(`${event.type} ${event.data}`);
  }

  #odd(what: string): void {
    if (!this.#stopped) this.#see({ kind: 'odd', at: performance.now(), what: what.slice(0, 400) });
  }

  #see(seen: Seen): void {
    this.log.seen.push(seen);
  }
}

/** Starts one that ends with its owner at the latest. */
export function startClient(owner: Owner, options: ClientOptions): CheckedClient {
  const client = new CheckedClient(options);
  client.start();
  owner.after(() => client.stop());
  return client;
}
