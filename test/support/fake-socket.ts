/** A socket without a network: it takes as many bytes as a test gives it room for, as a slow client's kernel would. */
import { Socket } from 'node:net';

/** More than any test writes, keeps or waits for. */
export const UNBOUNDED = Number.MAX_SAFE_INTEGER;

/** What Node hands to a stream that takes several writes at once. */
type Piece = { readonly chunk: Buffer | string; readonly encoding: BufferEncoding };

/** Writes to a socket that is gone which are taken for a mistake. */
const MOST_LATE = 1000;

/** Behaves as `net.Socket` in all that a writer can see: bytes beyond the room stay in `writableLength`. */
export class FakeSocket extends Socket {
  /** What the last `setTimeout` asked for, in milliseconds; no timer ever runs. */
  timeoutMs = 0;
  readonly #take: (bytes: Buffer) => void;
  #room: number;
  #late = 0;
  #waiting: { rest: Buffer; readonly done: (error?: Error) => void } | undefined;

  /** `take` gets the bytes as the client does; `room` is how many there is room for. */
  constructor(take: (bytes: Buffer) => void, room = UNBOUNDED) {
    super();
    this.#take = take;
    this.#room = room;
  }

  /** Makes room for `bytes` more: the client reads. */
  give(bytes: number): void {
    this.#room += bytes;
    this.#flow();
  }

  /** The client sends something. */
  say(text: string): void {
    this.push(Buffer.from(text));
  }

  /** The client ends its side. */
  halfClose(): void {
    this.push(null);
  }

  /** The client resets the connection. */
  hangUp(): void {
    this.destroy(new Error('read ECONNRESET'));
  }

  override setTimeout(ms: number): this {
    this.timeoutMs = ms;
    return this;
  }

  /** Nothing that is written to a socket that is gone can ever be taken: who goes on would never let go of the process. */
  override write(chunk: Buffer | string, ...rest: never[]): boolean {
    if (this.destroyed) this.#late += 1;
    if (this.#late > MOST_LATE) throw new Error('somebody goes on writing to a socket that is gone');
    return super.write(chunk, ...rest);
  }

  override _read(): void {
    // What the client sends is pushed by the test.
  }

  /** As the kernel does, what it was writing fails a little later. */
  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting !== undefined) setImmediate(() => waiting.done(new Error('write ECANCELED')));
    super._destroy(error, done);
  }

  override _write(chunk: Buffer | string, encoding: BufferEncoding, done: (error?: Error) => void): void {
    this.#waiting = { rest: bytesOf({ chunk, encoding }), done };
    this.#flow();
  }

  override _writev(pieces: Piece[], done: (error?: Error) => void): void {
    this.#waiting = { rest: Buffer.concat(pieces.map(bytesOf)), done };
    this.#flow();
  }

  #flow(): void {
    const waiting = this.#waiting;
    if (waiting === undefined || this.destroyed) return;
    const taken = waiting.rest.subarray(0, this.#room);
    this.#room -= taken.length;
    waiting.rest = waiting.rest.subarray(taken.length);
    if (taken.length > 0) this.#take(taken);
    if (waiting.rest.length > 0) return;
    this.#waiting = undefined;
    waiting.done();
  }
}

function bytesOf({ chunk, encoding }: Piece): Buffer {
  return typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk;
}
