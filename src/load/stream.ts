/** One subscriber of a load: a raw socket that is opened, judged, and scanned from then on. */
import type { Socket } from 'node:net';
import { Chunks } from './chunks.ts';
import { HEADROOM, type Scanner } from './scanner.ts';
import { openSocket, type Target } from './target.ts';

/** What each stream is opened with. */
export interface StreamOptions {
  readonly target: Target;
  /** The whole head of the request that opens a stream. */
  readonly request: (stream: number) => string;
  /** What a stream has read when it is surely open. */
  readonly opened: RegExp;
  /** What a stream must not have read by then, and what it means; default: anything goes. */
  readonly unfit?: { readonly pattern: RegExp; readonly problem: string };
  readonly scanner: (stream: number) => Scanner;
  /** Called before the bytes of a read are scanned, and after. */
  readonly before: () => void;
  readonly after: () => void;
  /**
   * Whether the server is known never to cut an event in two chunks, so that they need not be taken apart, which is
   * cheaper. A proxy in between cuts anywhere.
   */
  readonly wholeChunks: boolean;
}

/** More than the head of an answer and what stands before `gateway.open`, in characters. */
const LONGEST_HEAD = 256 * 1024;

/** Who is told what becomes of a stream. */
export interface Told {
  readonly opened: () => void;
  /** Once at most; `problem` only where it was not open before. */
  readonly ended: (problem: string | undefined) => void;
}

export class Stream {
  state: 'opening' | 'open' | 'over' = 'opening';
  readonly #options: StreamOptions;
  readonly #buffer: Buffer;
  readonly #told: Told;
  readonly #scanner: Scanner;
  readonly #socket: Socket;
  /** Takes the body apart where it comes in chunks that may be cut anywhere. */
  #chunks: Chunks | undefined;
  /** The head of the answer, and behind it the body, until the stream is open. */
  #head = '';
  #body: string | undefined;
  #problem = 'the connection was closed';

  constructor(options: StreamOptions, at: number, buffer: Buffer, told: Told) {
    this.#options = options;
    this.#buffer = buffer;
    this.#told = told;
    this.#scanner = options.scanner(at);
    const read = (size: number): boolean => {
      this.#read(HEADROOM + size);
      return true;
    };
    this.#socket = openSocket(options.target, { buffer: buffer.subarray(HEADROOM), callback: read });
    this.#socket.write(options.request(at), 'latin1');
    this.#socket.on('error', (error: NodeJS.ErrnoException) => {
      this.#problem = PROBLEMS[error.code ?? ''] ?? error.message;
    });
    this.#socket.on('close', () => this.end(this.#body === undefined ? this.#problem : TURNED_AWAY));
  }

  /** Ends it; the problem counts where it was not open. */
  end(problem: string): void {
    if (this.state === 'over') return;
    const opening = this.state === 'opening';
    this.state = 'over';
    this.#socket.destroy();
    this.#told.ended(opening ? problem : undefined);
  }

  #read(end: number): void {
    if (this.state === 'open') this.#scan(HEADROOM, end);
    else if (this.state === 'opening') this.#begin(end);
  }

  #scan(start: number, end: number): void {
    const { before, after } = this.#options;
    before();
    this.#takeBody(start, end, (from, to) => this.#scanner.scan(this.#buffer, from, to));
    after();
  }

  #takeBody(start: number, end: number, take: (from: number, to: number) => void): void {
    if (this.#chunks === undefined) take(start, end);
    else this.#chunks.take(this.#buffer, start, end, take);
  }

  #begin(end: number): void {
    const start = this.#body === undefined ? this.#readHead(end) : HEADROOM;
    if (this.#body === undefined || this.state !== 'opening') return;
    const ranges: [from: number, to: number][] = [];
    this.#takeBody(start, end, (from, to) => {
      ranges.push([from, to]);
      this.#body += this.#buffer.toString('latin1', from, to);
    });
    if (!this.#judge(this.#body)) return;
    // Who comes back has its first events in the read that opens it.
    const { before, after } = this.#options;
    before();
    for (const [from, to] of ranges) this.#scanner.scan(this.#buffer, from, to);
    after();
  }

  /** Reads on in the head of the answer; gives where the body begins. */
  #readHead(end: number): number {
    const known = this.#head.length;
    this.#head += this.#buffer.toString('latin1', HEADROOM, end);
    const length = this.#head.indexOf('\r\n\r\n') + 4;
    if (length < 4) {
      if (this.#head.length > LONGEST_HEAD) this.end('the head of the answer does not end');
      return end;
    }
    const head = this.#head.slice(0, length);
    if (!/^HTTP\/1\.[01] 200 /.test(head)) {
      this.end(`HTTP ${head.slice(9, 12)}`);
      return end;
    }
    const chunked = /^transfer-encoding: *chunked/im.test(head);
    this.#chunks = chunked && !this.#options.wholeChunks ? new Chunks() : undefined;
    this.#body = '';
    return HEADROOM + length - known;
  }

  /** Whether it is open now. */
  #judge(body: string): boolean {
    const { opened, unfit } = this.#options;
    if (!opened.test(body)) {
      if (body.length > LONGEST_HEAD) this.end('not confirmed, but full of other events');
      return false;
    }
    if (unfit?.pattern.test(body) === true) {
      this.end(unfit.problem);
      return false;
    }
    this.state = 'open';
    this.#head = '';
    this.#body = undefined;
    this.#told.opened();
    return true;
  }
}

/** What a gateway does that has no room: a browser comes back from it by itself. */
const TURNED_AWAY = 'answered and closed before it was open: the gateway is full, or stopping';

const PROBLEMS: Readonly<Record<string, string>> = {
  EMFILE: 'this process may open no more files (`ulimit -n`)',
  EADDRNOTAVAIL: 'this machine has no more ports for connections to one address',
  ECONNREFUSED: 'nobody listens there',
  ECONNRESET: 'the connection was reset',
};
