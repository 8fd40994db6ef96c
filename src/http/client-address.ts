/**
 * Who a client is, for what is counted per address. Nothing else follows from it: rights are decided by the listen
 * address and by credentials, never by what a header says about where a request came from.
 */
import type { IncomingMessage } from 'node:http';
import { parsePort, splitHost } from '../config/host.ts';
import { type IpAddress, ipGroups, ipText, isInRange, isLoopbackIp, readIp, type TrustedProxy } from '../config/ip.ts';

/** Header lines that are read; Node leaves the rest out without a word. */
export const MAX_HEADER_LINES = 100;

/** One station on the way of a request: an address, or the unix socket, which has none. */
type Hop = IpAddress | 'unix';

export class ClientAddresses {
  readonly #trusted: readonly TrustedProxy[];

  /** `trusted`: whose `X-Forwarded-For` is believed. */
  constructor(trusted: readonly TrustedProxy[]) {
    this.#trusted = trusted;
  }

  /**
   * The address that the client of a request is counted under: `192.0.2.7`, or the network of an IPv6 address,
   * `2001:db8:1:2::/64`, since one client has all of that. Undefined by a unix socket where no proxy says more.
   */
  of(request: IncomingMessage): string | undefined {
    const { remoteAddress } = request.socket;
    let hop: Hop = (remoteAddress === undefined ? undefined : readIp(remoteAddress)) ?? 'unix';
    // What stands furthest to the right was written by who is nearest to us.
    for (const said of forwardedFor(request).reverse()) {
      const before = this.#trusts(hop) ? readHop(said.trim()) : undefined;
      if (before === undefined) break;
      hop = before;
    }
    return hop === 'unix' ? undefined : clientOf(hop);
  }

  #trusts(hop: Hop): boolean {
    return this.#trusted.some((proxy) => {
      if (hop === 'unix' || proxy === 'unix') return proxy === hop;
      return proxy === 'loopback' ? isLoopbackIp(hop) : isInRange(proxy, hop);
    });
  }
}

/** All lines of the header as one list, the oldest first; nothing where a proxy's own line may have been left out. */
function forwardedFor(request: IncomingMessage): string[] {
  const header = request.headers['x-forwarded-for'];
  if (header === undefined || request.rawHeaders.length >= 2 * MAX_HEADER_LINES) return [];
  return String(header).split(',');
}

/** An address, also as `192.0.2.7:5000`, `[2001:db8::1]` or `[2001:db8::1]:5000`: some proxies write the port too. */
function readHop(text: string): IpAddress | undefined {
  const address = readIp(text);
  if (address !== undefined) return address;
  const { host, port } = splitHost(text) ?? {};
  return host === undefined || (port !== undefined && parsePort(port) === undefined) ? undefined : readIp(host);
}

function clientOf(address: IpAddress): string {
  return address.length === 4 ? ipText(address) : `${ipGroups(address).slice(0, 4).join(':')}::/64`;
}
