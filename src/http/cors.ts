/** Which web pages of other origins may read answers (Fetch standard, CORS protocol). */
import type { IncomingMessage } from 'node:http';

/** As configured under `cors`. */
export interface CorsOptions {
  /** Exact origins, or `*` alone. */
  readonly origins: readonly string[];
  readonly credentials: boolean;
}

const METHODS = 'GET, HEAD, POST, DELETE';
const HEADERS = 'Authorization, Content-Type, Idempotency-Key, Last-Event-ID, Cache-Control';
/** Seconds that a browser remembers a preflight. */
const MAX_AGE = '7200';

export class Cors {
  readonly #origins: ReadonlySet<string>;
  readonly #credentials: boolean;

  constructor({ origins, credentials }: CorsOptions) {
    this.#origins = new Set(origins);
    this.#credentials = credentials;
  }

  /**
   * Whether a page of this origin may write. `*` lets everybody read; it lets those write who bring a credential, which
   * no page can have of another one.
   */
  mayWrite(origin: string, bringsCredential: boolean): boolean {
    return this.#origins.has(origin) || (bringsCredential && this.#origins.has('*'));
  }

  /** The headers that every answer to this request carries. */
  headers(request: IncomingMessage): Record<string, string> {
    const { origin } = request.headers;
    if (this.#origins.size === 0) return {};
    if (this.#origins.has('*')) return { 'Access-Control-Allow-Origin': '*' };
    if (origin === undefined || !this.#origins.has(origin)) return { Vary: 'Origin' };
    return {
      'Access-Control-Allow-Origin': origin,
      Vary: 'Origin',
      ...(this.#credentials && { 'Access-Control-Allow-Credentials': 'true' }),
    };
  }

  /** The headers that answer a preflight, beside those of every answer. */
  preflight(request: IncomingMessage): Record<string, string> {
    if (this.headers(request)['Access-Control-Allow-Origin'] === undefined) return {};
    return {
      'Access-Control-Allow-Methods': METHODS,
      'Access-Control-Allow-Headers': HEADERS,
      'Access-Control-Max-Age': MAX_AGE,
    };
  }
}
