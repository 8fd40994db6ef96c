/** One connection that posts one message after the other, and is opened anew where it broke. */
import type { Socket } from 'node:net';
import type { Clock } from '../clock.ts';
import { openSocket, type Target } from './target.ts';

/** What became of a message: taken, certainly not taken, or nobody knows. */
export type Posted =
  | { readonly kind: 'taken' }
  | { readonly kind: 'refused'; readonly why: string }
  | { readonly kind: 'unanswered'; readonly why: string };

/** A connection that has rested for this long, in milliseconds, is not used again: the server may be closing it now. */
const KEEP_MS = 1000;

/** Where a connection broke the next one is opened after this long, in milliseconds. */
const PAUSE_MS = 100;

export class HttpConnection {
  readonly #target: Target;
  readonly #clock: Clock;
  #socket: Socket | undefined;
  #connected = false;
  #done: ((posted: Posted) => void) | undefined;
  #answer = '';
  #usedAt = 0;

  /** Begins to connect. */
  constructor(target: Target, clock: Clock) {
    this.#target = target;
    this.#clock = clock;
    this.#connect();
  }

  /** Whether the answer to a message is waited for. */
  get busy(): boolean {
    return this.#done !== undefined;
  }

  /** Sends a whole request in ASCII. Only where it is not busy; `done` is called once. */
  post(request: string, done: (posted: Posted) => void): void {
    this.#done = done;
    this.#ready().write(request, 'latin1');
  }

  close(): void {
    this.#socket?.removeAllListeners('close').destroy();
    this.#socket = undefined;
  }

  #ready(): Socket {
    const now = this.#clock.now();
    if (this.#connected && now - this.#usedAt > KEEP_MS) this.close();
    this.#usedAt = now;
    return this.#socket ?? this.#connect();
  }

  #connect(): Socket {
    const socket = openSocket(this.#target);
    this.#socket = socket;
    this.#connected = false;
    this.#answer = '';
    let reason = 'the connection was closed';
    socket.setEncoding('latin1');
    socket.on('connect', () => {
      this.#connected = true;
    });
    socket.on('data', (text) => this.#take(String(text)));
    socket.on('error', (error) => {
      reason = error.message;
    });
    socket.on('close', () => this.#closed(reason));
    return socket;
  }

  #closed(why: string): void {
    const [done, connected] = [this.#done, this.#connected];
    this.#socket = undefined;
    this.#connected = false;
    if (done === undefined) return; // a server may close what rests
    this.#clock.after(PAUSE_MS, () => this.#end({ kind: connected ? 'unanswered' : 'refused', why }));
  }

  #take(text: string): void {
    this.#answer += text;
    const answer = wholeAnswer(this.#answer);
    if (answer === undefined) return;
    this.#answer = '';
    this.#usedAt = this.#clock.now();
    if (answer.last) this.close();
    this.#end(meaningOf(answer));
  }

  #end(posted: Posted): void {
    const done = this.#done;
    this.#done = undefined;
    done?.(posted);
  }
}

interface Answer {
  readonly status: number;
  readonly body: string;
  /** Nothing more comes on this connection. */
  readonly last: boolean;
}

/** The answer that a text holds; undefined where it is not there to its end. */
function wholeAnswer(text: string): Answer | undefined {
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const head = text.slice(0, end);
  const body = text.slice(end + 4);
  const length = /^content-length: *(\d+)/im.exec(head)?.[1];
  const whole = length === undefined ? body.endsWith('0\r\n\r\n') || !isChunked(head) : body.length >= Number(length);
  if (!whole) return undefined;
  return { status: Number(head.slice(9, 12)), body, last: /^connection: *close/im.test(head) };
}

function isChunked(head: string): boolean {
  return /^transfer-encoding: *chunked/im.test(head);
}

/** 504: the gateway does not know whether its source took it; 502: a proxy lost the gateway's answer. */
function meaningOf({ status, body }: Answer): Posted {
  if (status >= 200 && status < 300) return { kind: 'taken' };
  const detail = /"detail":"((?:[^"\\]|\\.)*)"/.exec(body)?.[1];
  const why = detail === undefined ? `HTTP ${status}` : `HTTP ${status}: ${detail}`;
  return { kind: status === 502 || status === 504 ? 'unanswered' : 'refused', why };
}
