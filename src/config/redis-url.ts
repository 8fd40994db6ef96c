/** Where a Redis is: URLs, and Sentinels that know. A password never leaves this file in a message. */
import { isHost, parsePort, splitHost } from './host.ts';
import type { Parsed } from './parsed.ts';

/** Where a Redis is and how to log in. `tls` for `rediss://`. */
export interface RedisAddress {
  readonly host: string;
  readonly port: number;
  readonly db: number;
  readonly tls: boolean;
  readonly username?: string;
  readonly password?: string;
}

/** A place on the network. */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** A Redis whose primary is asked of its Sentinels. What stands beside `sentinel` is for the servers; `tls` for both. */
export interface SentinelAddress {
  readonly sentinel: {
    /** What the Sentinels call the primary. */
    readonly name: string;
    readonly nodes: readonly HostPort[];
    readonly password?: string;
  };
  readonly db: number;
  readonly tls: boolean;
  readonly username?: string;
  readonly password?: string;
}

/** One server, or those that Sentinels watch. */
export type RedisDeployment = RedisAddress | SentinelAddress;

/** Reads `redis://[user:password@]host[:port][/db]` and `rediss://...`. The problem never repeats the text. */
export function parseRedisUrl(text: string): Parsed<RedisAddress> {
  const [, scheme, rest] = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/(.*)$/s.exec(text) ?? [];
  if (scheme === undefined || rest === undefined || scheme === 'unix') return withoutScheme(text);
  if (scheme !== 'redis' && scheme !== 'rediss')
    return {
      problem: `a Redis URL begins with redis:// or rediss://${nearScheme(scheme)}`,
      ...(scheme === 'redis-sentinel' && { hint: SENTINEL }),
    };
  if (/[\s\x00-\x1f\x7f]/.test(rest))
    return { problem: 'the URL has a space or control character in it', hint: ENCODE };
  const at = rest.lastIndexOf('@');
  const login = parseLogin(at < 0 ? '' : rest.slice(0, at));
  if (!('value' in login)) return login;
  const server = parseServer(rest.slice(at + 1));
  if (!('value' in server)) return server;
  return { value: { ...server.value, ...login.value, tls: scheme === 'rediss' } };
}

const SENTINEL = 'write sources: {main: {sentinel: {name: mymaster, nodes: ["127.0.0.1:26379", ...]}}}';
const ENCODE = 'in user and password write / as %2F, # as %23, ? as %3F, @ as %40, % as %25, a space as %20';

/** `redis://host:port/db` with `***` for user and password, or `NAME by Sentinel at host:port, ...`; for logs. */
export function describeRedis(address: RedisDeployment): string {
  if ('sentinel' in address) {
    const { name, nodes } = address.sentinel;
    return `${name} by Sentinel at ${nodes.map(describeHostPort).join(', ')}`;
  }
  const login = address.username === undefined && address.password === undefined ? '' : '***@';
  return `redis${address.tls ? 's' : ''}://${login}${describeHostPort(address)}/${address.db}`;
}

/** `host:port`, with brackets around IPv6 addresses. */
export function describeHostPort({ host, port }: HostPort): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Reads `host` or `host:port` of a Sentinel; the port is 26379 where it is left out. */
export function parseSentinelNode(text: string): Parsed<HostPort> {
  if (text.includes('://') || text.includes('@')) return { hint: 'write host:port alone; logins have their own keys' };
  const split = splitHost(text);
  if (!split) return text.includes('::') ? { hint: 'write IPv6 addresses in brackets, such as [::1]:26379' } : {};
  if (!isHost(split.host)) return { problem: 'the host is neither a name nor an IP address' };
  const port = split.port === undefined ? DEFAULT_SENTINEL_PORT : parsePort(split.port);
  if (port === undefined || port === 0) return { problem: 'the port is not a plain number from 1 to 65535' };
  return { value: { host: split.host, port } };
}

/** The URL as it may be shown: user and password are `***`; all of it where it cannot be read. */
export function redactUrl(text: string): string {
  const parsed = parseRedisUrl(text);
  return parsed.value === undefined ? '***' : describeRedis(parsed.value);
}

function withoutScheme(text: string): Parsed<never> {
  if (text.startsWith('/') || text.startsWith('unix:'))
    return { problem: 'unix sockets of Redis are not available in this version' };
  return { problem: 'a Redis URL begins with redis:// or rediss://', hint: 'write redis://127.0.0.1:6379' };
}

/** What people write instead. Another word may be a piece of a password, so it is not repeated. */
const OTHER_SCHEMES =
  /^(?:https?|wss?|tcp|tls|valkeys?|redis-sentinel|redis\+\w{1,9}|amqps?|nats|mqtts?|postgres(?:ql)?|mysql)$/i;

function nearScheme(scheme: string): string {
  return OTHER_SCHEMES.test(scheme) ? `, not ${scheme}://` : '';
}

function parseLogin(text: string): Parsed<Pick<RedisAddress, 'username' | 'password'>> {
  if (text === '') return { value: {} };
  const raw = /[/?#@]/.exec(text);
  if (raw) return { problem: `the user or password has a bare ${raw[0]} in it`, hint: ENCODE };
  const colon = text.indexOf(':');
  if (colon < 0)
    return {
      problem: 'what stands before @ has no colon',
      hint: 'write redis://user:password@host, or redis://:password@host',
    };
  const username = decode(text.slice(0, colon));
  const password = decode(text.slice(colon + 1));
  if (username === undefined || password === undefined)
    return { problem: 'the user or password has a % that is no escape', hint: ENCODE };
  return { value: { ...(username === '' ? {} : { username }), ...(password === '' ? {} : { password }) } };
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined; // a % without two hex digits, or bytes that are no UTF-8
  }
}

function parseServer(text: string): Parsed<Pick<RedisAddress, 'host' | 'port' | 'db'>> {
  const [, authority = '', path = '', extra] = /^([^/?#]*)(?:\/([^?#]*))?([?#].*)?$/s.exec(text) ?? [];
  if (extra !== undefined)
    return { problem: 'the URL has a ? or # part, which is not used', hint: `leave it away; ${ENCODE}` };
  const split = splitHost(authority);
  if (!split)
    return { problem: 'the host and port cannot be read', hint: `IPv6 addresses stand in brackets; ${ENCODE}` };
  if (split.host === '') return { problem: 'the host is missing', hint: 'write redis://127.0.0.1:6379' };
  if (!isHost(split.host)) return { problem: 'the host is neither a name nor an IP address', hint: ENCODE };
  const port = split.port === undefined ? DEFAULT_PORT : parsePort(split.port);
  if (port === undefined || port === 0)
    return { problem: 'the port is not a plain number from 1 to 65535', hint: ENCODE };
  if (!/^\d{0,5}$/.test(path)) return { problem: 'the database is not a number', hint: 'write redis://host:6379/0' };
  return { value: { host: split.host, port, db: Number(path) } };
}

const DEFAULT_PORT = 6379;
const DEFAULT_SENTINEL_PORT = 26_379;
