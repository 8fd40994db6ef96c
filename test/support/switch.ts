/** A TCP proxy whose new connections go where a test says, as behind a fail-over; those that stand stay where they are. */
import { connect, createServer, type Socket } from 'node:net';
import type { Owner } from './owner.ts';

/** A proxy in front of one of several ports of this machine. */
export class Switch {
  /** The port to which new connections go. */
  target: number;
  readonly server = createServer((client) => this.#pass(client));
  readonly #sockets = new Set<Socket>();

  constructor(target: number) {
    this.target = target;
  }

  close(): void {
    this.server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #pass(client: Socket): void {
    const upstream = connect({ host: '127.0.0.1', port: this.target, noDelay: true });
    for (const socket of [client, upstream]) {
      this.#sockets.add(socket);
      socket.on('error', () => undefined); // 'close' follows
      socket.on('close', () => {
        client.destroy();
        upstream.destroy();
      });
    }
    client.pipe(upstream).pipe(client);
  }
}

/** Starts a proxy in front of `target`; settles with it and its port. */
export function startSwitch(owner: Owner, target: number): Promise<{ proxy: Switch; port: number }> {
  const proxy = new Switch(target);
  owner.after(() => proxy.close());
  return new Promise((resolve) => {
    proxy.server.listen(0, '127.0.0.1', () => {
      const address = proxy.server.address();
      resolve({ proxy, port: typeof address === 'object' && address !== null ? address.port : 0 });
    });
  });
}
