/** A raw HTTP peer: writes exactly the bytes it is told, and reads responses in order. */
import { connect, type Socket } from 'node:net';
import { type ResponseHead, ResponseReader } from './http-reader.ts';
import type { Owner } from './owner.ts';
import { DEADLINE_MS, Watch } from './wait.ts';

/** A response as it stands. */
export interface RawResponse {
  readonly head: ResponseHead;
  readonly body: string;
  /** False while it is still being sent, or where it was cut. */
  readonly complete: boolean;
}

/** One connection that keeps no rules of its own. */
export class Peer {
  readonly responses: RawResponse[] = [];
  closed = false;
  readonly #socket: Socket;
  readonly #reader: ResponseReader;
  readonly #watch = new Watch();
  #violation: Error | undefined;

  /** `methods` are those of the requests in order, where HEAD is among them. */
  constructor(port: number, methods: readonly string[] = []) {
    this.#reader = new ResponseReader(
      {
        head: (head) => void this.responses.push({ head, body: '', complete: false }),
        body: (bytes) => this.#change((last) => ({ ...last, body: last.body + bytes.toString('latin1') })),
        chunkEnd: () => undefined,
        end: () => this.#change((last) => ({ ...last, complete: true })),
      },
      () => methods[this.responses.length - 1] === 'HEAD',
    );
    this.#socket = connect({ host: '127.0.0.1', port, noDelay: true });
    this.#socket.on('data', (bytes) => this.#data(bytes));
    this.#socket.on('error', () => undefined); // 'close' follows
    this.#socket.on('close', () => {
      this.#reader.close();
      this.closed = true;
      this.#watch.changed();
    });
  }

  /** Sends lines joined by CRLF, or bytes as they are. */
  write(...lines: string[]): void {
    this.#socket.write(lines.join('\r\n'), 'latin1');
  }

  /** Sends bytes as they are and settles when the kernel has them. */
  flushed(bytes: string): Promise<void> {
    return new Promise((resolve) => void this.#socket.write(bytes, 'latin1', () => resolve()));
  }

  /** Sends a whole request without a body. */
  request(line: string, ...fields: string[]): void {
    this.write(line, ...fields, '', '');
  }

  /** The complete response at `index`, counted from 0. */
  response(index = 0, deadlineMs?: number): Promise<RawResponse> {
    return this.#until(`response ${index}`, () => this.#complete(index), deadlineMs);
  }

  /** The head of the response at `index`, which may go on for ever. */
  async head(index = 0, deadlineMs?: number): Promise<ResponseHead> {
    return (await this.#until(`the head of response ${index}`, () => this.responses[index], deadlineMs)).head;
  }

  /** Settles once a body holds `text`. */
  body(index: number, text: string, deadlineMs?: number): Promise<RawResponse> {
    const probe = () => {
      const response = this.responses[index];
      return response?.body.includes(text) === true && response;
    };
    return this.#until(`${JSON.stringify(text)} in response ${index}`, probe, deadlineMs);
  }

  /** Settles when the connection is gone. */
  async gone(deadlineMs: number = DEADLINE_MS): Promise<void> {
    await this.#watch.until(
      () => `the end of the connection; ${this.#state()}`,
      () => this.closed,
      deadlineMs,
    );
  }

  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #complete(index: number): RawResponse | undefined {
    const response = this.responses[index];
    return response?.complete === true ? response : undefined;
  }

  #data(bytes: Buffer): void {
    try {
      this.#reader.push(bytes);
    } catch (error) {
      this.#violation ??= new Error(String(error), { cause: error });
      this.#socket.destroy();
    }
    this.#watch.changed();
  }

  #change(change: (last: RawResponse) => RawResponse): void {
    const last = this.responses.at(-1);
    if (last !== undefined) this.responses[this.responses.length - 1] = change(last);
  }

  #until<T>(what: string, probe: () => T | undefined | false, deadlineMs: number = DEADLINE_MS): Promise<T> {
    return this.#watch.until(
      () => `${what}; ${this.#state()}`,
      () => {
        if (this.#violation !== undefined) throw this.#violation;
        const answer = probe();
        if ((answer === undefined || answer === false) && this.closed) {
          throw new Error(`the connection ended before ${what}; ${this.#state()}`);
        }
        return answer;
      },
      deadlineMs,
    );
  }

  #state(): string {
    return `so far: ${JSON.stringify(this.responses.map(({ head, body }) => [head.status, body.slice(0, 200)]))}`;
  }
}

/** A peer that is gone with its owner. */
export function connectPeer(owner: Owner, port: number, methods?: readonly string[]): Peer {
  const peer = new Peer(port, methods);
  owner.after(() => peer.destroy());
  return peer;
}
