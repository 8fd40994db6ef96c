/**
 * The server under load, over raw sockets.
 *
 * Thousands of connections share one process with all that is measured: an HTTP client would cost more for each event
 * than the server does, and its work would be told as the server's latency. Whether requests are answered at all is
 * asked by a real client before.
 */
import { connect as connectTcp, type OnReadOpts, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

/** Where the server is, and what every request to it carries. */
export interface Target {
  /** An IPv6 address without brackets. */
  readonly endpoint:
    | { readonly host: string; readonly port: number; readonly tls: boolean }
    | { readonly path: string };
  /** The Host header. */
  readonly host: string;
  /** What stands before `/events`: empty, or `/live`. */
  readonly basePath: string;
  /** A bearer token; undefined for none. */
  readonly token: string | undefined;
}

/** A gateway on this machine that asks for nothing. */
export function localTarget(port: number): Target {
  const endpoint = { host: '127.0.0.1', port, tls: false };
  return { endpoint, host: `127.0.0.1:${port}`, basePath: '', token: undefined };
}

/** Begins to connect. `onread` reads into a buffer that all sockets share. */
export function openSocket({ endpoint }: Target, onread?: OnReadOpts): Socket {
  const reading = onread === undefined ? {} : { onread };
  if ('path' in endpoint) return connectTcp({ path: endpoint.path, ...reading });
  const { host, port, tls } = endpoint;
  if (!tls) return connectTcp({ host, port, noDelay: true, ...reading });
  const socket = connectTls({
    host,
    port,
    servername: /[a-z]/i.test(host) && !host.includes(':') ? host : '',
    ...reading,
  });
  return socket.setNoDelay(true);
}

/** The first lines of a request, without the empty line that ends them. `path` is percent-encoded. */
export function requestHead({ host, basePath, token }: Target, method: 'GET' | 'POST', path: string): string {
  const authorization = token === undefined ? '' : `Authorization: Bearer ${token}\r\n`;
  return `${method} ${basePath}${path} HTTP/1.1\r\nHost: ${host}\r\n${authorization}`;
}
