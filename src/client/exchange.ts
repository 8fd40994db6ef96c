/** HTTP requests to a gateway and their answers: the only outbound HTTP there is. */
import { Client, errors } from 'undici';
import type { GatewayAddress } from './address.ts';

/** Whom to ask, and with which credential. */
export interface Gateway {
  readonly address: GatewayAddress;
  /** Sent as `Authorization: Bearer`; undefined for none. Asked for at each request: a gateway that restarts has a new local key. */
  readonly token: () => string | undefined;
}

/** What to ask for. `path` is relative to the gateway's base path, already percent-encoded. */
export interface Question {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** Ends the exchange, at any time. */
  readonly signal: AbortSignal;
}

/** The head of an answer; its body can be read once. `close` ends the connection it came on. */
export interface Answer {
  readonly kind: 'answer';
  readonly status: number;
  /** A header by its lower-case name; the first one where it was repeated. */
  header(name: string): string | undefined;
  readonly body: AsyncIterable<Uint8Array>;
  close(): Promise<void>;
}

/** No answer. `sent` is false only where the request certainly has not reached the gateway. */
export interface NoAnswer {
  readonly kind: 'no-answer';
  readonly sent: boolean;
  readonly reason: string;
}

/** Asks once, on a connection of its own. It has no time limit; `signal` sets one. */
export async function exchange(gateway: Gateway, question: Question): Promise<Answer | NoAnswer> {
  const connection = new Connection(gateway);
  const answer = await connection.ask(question);
  if (answer.kind === 'no-answer') await connection.close();
  return answer;
}

/** How long a connection is kept between two requests, in milliseconds: less than any server keeps one, so that no request meets its end. */
const KEEP_MS = 1000;
/** Time is measured by the caller's clock: undici's own timers are off. */
const NO_LIMITS = { headersTimeout: 0, bodyTimeout: 0 } as const;

/**
 * A connection for one request after the other. Nothing is asked a second time, and no redirect is followed: a
 * credential goes to one address only.
 */
export class Connection {
  readonly #gateway: Gateway;
  readonly #client: Client;
  #standing = false;
  /** Frees the connection of what is left of the last answer. */
  #dropLast: () => Promise<void> = async () => undefined;

  constructor(gateway: Gateway) {
    const { origin, socketPath } = gateway.address;
    this.#gateway = gateway;
    this.#client = new Client(origin, {
      ...NO_LIMITS,
      keepAliveTimeout: KEEP_MS,
      keepAliveMaxTimeout: KEEP_MS,
      allowH2: false,
      connect: { timeout: 0, ...(socketPath === undefined ? {} : { socketPath }) },
    });
    this.#client.on('connect', () => {
      this.#standing = true;
    });
    this.#client.on('disconnect', () => {
      this.#standing = false;
    });
  }

  get address(): GatewayAddress {
    return this.#gateway.address;
  }

  /** Asks once; what is left of the answer before is dropped. `signal` is the only time limit. */
  async ask(question: Question): Promise<Answer | NoAnswer> {
    const { address } = this.#gateway;
    const token = this.#gateway.token();
    const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
    let sent = this.#standing;
    const connected = (): void => {
      sent = true;
    };
    this.#client.once('connect', connected);
    try {
      await this.#dropLast();
      const { statusCode, headers, body } = await this.#client.request({
        method: question.method,
        path: `${address.basePath}${question.path}`,
        headers: { 'user-agent': 'sse-gateway', 'accept-encoding': 'identity', ...question.headers, ...authorization },
        body: question.body ?? null,
        signal: question.signal,
      });
      this.#dropLast = () => body.dump();
      const header = (name: string): string | undefined => {
        const value = headers[name];
        return typeof value === 'string' ? value : value?.[0];
      };
      return { kind: 'answer', status: statusCode, header, body, close: () => this.close() };
    } catch (error) {
      return { kind: 'no-answer', sent, reason: failureReason(error, address) };
    } finally {
      this.#client.off('connect', connected);
    }
  }

  /** Ends it, and what is asked on it. */
  async close(): Promise<void> {
    await this.#client.destroy();
  }
}

/** Why nothing or nothing more came, for people; `error` is what undici or Node threw. */
export function failureReason(error: unknown, address: GatewayAddress): string {
  const cause = error instanceof AggregateError ? error.errors[0] : error;
  const code = errorCode(cause);
  if (cause instanceof errors.HTTPParserError) return `what listens on ${address.authority} does not speak HTTP`;
  if (code === 'ENOENT' || (code === 'ECONNREFUSED' && address.socketPath !== undefined)) {
    return `no gateway listens on ${address.authority}`;
  }
  if (code !== undefined && Object.hasOwn(REASONS, code)) return `${REASONS[code]} ${address.authority}`;
  return cause instanceof Error ? cause.message : String(cause);
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'no gateway listens on',
  ENOTFOUND: 'there is no such host:',
  EAI_AGAIN: 'the host name cannot be looked up now:',
  EHOSTUNREACH: 'there is no way to',
  ENETUNREACH: 'there is no way to',
  EACCES: 'not allowed to connect to',
  ETIMEDOUT: 'no answer from',
  ECONNRESET: 'the connection was broken by',
  EPIPE: 'the connection was broken by',
  UND_ERR_SOCKET: 'the connection was closed by',
};

function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
