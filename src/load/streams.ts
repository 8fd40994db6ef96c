/** The subscribers of a load: raw sockets that read into one shared buffer. */
import type { Clock } from '../clock.ts';
import { HEADROOM } from './scanner.ts';
import { Stream, type StreamOptions } from './stream.ts';

/** What the streams are opened with. */
export interface StreamsOptions extends StreamOptions {
  readonly count: number;
  /** How many are opened at the same time; default: 128, fewer than any listen backlog. */
  readonly atOnce?: number;
  readonly clock: Clock;
}

const AT_ONCE = 128;

/** How long one may take until it is open, in milliseconds. */
const OPEN_LIMIT = 20_000;

/** Large enough that all that waits in a socket is mostly one read. */
const READ_SIZE = 256 * 1024;

export class Streams {
  /** Streams that the server has confirmed. */
  opened = 0;
  /** Streams that it has not. */
  failed = 0;
  /** Streams that were open and ended before `close` was called. */
  closed = 0;
  /** Why streams failed, and how many for each reason; may hold text from outside. */
  readonly problems = new Map<string, number>();
  readonly #options: StreamsOptions;
  readonly #streams: (Stream | undefined)[] = [];
  readonly #buffer = Buffer.alloc(HEADROOM + READ_SIZE);
  #closing = false;

  constructor(options: StreamsOptions) {
    this.#options = options;
  }

  /** Settles when every stream is open or has failed, or when `close` was called. */
  async open(): Promise<void> {
    let next = 0;
    const openMore = async (): Promise<void> => {
      while (next < this.#options.count && !this.#closing) await this.#openOne(next++);
    };
    await Promise.all(Array.from({ length: this.#options.atOnce ?? AT_ONCE }, openMore));
  }

  /** Opens those again, one after the other, that have failed or were closed: no longer do they count as such. */
  async reopen(): Promise<void> {
    const lost = this.#streams.flatMap((stream, at) => (stream?.state === 'over' ? [at] : []));
    this.opened -= this.closed;
    this.closed = 0;
    this.failed = 0;
    this.problems.clear();
    for (const at of lost) await this.#openOne(at);
  }

  /** Whether a stream was opened and still is. */
  isOpen(stream: number): boolean {
    return this.#streams[stream]?.state === 'open';
  }

  close(): void {
    this.#closing = true;
    for (const stream of this.#streams) stream?.end('not wanted any more');
  }

  #openOne(at: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#options.clock.after(OPEN_LIMIT, () => stream.end(`not open in ${OPEN_LIMIT / 1000} s`));
      const told = {
        opened: () => {
          cancel();
          this.opened += 1;
          resolve();
        },
        ended: (problem: string | undefined) => {
          cancel();
          this.#ended(problem);
          resolve();
        },
      };
      const stream = new Stream(this.#options, at, this.#buffer, told);
      this.#streams[at] = stream;
    });
  }

  #ended(problem: string | undefined): void {
    if (this.#closing) return;
    if (problem === undefined) {
      this.closed += 1;
      return;
    }
    this.failed += 1;
    this.problems.set(problem, (this.problems.get(problem) ?? 0) + 1);
  }
}
