/** Errors as HTTP answers them (RFC 9457): the one place where an error becomes a status. */
import { STATUS_CODES } from 'node:http';
import { GatewayError } from '../errors.ts';

/** An answer other than the one asked for. `detail` says what to do. */
export interface Problem {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const STATUS_OF: Readonly<Record<string, number>> = {
  usage: 400,
  unauthenticated: 401,
  forbidden: 403,
  'unknown-channel': 404,
  unsupported: 405,
  'too-large': 413,
  conflict: 422,
  limit: 503,
  'source-down': 503,
  'outcome-unknown': 504,
};

/** A refusal that is no error of ours: the request itself cannot be answered. */
export class RequestRefused extends Error implements Problem {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, code: string, detail: string, headers: Readonly<Record<string, string>> = {}) {
    super(detail);
    this.status = status;
    this.code = code;
    this.detail = detail;
    this.headers = headers;
  }
}

/** What is answered for an error. One that nobody foresaw says nothing about the inside. */
export function problemOf(error: unknown): Problem {
  if (error instanceof RequestRefused) return error;
  const status = error instanceof GatewayError ? STATUS_OF[error.code] : undefined;
  if (!(error instanceof GatewayError) || status === undefined) {
    return { status: 500, code: 'internal', detail: 'the gateway failed at this request; its log says more' };
  }
  const detail = error.hint === undefined ? error.message : `${error.message}; ${error.hint}`;
  const headers =
    status === 401 ? { 'WWW-Authenticate': 'Bearer' } : status === 503 ? { 'Retry-After': '1' } : undefined;
  return { status, code: error.code, detail, ...(headers !== undefined && { headers }) };
}

/** The whole answer: title, headers and body. */
export function renderProblem(problem: Problem): { title: string; headers: Record<string, string>; body: string } {
  const { status, code, detail } = problem;
  const title = STATUS_CODES[status] ?? 'Error';
  const body = `${JSON.stringify({ type: 'about:blank', title, status, code, detail })}\n`;
  const headers = {
    'Content-Type': 'application/problem+json',
    'Content-Length': String(Buffer.byteLength(body)),
    'Cache-Control': 'no-store',
    ...problem.headers,
  };
  return { title, headers, body };
}
