/** Where a gateway is: read from what people type, and named for the key file that belongs to it. */
import { UsageError } from '../errors.ts';

/** A gateway that can be asked. */
export interface GatewayAddress {
  /** As people write it, without a trailing slash: `http://127.0.0.1:8080/live`, `unix:/run/sse-gateway.sock`. */
  readonly text: string;
  /** What HTTP is spoken to: `http://127.0.0.1:8080`; for a socket only its Host header comes from here. */
  readonly origin: string;
  /** The unix socket that is connected to instead of the origin. */
  readonly socketPath: string | undefined;
  /** What stands before `/events`: empty, or `/live`. */
  readonly basePath: string;
  /** `host:port` or `unix:/path`: what the local key of a running gateway is named after. */
  readonly authority: string;
}

/** Where `serve` listens when nobody says otherwise. */
export const DEFAULT_ADDRESS = 'http://127.0.0.1:8080';

/**
 * Reads `http://host:port/base`, `https://...`, `host:port` or `unix:/path`.
 * The addresses that mean "every interface" become loopback, since they cannot be connected to. Throws `UsageError`.
 */
export function parseAddress(text: string): GatewayAddress {
  if (text.startsWith('unix:')) return socketAddress(text);
  const url = parseUrl(text);
  const host = CONNECTABLE.get(url.hostname) ?? url.hostname;
  const port = url.port === '' ? DEFAULT_PORTS[url.protocol] : url.port;
  const origin = `${url.protocol}//${host}:${port}`;
  const basePath = url.pathname.replace(/\/+$/, '');
  return { text: `${origin}${basePath}`, origin, socketPath: undefined, basePath, authority: `${host}:${port}` };
}

/** The same gateway behind another path, as `server.base_path` puts it there. */
export function withBasePath(address: GatewayAddress, path: string): GatewayAddress {
  const basePath = path.replace(/\/+$/, '');
  const text = address.socketPath === undefined ? `${address.origin}${basePath}` : address.text;
  return { ...address, text, basePath };
}

const CONNECTABLE: ReadonlyMap<string, string> = new Map([
  ['0.0.0.0', '127.0.0.1'],
  ['[::]', '[::1]'],
]);
const DEFAULT_PORTS: Readonly<Record<string, string>> = { 'http:': '80', 'https:': '443' };

function socketAddress(text: string): GatewayAddress {
  const path = text.slice('unix:'.length);
  if (!path.startsWith('/'))
    throw invalid(text, 'write unix: and the absolute path of the socket, such as unix:/run/sse-gateway.sock');
  return { text, origin: 'http://localhost', socketPath: path, basePath: '', authority: text };
}

function parseUrl(text: string): URL {
  const url = URL.parse(text.includes('://') ? text : `http://${text}`);
  if (url === null || !Object.hasOwn(DEFAULT_PORTS, url.protocol))
    throw invalid(text, `write it as ${DEFAULT_ADDRESS}`);
  // The text itself is left out of this message: it holds a secret.
  if (url.username !== '' || url.password !== '') {
    throw new UsageError('the address of the gateway has a user name or password in it', {
      hint: 'give a credential by --token-file',
    });
  }
  if (url.search !== '' || url.hash !== '') throw invalid(text, 'leave the query and everything after # away');
  return url;
}

function invalid(text: string, hint: string): UsageError {
  // Before an @ there may be a password.
  const shown = text.includes('@') ? 'what was given' : `"${text}"`;
  return new UsageError(`${shown} is not the address of a gateway`, { hint });
}
