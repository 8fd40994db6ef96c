/** IP addresses as bytes, and the ranges that the configuration writes. */
import { isIPv4, isIPv6 } from 'node:net';
import type { Parsed } from './parsed.ts';

/** 4 bytes or 16. An IPv4 address in IPv6 clothes (`::ffff:192.0.2.1`) has 4: it is the same client. */
export type IpAddress = readonly number[];

/** The addresses that begin as `address` does, for `prefix` bits. */
export interface IpRange {
  readonly address: IpAddress;
  readonly prefix: number;
}

/** Whose `X-Forwarded-For` is believed: a range, any address of loopback, or whoever comes by the unix socket. */
export type TrustedProxy = IpRange | 'loopback' | 'unix';

/** Reads an address in its textual form, without brackets and port; what follows a `%` (a zone) is left out. */
export function readIp(text: string): IpAddress | undefined {
  if (isIPv4(text)) return ipv4Bytes(text);
  if (!isIPv6(text)) return undefined;
  const bytes = ipv6Bytes(text.replace(/%.*$/, ''));
  return isMapped(bytes) ? bytes.slice(12) : bytes;
}

/** True where the address is in the range. */
export function isInRange({ address, prefix }: IpRange, candidate: IpAddress): boolean {
  if (candidate.length !== address.length) return false;
  return candidate.every((byte, index) => {
    const bits = Math.min(Math.max(prefix - index * 8, 0), 8);
    return byte >> (8 - bits) === (address[index] ?? 0) >> (8 - bits);
  });
}

/** True for 127.0.0.0/8 and ::1. */
export function isLoopbackIp(address: IpAddress): boolean {
  return LOOPBACK.some((range) => isInRange(range, address));
}

/** The address as it is usually written: `192.0.2.1`, `2001:db8::1`. */
export function ipText(address: IpAddress): string {
  if (address.length === 4) return address.join('.');
  // The URL standard says how zeros are left out.
  return URL.parse(`http://[${ipGroups(address).join(':')}]/`)?.hostname.slice(1, -1) ?? '';
}

/** An IPv6 address as its eight groups, in hexadecimal. */
export function ipGroups(address: IpAddress): string[] {
  return Array.from({ length: address.length / 2 }, (_, group) =>
    (((address[group * 2] ?? 0) << 8) | (address[group * 2 + 1] ?? 0)).toString(16),
  );
}

/** Reads what `server.trusted_proxies` takes: `10.0.0.0/8`, `2001:db8::/32`, one address, `loopback` or `unix`. */
export function parseTrustedProxy(text: string): Parsed<TrustedProxy> {
  if (text === 'loopback' || text === 'unix') return { value: text };
  if (text === 'localhost') return { hint: 'write loopback' };
  const [, written = '', bits] = /^([^/]*)(?:\/(.*))?$/.exec(text) ?? [];
  const address = written.includes('%') ? undefined : readIp(written);
  if (address === undefined) return {};
  const most = address.length * 8;
  const prefix = bits === undefined ? most : prefixOf(bits, most);
  if (prefix === undefined) return { problem: `what follows the / is a number of bits, from 1 to ${most}` };
  if (prefix === 0)
    return { problem: 'this is every address, and any client could say who it is', hint: 'list the proxies alone' };
  const first = firstOf({ address, prefix });
  const whole = first.every((byte, index) => byte === address[index]);
  if (whole) return { value: { address, prefix } };
  const network = `${ipText(first)}/${prefix}`;
  return { problem: `it has bits behind the first ${prefix}`, hint: `write ${network}, or ${written} for it alone` };
}

/** As the configuration writes it. */
export function describeTrustedProxy(proxy: TrustedProxy): string {
  if (typeof proxy === 'string') return proxy;
  const { address, prefix } = proxy;
  return prefix === address.length * 8 ? ipText(address) : `${ipText(address)}/${prefix}`;
}

const LOOPBACK: readonly IpRange[] = [
  { address: [127, 0, 0, 0], prefix: 8 },
  { address: ipv6Bytes('::1'), prefix: 128 },
];

function ipv4Bytes(text: string): number[] {
  return text.split('.').map(Number);
}

/** Only for what `isIPv6` accepts. */
function ipv6Bytes(text: string): number[] {
  const [front = '', back = ''] = text.split('::');
  const [first, last] = [groupBytes(front), groupBytes(back)];
  return [...first, ...Array<number>(16 - first.length - last.length).fill(0), ...last];
}

function groupBytes(groups: string): number[] {
  if (groups === '') return [];
  return groups.split(':').flatMap((group) => {
    if (group.includes('.')) return ipv4Bytes(group);
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
}

function isMapped(bytes: readonly number[]): boolean {
  return bytes.slice(0, 10).every((byte) => byte === 0) && bytes[10] === 0xff && bytes[11] === 0xff;
}

function prefixOf(text: string, most: number): number | undefined {
  return /^(?:0|[1-9]\d{0,2})$/.test(text) && Number(text) <= most ? Number(text) : undefined;
}

function firstOf({ address, prefix }: IpRange): IpAddress {
  return address.map((byte, index) => {
    const bits = Math.min(Math.max(prefix - index * 8, 0), 8);
    return byte & (0xff << (8 - bits)) & 0xff;
  });
}
