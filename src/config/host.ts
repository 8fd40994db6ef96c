/** Host names and addresses: what may be listened on, connected to, or named in a Host header. */
import { BlockList, isIPv4, isIPv6 } from 'node:net';

/** True for an IPv4 address, an IPv6 address without brackets, or a DNS name (RFC 1123). */
export function isHost(text: string): boolean {
  if (isIPv4(text) || isIPv6(text)) return true;
  // A name whose last label is a number is a mistyped address, and resolvers disagree on it.
  return text.length <= 253 && DNS_NAME.test(text) && !/(?:^|\.)\d+$/.test(text);
}

const DNS_NAME =
  /^[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?(?:\.[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)*$/;

/** The host and port of `host:port`, `[ipv6]:port` or `host`, unchecked; undefined where the text has another shape. */
export function splitHost(text: string): { host: string; port: string | undefined } | undefined {
  const [, bracketed, plain, port] = /^(?:\[([^[\]]*)\]|([^:[\]]*))(?::([^:]*))?$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined || (bracketed !== undefined && !isIPv6(bracketed))) return undefined;
  return { host, port };
}

/** The port, or undefined for anything but a plain decimal number from 0 to 65535. */
export function parsePort(text: string): number | undefined {
  return /^(?:0|[1-9]\d{0,4})$/.test(text) && Number(text) <= 65_535 ? Number(text) : undefined;
}

/** True for addresses that only this machine reaches: 127.0.0.0/8, ::1 and `localhost`. */
export function isLoopbackHost(host: string): boolean {
  if (isIPv4(host)) return LOOPBACK.check(host, 'ipv4');
  if (isIPv6(host)) return LOOPBACK.check(host, 'ipv6');
  return host.toLowerCase() === 'localhost';
}

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');
