/** What a client makes of the bytes of one response: framing judged by RFC 9112, events by what the gateway promises. */
import { ResponseReader } from './http-reader.ts';
import { type ReceivedEvent, SseReader } from './sse-reader.ts';

/** Takes the bytes of a response from its head on. Throws at the first that may not be written. */
export class ResponseBody {
  readonly events: ReceivedEvent[] = [];
  comments = 0;
  retry: number | undefined;
  /** The response has ended as a response should. */
  complete = false;
  /** Bytes of the body without its framing. */
  readonly #payload: Buffer[] = [];
  readonly #sse: SseReader;
  readonly #http: ResponseReader;
  readonly #received: (event: ReceivedEvent) => void;

  /** `received` is told of each event as soon as it is whole. */
  constructor(received: (event: ReceivedEvent) => void = () => undefined) {
    this.#received = received;
    this.#sse = new SseReader({
      event: (event) => {
        this.events.push(event);
        this.#received(event);
      },
      comment: () => {
        this.comments += 1;
      },
      retry: (ms) => {
        this.retry = ms;
      },
    });
    this.#http = new ResponseReader({
      head: () => undefined,
      body: (bytes) => {
        this.#payload.push(bytes);
        this.#sse.push(bytes);
      },
      chunkEnd: () => this.#boundary('a chunk ends inside an event'),
      end: () => {
        this.#boundary('the response ends inside an event');
        this.complete = true;
      },
    });
  }

  /** What EventSource would send as `Last-Event-ID`. */
  get lastEventId(): string | undefined {
    return this.events.findLast((event) => event.id !== undefined)?.id;
  }

  get payload(): Buffer {
    return Buffer.concat(this.#payload);
  }

  push(bytes: Buffer): void {
    if (this.complete) throw new Error(`${bytes.length} bytes after the end of the response`);
    this.#http.push(bytes);
  }

  /** The connection has ended. */
  close(): void {
    this.#http.close();
  }

  #boundary(what: string): void {
    if (!this.#sse.atBoundary) throw new Error(what);
  }
}
