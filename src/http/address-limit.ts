/** Bounds the open streams of each client address. */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { ClientAddresses } from './client-address.ts';

const addressOf = Symbol('address');
type CountedSocket = Socket & { [addressOf]?: string };

export class AddressLimit {
  #limit: number;
  #addresses: ClientAddresses;
  /** Addresses that have open streams, and no others. */
  readonly #open = new Map<string, number>();
  /** One handler for all sockets: no closure for each. */
  readonly #onClose: (this: CountedSocket) => void;

  /** `limit`: streams of one address; 0 for no limit, and then nothing is looked at. */
  constructor(limit: number, addresses: ClientAddresses) {
    this.#limit = limit;
    this.#addresses = addresses;
    const open = this.#open;
    this.#onClose = function () {
      const address = this[addressOf] ?? '';
      const left = (open.get(address) ?? 0) - 1;
      if (left > 0) open.set(address, left);
      else open.delete(address);
    };
  }

  /** Goes by another limit and other proxies, for whoever comes from now on. */
  limit(limit: number, addresses: ClientAddresses): void {
    this.#limit = limit;
    this.#addresses = addresses;
  }

  /** How many addresses have an open stream. */
  get size(): number {
    return this.#open.size;
  }

  /** Counts a stream until its socket closes, for whatever reason; false where its address has as many as it may. */
  admits(request: IncomingMessage, socket: Socket): boolean {
    if (this.#limit === 0) return true;
    const address = this.#addresses.of(request);
    // What closed already will not tell so again.
    if (address === undefined || socket.closed) return true;
    const streams = this.#open.get(address) ?? 0;
    if (streams >= this.#limit) return false;
    this.#open.set(address, streams + 1);
    (socket as CountedSocket)[addressOf] = address;
    socket.on('close', this.#onClose);
    return true;
  }
}
