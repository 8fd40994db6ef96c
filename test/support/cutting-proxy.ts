/** A TCP proxy in front of the gateway that cuts connections in the middle of an event, and answers as proxies do when it is away. */
import { connect, createServer, type Socket } from 'node:net';
import type { Owner } from './owner.ts';
import { Watch } from './wait.ts';

const BAD_GATEWAY =
  'HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\nContent-Length: 3\r\nConnection: close\r\n\r\n502';

/** What a client gets while nobody listens behind the proxy: a lost connection, or what most proxies answer. */
export type Away = 'reset' | 'bad-gateway';

/** A proxy in front of a port of this machine. */
export class CuttingProxy {
  #away: Away = 'reset';
  #shut = false;
  #turnedAway = 0;
  readonly #target: number;
  readonly #server = createServer((client) => this.#take(client));
  /** What each open connection is cut behind; those that come later are left alone. */
  readonly #markers = new Map<Socket, string | undefined>();
  readonly #watch = new Watch();

  constructor(target: number) {
    this.#target = target;
  }

  /** Where clients connect to, once it listens. */
  get url(): string {
    const address = this.#server.address();
    return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  }

  /** Every connection that is open now is cut right behind the first answer bytes that spell `marker`. */
  cutBehind(marker: string): void {
    for (const client of this.#markers.keys()) this.#markers.set(client, marker);
  }

  /** From now on clients are turned away like this while nobody listens; settles when another one was. */
  async turnsAway(away: Away): Promise<void> {
    this.#away = away;
    const before = this.#turnedAway;
    await this.#watch.until(
      () => `a client that comes to ${this.url} while nobody listens`,
      () => this.#turnedAway > before,
    );
  }

  /** Cuts everybody and turns everybody away from now on, though somebody listens; `reopen` ends it. */
  shut(): void {
    this.#shut = true;
    for (const client of this.#markers.keys()) client.destroy();
  }

  reopen(): void {
    this.#shut = false;
  }

  listen(): Promise<void> {
    return new Promise((resolve) => void this.#server.listen(0, '127.0.0.1', resolve));
  }

  close(): void {
    this.#server.close();
    for (const client of this.#markers.keys()) client.destroy();
  }

  #take(client: Socket): void {
    this.#markers.set(client, undefined);
    client.setNoDelay(true);
    client.on('error', () => undefined); // 'close' follows
    client.on('close', () => this.#markers.delete(client));
    if (this.#shut) this.#turnAway(client);
    else this.#pass(client);
  }

  #pass(client: Socket): void {
    const upstream = connect({ host: '127.0.0.1', port: this.#target, noDelay: true });
    let refused = false;
    client.on('close', () => upstream.destroy());
    upstream.on('error', (error) => {
      refused = 'syscall' in error && error.syscall === 'connect';
      if (refused) this.#turnAway(client);
    });
    upstream.on('close', () => {
      if (!refused) client.destroySoon();
    });
    client.on('data', (bytes) => void upstream.write(bytes));
    upstream.on('data', this.#passOrCut(client, upstream));
  }

  #passOrCut(client: Socket, upstream: Socket): (bytes: Buffer) => void {
    let tail = '';
    return (bytes) => {
      const marker = this.#markers.get(client);
      if (marker === undefined) return void client.write(bytes);
      const seen = tail + bytes.toString('latin1');
      const at = seen.indexOf(marker);
      const end = at === -1 ? bytes.length : at + marker.length - tail.length;
      tail = seen.slice(1 - marker.length);
      client.write(bytes.subarray(0, end));
      if (at !== -1) upstream.destroy();
    };
  }

  /** Once it has asked: a socket that is closed before it was read is reset, and its client never sees the answer. */
  #turnAway(client: Socket): void {
    if (client.bytesRead === 0) {
      client.once('data', () => this.#turnAway(client));
      return;
    }
    if (this.#away === 'bad-gateway') client.write(BAD_GATEWAY);
    client.destroySoon();
    this.#turnedAway += 1;
    this.#watch.changed();
  }
}

/** Starts a proxy in front of `target` that closes with its owner. */
export async function startCuttingProxy(owner: Owner, target: number): Promise<CuttingProxy> {
  const proxy = new CuttingProxy(target);
  owner.after(() => proxy.close());
  await proxy.listen();
  return proxy;
}
