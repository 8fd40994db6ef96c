/** What is checked before a request is looked at: whether it was meant for this host, from this origin, with which credential. */
import type { IncomingMessage } from 'node:http';
import type { Credential, Policy, Right, Verdict } from '../auth/policy.ts';
import { ForbiddenError, UnauthenticatedError } from '../errors.ts';
import type { Cors } from './cors.ts';
import { RequestRefused } from './problem.ts';

/** What the guard needs of the configuration. */
export interface GuardOptions {
  readonly policy: Policy;
  readonly cors: Cors;
  /** Allowed Host names, in lower case, without port. */
  readonly hosts: readonly string[];
  /** `loopback`: only its own names are allowed besides `hosts`; `open`: any where `hosts` is empty; `unix`: not checked. */
  readonly reach: 'loopback' | 'open' | 'unix';
}

const HOST = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::([0-9]{1,5}))?$/;
const LOOPBACK_NAME = /^(localhost|127(\.[0-9]{1,3}){3}|\[::1\])$/;

export class Guard {
  readonly #options: GuardOptions;

  constructor(options: GuardOptions) {
    this.#options = options;
  }

  /** Refuses a Host that is not ours: a web page could otherwise reach a gateway on loopback by DNS rebinding. */
  checkHost(request: IncomingMessage): void {
    const { reach, hosts } = this.#options;
    if (reach === 'unix') return;
    if (countOf(request, 'host') > 1) throw new RequestRefused(400, 'bad-host', 'there is more than one Host header');
    const header = request.headers.host?.toLowerCase();
    if (header === undefined) {
      if (request.httpVersion === '1.0') return;
      throw new RequestRefused(400, 'bad-host', 'the Host header is missing');
    }
    const [, name, port] = HOST.exec(header) ?? [];
    if (name === undefined || Number(port ?? 0) > 65535) {
      throw new RequestRefused(400, 'bad-host', 'the Host header is not a host name with an optional port');
    }
    const known = hosts.includes(name) || (reach === 'loopback' && LOOPBACK_NAME.test(name));
    if (known || (reach === 'open' && hosts.length === 0)) return;
    // No page has this key, whatever name it was reached by; the command line knows the address alone.
    if (this.identify(request) === 'local-key') return;
    throw new RequestRefused(
      421,
      'wrong-host',
      `this gateway does not serve "${name}"; add it to server.hosts if it should`,
    );
  }

  /** Refuses a writing request that a web page of another origin has sent, whatever its credential. */
  checkOrigin(request: IncomingMessage): void {
    const { origin, host } = request.headers;
    if (origin === undefined) return;
    const own = /^https?:\/\/(.+)$/.exec(origin.toLowerCase())?.[1];
    if (
      (own !== undefined && own === host?.toLowerCase()) ||
      this.#options.cors.mayWrite(origin, this.identify(request) !== 'nobody')
    )
      return;
    throw new RequestRefused(403, 'foreign-origin', 'web pages of another origin may not write to this gateway');
  }

  /** Who asks, by `Authorization: Bearer`. */
  identify(request: IncomingMessage): Credential {
    if (countOf(request, 'authorization') > 1) {
      throw new RequestRefused(400, 'bad-authorization', 'there is more than one Authorization header');
    }
    const token = /^bearer +([^ ]+) *$/i.exec(request.headers.authorization ?? '')?.[1];
    return this.#options.policy.identify(token);
  }

  /** Whether a right is there; for what is only shown in part. */
  may(right: Right, channel: string | undefined, credential: Credential): boolean {
    return this.#options.policy.decide(right, channel, credential) === 'allowed';
  }

  /** Throws UnauthenticatedError or ForbiddenError where the right is missing, naming it. Without a channel: over all. */
  require(right: Right, channel: string | undefined, credential: Credential): void {
    const lacking = channel === undefined ? `"${right}"` : `"${right}" on "${channel}"`;
    enforce(this.#options.policy.decide(right, channel, credential), lacking);
  }

  /** The same where there is nothing at all that the right is granted over. */
  requireAny(right: Right, credential: Credential): void {
    enforce(this.#options.policy.decideAny(right, credential), `"${right}"`);
  }
}

function enforce(verdict: Verdict, lacking: string): void {
  if (verdict === 'allowed') return;
  if (verdict === 'forbidden') throw new ForbiddenError(`the right ${lacking} is not granted to this credential`);
  throw new UnauthenticatedError(`the right ${lacking} needs a credential`, {
    hint: 'send "Authorization: Bearer KEY", or grant the right to everybody under "allow" in the config file',
  });
}

function countOf(request: IncomingMessage, header: string): number {
  let count = 0;
  for (let i = 0; i < request.rawHeaders.length; i += 2) {
    if (request.rawHeaders[i]?.toLowerCase() === header) count += 1;
  }
  return count;
}
