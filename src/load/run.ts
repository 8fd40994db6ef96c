/** One load on a gateway: the streams, who publishes, and the books of what came. */
import type { Clock } from '../clock.ts';
import { Driver } from './driver.ts';
import { Histogram } from './histogram.ts';
import { Ledger } from './ledger.ts';
import type { Lines } from './lines.ts';
import type { Publishers } from './publisher.ts';
import { Scanner } from './scanner.ts';
import { Streams } from './streams.ts';
import { requestHead, type Target } from './target.ts';

/** What is run. */
export interface LoadOptions {
  readonly target: Target;
  readonly lines: Lines;
  readonly streams: number;
  /** Bytes of a payload. */
  readonly size: number;
  readonly publishers: Publishers;
  readonly clock: Clock;
}

/** When nothing has arrived for this long at the end, what is missing is given up, in milliseconds. */
const STALL_LIMIT = 3000;

export class LoadRun {
  readonly ledger: Ledger;
  readonly driver: Driver;
  readonly streams: Streams;
  /** From the write of a publisher to the read of a subscriber, in microseconds. */
  readonly latency = new Histogram();
  /** `gateway.gap` events, over all streams. */
  gaps = 0;
  /** When the last bytes of any stream were read, in microseconds. */
  readAt = 0;

  constructor({ target, lines, streams, size, publishers, clock }: LoadOptions) {
    const ledger = new Ledger(streams, lines.slots);
    this.ledger = ledger;
    this.driver = new Driver({
      lines,
      publishers,
      sharedEvery: undefined,
      size,
      sentTimes: undefined,
      delivered: () => ledger.delivered,
      clock,
      stallLimit: STALL_LIMIT,
    });
    this.streams = new Streams({
      count: streams,
      target,
      request: (stream) => subscribing(target, lines.channelsOf(stream)),
      opened: /event: gateway\.open\n[\s\S]*\n\n/,
      unfit: { pattern: /"pending":/, problem: 'the source of the channel has not confirmed the subscription' },
      scanner: (stream) => this.#scanner(stream, size),
      before: () => {
        this.readAt = Math.round(clock.now() * 1000);
      },
      after: () => this.driver.poke(),
      wholeChunks: false,
      clock,
    });
  }

  #scanner(stream: number, size: number): Scanner {
    const { ledger, latency } = this;
    const found = (number: number, sentAt: number): void => {
      ledger.record(stream, number);
      latency.record(this.readAt - sentAt);
    };
    return new Scanner(size, found, () => {
      this.gaps += 1;
    });
  }
}

/** `last=0`: what a channel has kept of others is not counted. */
function subscribing(target: Target, channels: readonly string[]): string {
  const query = new URLSearchParams({ last: '0' });
  for (const channel of channels) query.append('channel', channel);
  return `${requestHead(target, 'GET', `/events?${query}`)}Accept: text/event-stream\r\n\r\n`;
}
