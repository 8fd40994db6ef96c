/** A client whose connection is cut again and again, anywhere, and who resumes each time as `EventSource` does. */
import type { Dice } from './random.ts';
import type { ReceivedEvent } from './sse-reader.ts';
import { SseStream } from './sse-stream.ts';

/** The longest that a connection is left alone before it is cut, in milliseconds: a few events at 200 a second. */
const LONGEST_MS = 20;

/** The most bytes that a connection may bring before it is cut: within the head, an event or between two. */
const LONGEST_BYTES = 600;

/** One client over many connections. */
export class CutClient {
  /** Everything it saw but `gateway.open`, over all connections. */
  readonly events: ReceivedEvent[] = [];
  /** Connections that were answered with `gateway.open` that did not resume, after the first. */
  notResumed = 0;
  readonly #url: string;
  readonly #dice: Dice;
  #stream: SseStream;

  constructor(url: string, dice: Dice) {
    this.#url = url;
    this.#dice = dice;
    this.#stream = new SseStream(url);
  }

  /** Its first `gateway.open`: from here on it must miss nothing. */
  async opened(): Promise<void> {
    await this.#stream.opened();
  }

  /** Is cut `count` times and left connected. */
  async cut(count: number): Promise<void> {
    for (let done = 0; done < count; done += 1) {
      await this.#loseConnection();
      this.#collect();
      this.#stream = new SseStream(this.#url, { lastEventId: this.#stream.lastEventId });
    }
  }

  /** Settles when it has seen `data`, then leaves. */
  async sees(data: string): Promise<void> {
    const isIt = (event: ReceivedEvent) => event.data === data;
    await this.#stream.until(`"${data}"`, () => this.events.some(isIt) || this.#stream.events.some(isIt));
    this.#stream.cut();
    await this.#stream.ended();
    this.#collect();
  }

  /** Leaves at once. */
  leave(): void {
    this.#stream.cut();
  }

  /** Cuts in the middle of the bytes, or at some moment, whichever the dice say; a moment comes in any case. */
  async #loseConnection(): Promise<void> {
    const stream = this.#stream;
    if (this.#dice.next() < 0.5) stream.cutAfter(1 + this.#dice.below(LONGEST_BYTES));
    const end = this.#dice.next() < 0.5 ? () => stream.cut() : () => stream.reset();
    const timer = setTimeout(end, this.#dice.below(LONGEST_MS));
    await stream.ended();
    clearTimeout(timer);
    stream.check();
  }

  #collect(): void {
    for (const event of this.#stream.events) {
      if (event.type !== 'gateway.open') this.events.push(event);
      else if (this.#stream.head !== undefined && event.data.includes('"resumed":false')) this.notResumed += 1;
    }
  }
}
