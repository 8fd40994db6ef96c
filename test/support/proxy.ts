/** A TCP proxy that loses answers on demand: the other side has done what was asked, and nobody hears of it. */
import { connect, createServer, type Socket } from 'node:net';
import type { Owner } from './owner.ts';
import { Watch } from './wait.ts';

/** How much of what was passed on is remembered, in bytes. */
const REMEMBERED = 10_000;

/** A proxy in front of a port of this machine. */
export class TcpProxy {
  /** Answers that are lost, each with its connection; all of them pass while this is undefined. */
  loses: RegExp | undefined;
  /** How many were lost. */
  lost = 0;
  readonly #target: number;
  readonly #server = createServer((client) => this.#pass(client));
  readonly #sockets = new Set<Socket>();
  readonly #watch = new Watch();
  #asked = '';

  constructor(target: number) {
    this.#target = target;
  }

  /** Settles with the port to connect to. */
  listen(): Promise<number> {
    return new Promise((resolve) => {
      this.#server.listen(0, '127.0.0.1', () => {
        const address = this.#server.address();
        resolve(typeof address === 'object' && address !== null ? address.port : 0);
      });
    });
  }

  /** Settles once what clients have asked lately matches; it has been passed on by then. */
  async asked(pattern: RegExp): Promise<void> {
    await this.#watch.until(
      () => `${pattern} to be asked; so far: ${JSON.stringify(this.#asked.slice(-300))}`,
      () => pattern.test(this.#asked),
    );
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #pass(client: Socket): void {
    const upstream = connect({ host: '127.0.0.1', port: this.#target, noDelay: true });
    for (const socket of [client, upstream]) {
      this.#sockets.add(socket);
      socket.on('error', () => undefined); // 'close' follows
      socket.on('close', () => {
        client.destroy();
        upstream.destroy();
      });
    }
    client.on('data', (bytes) => {
      upstream.write(bytes);
      this.#asked = (this.#asked + bytes.toString('latin1')).slice(-REMEMBERED);
      this.#watch.changed();
    });
    upstream.on('data', (bytes) => {
      if (this.loses?.test(bytes.toString('latin1')) === true) {
        this.lost += 1;
        client.resetAndDestroy();
      } else client.write(bytes);
    });
  }
}

/** Starts a proxy in front of `target`; settles with it and its port. */
export async function startProxy(owner: Owner, target: number): Promise<{ proxy: TcpProxy; port: number }> {
  const proxy = new TcpProxy(target);
  owner.after(() => proxy.close());
  return { proxy, port: await proxy.listen() };
}
