/** What works together in one run: the streams, who publishes, and the books of what came. */
import { systemClock } from '../../src/clock.ts';
import { Driver } from '../../src/load/driver.ts';
import { Histogram } from '../../src/load/histogram.ts';
import { Ledger } from '../../src/load/ledger.ts';
import type { Lines } from '../../src/load/lines.ts';
import { SMALLEST_PAYLOAD } from '../../src/load/payload.ts';
import { Scanner } from '../../src/load/scanner.ts';
import { SentTimes } from '../../src/load/sent-times.ts';
import { linesOf } from './lines.ts';
import { type OpenPublishers, openPublishers } from './publisher.ts';
import type { Figures, Latencies, Spec } from './spec.ts';
import { Subscribers } from './subscribers.ts';

export class Session {
  readonly lines: Lines;
  readonly ledger: Ledger;
  readonly driver: Driver;
  readonly streams: Subscribers;
  /** In microseconds; that of the shared channel is kept apart. */
  readonly latency = new Histogram();
  readonly sharedLatency = new Histogram();
  readonly #publishers: OpenPublishers;
  readonly #sentTimes: SentTimes | undefined;
  #readAt = 0;

  /** Opens the publishing connections; `streams` are opened by who needs them. */
  constructor(spec: Spec) {
    const { load, port, dialect } = spec;
    this.lines = linesOf(load);
    this.ledger = new Ledger(load.streams, this.lines.slots);
    this.#sentTimes = load.size < SMALLEST_PAYLOAD ? new SentTimes() : undefined;
    this.#publishers = openPublishers(spec, this.lines);
    this.driver = new Driver({
      lines: this.lines,
      publishers: this.#publishers,
      sharedEvery: load.shared,
      size: load.size,
      sentTimes: this.#sentTimes,
      delivered: () => this.ledger.delivered,
      clock: systemClock,
    });
    this.streams = new Subscribers({
      count: load.streams,
      port,
      dialect,
      channelsOf: this.lines.channelsOf,
      scanner: (stream) => this.scanner(stream, load.size),
      ...this.around(),
    });
  }

  /** When the last bytes of any stream were read, in microseconds. */
  get readAt(): number {
    return this.#readAt;
  }

  /** What is done before and after each read. */
  around(): { before: () => void; after: () => void } {
    return {
      before: () => {
        this.#readAt = now();
      },
      after: () => this.driver.poke(),
    };
  }

  /** A scanner that enters what one stream gets. */
  scanner(stream: number, size: number): Scanner {
    const { ledger, latency, sharedLatency } = this;
    const sentTimes = this.#sentTimes;
    if (sentTimes !== undefined) {
      return new Scanner(size, (number) => {
        ledger.record(stream, number);
        latency.record(this.#readAt - sentTimes.at(number));
      });
    }
    const { slots, shared } = this.lines;
    const sharedSlot = shared === undefined ? -1 : slots - 1;
    return new Scanner(size, (number, sentAt) => {
      ledger.record(stream, number);
      const histogram = number % slots === sharedSlot ? sharedLatency : latency;
      histogram.record(this.#readAt - sentAt);
    });
  }

  /** Forgets the latencies of the phase before. */
  clear(): void {
    this.latency.clear();
    this.sharedLatency.clear();
  }

  /** Closes everything and says what went wrong. */
  close(): Pick<Figures, 'whole' | 'faults' | 'closed' | 'refused'> {
    const { driver, ledger, lines, streams } = this;
    const { closed } = streams;
    const { refused } = this.#publishers;
    streams.close();
    this.#publishers.close();
    const faults = ledger.faultsOf((stream, slot) => driver.published[lines.lineOf(stream, slot)]);
    return { whole: faults.length + closed + refused === 0, faults, closed, refused };
  }
}

/** What a histogram of microseconds tells. */
export function latenciesOf(histogram: Histogram): Latencies {
  return { p50: histogram.at(0.5) / 1000, p99: histogram.at(0.99) / 1000, max: histogram.max / 1000 };
}

/** Whole microseconds since this process began. */
export function now(): number {
  return Math.round(systemClock.now() * 1000);
}
