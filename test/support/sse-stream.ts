/** A strict SSE client on a bare socket: sees every byte, can be cut anywhere, and can stop reading. */
import { connect, type Socket } from 'node:net';
import { type ResponseHead, ResponseReader } from './http-reader.ts';
import type { Owner } from './owner.ts';
import { type ReceivedEvent, SseReader } from './sse-reader.ts';
import { DEADLINE_MS, Watch } from './wait.ts';

/** How a response ended: with its last chunk, or in the middle. */
export type StreamEnd = 'complete' | 'cut';

/** What the request says beside its path. */
export interface StreamOptions {
  readonly lastEventId?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  /** Default 1.1. */
  readonly version?: '1.0' | '1.1';
  /** The address that it comes from, such as 127.0.0.2. */
  readonly from?: string;
}

/** One request for a stream and everything that came back. */
export class SseStream {
  readonly events: ReceivedEvent[] = [];
  /** What `EventSource` would send as `Last-Event-ID`. */
  lastEventId: string | undefined;
  retry: number | undefined;
  comments = 0;
  bytes = 0;
  head: ResponseHead | undefined;
  end: StreamEnd | undefined;
  /** The body where it is no event stream. */
  text = '';
  readonly #socket: Socket;
  readonly #http: ResponseReader;
  readonly #sse: SseReader;
  readonly #watch = new Watch();
  readonly #url: string;
  #budget = Number.POSITIVE_INFINITY;
  #taken = 0;
  #done = false;
  #violation: Error | undefined;

  constructor(url: string, options: StreamOptions = {}) {
    this.#url = url;
    this.lastEventId = options.lastEventId;
    this.#sse = new SseReader({
      event: (event) => this.#received(event),
      comment: () => {
        this.comments += 1;
      },
      retry: (ms) => {
        this.retry = ms;
      },
    });
    this.#http = new ResponseReader({
      head: (head) => {
        this.head = head;
      },
      body: (bytes) => this.#body(bytes),
      chunkEnd: () => this.#boundary('a chunk ends inside an event'),
      end: () => {
        this.#done = true;
      },
    });
    const { hostname, port } = new URL(url);
    this.#socket = connect({
      ...{ host: hostname, port: Number(port), noDelay: true },
      ...(options.from !== undefined && { localAddress: options.from }),
    });
    this.#socket.write(requestText(url, options));
    this.#socket.on('data', (bytes) => this.#data(bytes));
    this.#socket.on('error', () => undefined); // 'close' follows
    this.#socket.on('close', () => this.#closed());
  }

  /** The port of its own end. */
  get port(): number {
    return this.#socket.localPort ?? 0;
  }

  /** The status line and header fields. */
  responded(): Promise<ResponseHead> {
    return this.#until('a response', () => this.head);
  }

  /** The first bytes: `retry` and a comment. */
  greeted(): Promise<number> {
    return this.#until('retry and a comment', () => (this.comments > 0 ? this.retry : undefined));
  }

  /** `gateway.open`; what came before it and it itself count as taken. */
  async opened(deadlineMs?: number): Promise<ReceivedEvent> {
    const isOpen = (event: ReceivedEvent) => event.type === 'gateway.open';
    const open = await this.#until('gateway.open', () => this.events.find(isOpen), deadlineMs);
    this.#taken = this.events.indexOf(open) + 1;
    return open;
  }

  /** What came before `gateway.open`: the gaps found when subscribing. */
  gapsBeforeOpen(): ReceivedEvent[] {
    return this.events.slice(
      0,
      this.events.findIndex((event) => event.type === 'gateway.open'),
    );
  }

  /** The next `count` events of any type that were not taken before. */
  async take(count: number, deadlineMs?: number): Promise<ReceivedEvent[]> {
    const start = this.#taken;
    await this.#until(`${count} events more`, () => this.events.length >= start + count, deadlineMs);
    this.#taken = start + count;
    return this.events.slice(start, start + count);
  }

  /** The next event. */
  async next(deadlineMs?: number): Promise<ReceivedEvent> {
    const [event] = await this.take(1, deadlineMs);
    if (event === undefined) throw new Error('no event');
    return event;
  }

  /** Settles once `probe` finds what it looks for in this stream. */
  until<T>(what: string, probe: () => T | undefined | false, deadlineMs?: number): Promise<T> {
    return this.#until(what, probe, deadlineMs, true);
  }

  /** How the response ended. */
  ended(deadlineMs?: number): Promise<StreamEnd> {
    return this.#until('the end of the response', () => this.end, deadlineMs, true);
  }

  /** Closes the connection now; what is in flight is lost to this client. */
  cut(): void {
    this.#socket.destroy();
  }

  /** Closes the connection with a reset, as a phone that loses its network does at best. */
  reset(): void {
    this.#socket.resetAndDestroy();
  }

  /** Takes `bytes` more of the body, then loses the connection in the middle of whatever it is. */
  cutAfter(bytes: number): void {
    this.#budget = bytes;
    if (bytes === 0) this.cut();
  }

  /** Stops reading: the kernel's buffers fill, then the sender's. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Sends bytes after the request; no client should. */
  write(bytes: string): void {
    this.#socket.write(bytes);
  }

  /** Ends its sending side and goes on reading. */
  halfClose(): void {
    this.#socket.end();
  }

  /** Throws at the first thing that broke a promise of the wire. */
  check(): void {
    if (this.#violation !== undefined) throw this.#violation;
  }

  #data(bytes: Buffer): void {
    if (this.#socket.destroyed) return;
    try {
      this.#http.push(bytes);
    } catch (error) {
      this.#violation ??= new Error(`${this.#url}: ${String(error)}`, { cause: error });
      this.#socket.destroy();
    }
    if (this.#done) this.#socket.destroy();
    this.#watch.changed();
  }

  #body(bytes: Buffer): void {
    this.bytes += bytes.length;
    if (this.head?.headers.get('content-type')?.startsWith('text/event-stream') !== true) {
      this.text += bytes.toString('utf8');
      return;
    }
    if (this.#socket.destroyed) return;
    const part = bytes.subarray(0, this.#budget);
    this.#budget -= part.length;
    this.#sse.push(part);
    if (this.#budget <= 0) this.#socket.destroy();
  }

  #boundary(what: string): void {
    if (!this.#sse.atBoundary && this.#budget > 0) throw new Error(what);
  }

  #received(event: ReceivedEvent): void {
    this.events.push(event);
    this.lastEventId = event.id ?? this.lastEventId;
  }

  #closed(): void {
    if (this.#http.close()) this.#done = true;
    this.end = this.#done && this.head !== undefined ? 'complete' : 'cut';
    if (this.end === 'complete' && !this.#sse.atBoundary && this.#budget > 0) {
      this.#violation ??= new Error(`${this.#url}: the response ends inside an event`);
    }
    this.#watch.changed();
  }

  #until<T>(
    what: string,
    probe: () => T | undefined | false,
    deadlineMs: number = DEADLINE_MS,
    afterEnd = false,
  ): Promise<T> {
    return this.#watch.until(
      () => `${what} on ${this.#url}; ${this.#state()}`,
      () => {
        this.check();
        const answer = probe();
        if ((answer === undefined || answer === false) && this.end !== undefined && !afterEnd) {
          throw new Error(`ended (${this.end}) before ${what} on ${this.#url}; ${this.#state()}`);
        }
        return answer;
      },
      deadlineMs,
    );
  }

  #state(): string {
    const last = this.events.slice(-3).map((event) => JSON.stringify(event).slice(0, 300));
    return `status ${this.head?.status}, ${this.events.length} events, the last: ${last.join(' ')} ${this.text}`;
  }
}

/** Opens a stream that is cut with its owner, and fails the test if it ever broke a promise of the wire. */
export function openStream(owner: Owner, url: string, options: StreamOptions = {}): SseStream {
  const stream = new SseStream(url, options);
  owner.after(() => {
    stream.cut();
    stream.check();
  });
  return stream;
}

function requestText(url: string, options: StreamOptions): string {
  const { pathname, search, host } = new URL(url);
  const fields = { host, accept: 'text/event-stream', ...options.headers };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}`);
  if (options.lastEventId !== undefined) lines.push(`last-event-id: ${options.lastEventId}`);
  return `GET ${pathname}${search} HTTP/${options.version ?? '1.1'}\r\n${lines.join('\r\n')}\r\n\r\n`;
}
