/** The wire between a gateway and its Redis: it can go dead without a word, and lose an answer with the connection. */
import { connect, createServer, type Socket } from 'node:net';
import type { Owner } from '../../support/owner.ts';

/** A proxy in front of whatever port Redis has now. */
export class Link {
  /** Requests that match are passed on; their connection is reset instead of an answer. */
  losesAnswersTo: RegExp | undefined;
  /** How many answers were lost. */
  lost = 0;
  readonly #port: () => number;
  readonly #server = createServer({ allowHalfOpen: false }, (socket) => this.#pass(socket));
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  #dark = false;

  constructor(port: () => number) {
    this.#port = port;
  }

  /** How many connections the gateway has. */
  get connections(): number {
    return this.#pairs.size;
  }

  /** Where the gateway connects to, once it listens. */
  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  /** Nothing passes in either direction any more, and no connection ends; new ones are taken and lead nowhere. */
  goDark(): void {
    this.#dark = true;
    for (const pair of this.#pairs) for (const socket of pair) socket.pause();
  }

  /** What was on its way when it went dark arrives now. */
  heal(): void {
    this.#dark = false;
    for (const pair of this.#pairs) for (const socket of pair) socket.resume();
  }

  listen(): Promise<void> {
    return new Promise((resolve) => void this.#server.listen(0, '127.0.0.1', resolve));
  }

  close(): void {
    this.#server.close();
    for (const pair of this.#pairs) for (const socket of pair) socket.destroy();
  }

  #pass(near: Socket): void {
    const far = connect({ host: '127.0.0.1', port: this.#port(), noDelay: true });
    const pair = [near, far] as const;
    this.#pairs.add(pair);
    near.setNoDelay(true);
    let armed = false;
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      if (this.#dark) socket.pause();
      socket.on('error', () => undefined); // 'close' follows
      socket.on('close', () => {
        this.#pairs.delete(pair);
        other.destroy();
      });
    }
    near.on('data', (bytes) => {
      armed ||= this.losesAnswersTo?.test(bytes.toString('latin1')) === true;
      far.write(bytes);
    });
    far.on('data', (bytes) => {
      if (!armed) return void near.write(bytes);
      this.lost += 1;
      near.resetAndDestroy();
    });
  }
}

/** Starts a link that closes with its owner. */
export async function startLink(owner: Owner, port: () => number): Promise<Link> {
  const link = new Link(port);
  owner.after(() => link.close());
  await link.listen();
  return link;
}
