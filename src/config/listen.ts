/** The address that is listened on: `host:port` or `unix:/path`. */
import { isHost, isLoopbackHost, parsePort, splitHost } from './host.ts';
import type { Parsed } from './parsed.ts';

/** `port` 0 takes a free one. */
export type Listen =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string };

/** True where only this machine can connect. A unix socket counts as loopback. */
export function isLoopback(listen: Listen): boolean {
  return listen.kind === 'unix' || isLoopbackHost(listen.host);
}

/** `127.0.0.1:8080`, `[::1]:8080` or `unix:/path`, as the configuration writes it. */
export function describeListen(listen: Listen): string {
  if (listen.kind === 'unix') return `unix:${listen.path}`;
  return listen.host.includes(':') ? `[${listen.host}]:${listen.port}` : `${listen.host}:${listen.port}`;
}

/** The path of a unix socket holds 107 bytes and a NUL (unix(7)). */
const MAX_SOCKET_PATH = 107;

/** Reads what `server.listen` and `--listen` take. */
export function parseListen(text: string): Parsed<Listen> {
  if (text.startsWith('unix:')) return parseSocketPath(text.slice('unix:'.length));
  if (text.startsWith('/')) return { hint: `write unix:${text}` };
  if (parsePort(text) !== undefined) return { hint: `write 127.0.0.1:${text}, or 0.0.0.0:${text} for every interface` };
  if (/^https?:/.test(text)) return { hint: 'leave http:// away' };
  const split = splitHost(text);
  if (!split) return text.includes('::') ? { hint: 'write IPv6 addresses in brackets, such as [::1]:8080' } : {};
  if (split.host === '' || split.host === '*') {
    const port = split.port ?? '8080';
    return { problem: 'the host is missing', hint: `write 127.0.0.1:${port}, or 0.0.0.0:${port} for every interface` };
  }
  if (!isHost(split.host)) return { problem: 'the host is neither a name nor an IP address' };
  if (split.port === undefined) return { problem: 'the port is missing', hint: `write ${text}:8080` };
  const port = parsePort(split.port);
  if (port === undefined) return { problem: 'the port is not a plain number from 0 to 65535' };
  return { value: { kind: 'tcp', host: split.host, port } };
}

function parseSocketPath(path: string): Parsed<Listen> {
  if (!path.startsWith('/'))
    return { problem: 'the path of the socket must begin with /', hint: 'write unix:/run/sse-gateway.sock' };
  if (path.includes('\0')) return { problem: 'the path of the socket has a NUL in it' };
  if (Buffer.byteLength(path) > MAX_SOCKET_PATH)
    return { problem: `the path of the socket is longer than ${MAX_SOCKET_PATH} bytes` };
  return { value: { kind: 'unix', path } };
}
