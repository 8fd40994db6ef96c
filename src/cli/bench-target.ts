/** From the gateway that was found to what raw sockets connect to. */
import type { Gateway } from '../client/exchange.ts';
import type { Target } from '../load/target.ts';

/** The same gateway, with the credential of now. */
export function targetOf({ address, token }: Gateway): Target {
  const url = new URL(address.origin);
  const tls = url.protocol === 'https:';
  const port = url.port === '' ? (tls ? 443 : 80) : Number(url.port);
  const endpoint =
    address.socketPath === undefined
      ? { host: url.hostname.replace(/^\[|\]$/g, ''), port, tls }
      : { path: address.socketPath };
  return { endpoint, host: url.host, basePath: address.basePath, token: token() };
}
