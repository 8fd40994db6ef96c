/**
 * Every error the product raises on purpose: a class each, with a stable `code`.
 * HTTP statuses are decided from it in `http/problem.ts`, exit codes in `cli/exit.ts`.
 */

/** What a caller may rely on: `code` never changes, `message` is for people, `hint` says what to do about it. */
export abstract class GatewayError extends Error {
  abstract readonly code: string;
  readonly hint: string | undefined;

  constructor(message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.hint = options.hint;
  }
}

/** A command line or a request that cannot mean anything: CLI exit 2, HTTP 400. */
export class UsageError extends GatewayError {
  readonly code = 'usage';
}

/** One thing that is wrong in a configuration. Lines and columns count from 1; 0 where there is no place. */
export interface ConfigProblem {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** Dotted path of the key, such as `channels.prices.history.age`; empty for the whole file. */
  readonly path: string;
  /** One sentence: what was found and what is wanted. */
  readonly message: string;
  /** What to write instead, where that is known. */
  readonly hint?: string;
}

/** A configuration that cannot be served, with all of its problems. CLI exit 78. */
export class ConfigError extends GatewayError {
  readonly code = 'config';
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    super(problems.map(describeProblem).join('\n'));
    this.problems = problems;
  }
}

/** `file:line:column: path: message (hint)`, the form editors jump to. */
export function describeProblem(problem: ConfigProblem): string {
  const place = problem.line > 0 ? `${problem.file}:${problem.line}:${problem.column}` : problem.file;
  const path = problem.path === '' ? '' : `${problem.path}: `;
  const hint = problem.hint === undefined ? '' : ` (${problem.hint})`;
  return `${place}: ${path}${problem.message}${hint}`;
}

/** No credential, or one that is not known: HTTP 401, CLI exit 77. */
export class UnauthenticatedError extends GatewayError {
  readonly code = 'unauthenticated';
}

/** A known caller without the right: HTTP 403, CLI exit 77. */
export class ForbiddenError extends GatewayError {
  readonly code = 'forbidden';
}

/** A channel that no configuration names: HTTP 404. */
export class UnknownChannelError extends GatewayError {
  readonly code = 'unknown-channel';
}

/** An operation that the channel's feed does not have, such as publishing to a pattern: HTTP 405. */
export class UnsupportedError extends GatewayError {
  readonly code = 'unsupported';
}

/** An event beyond `limits.event_size`: HTTP 413. */
export class TooLargeError extends GatewayError {
  readonly code = 'too-large';
}

/** An idempotency key that was used for another event before: HTTP 422. */
export class ConflictError extends GatewayError {
  readonly code = 'conflict';
}

/** A limit of the gateway is reached, such as `limits.channels`: HTTP 503. */
export class LimitError extends GatewayError {
  readonly code = 'limit';
}

/** The source is down or refuses; nothing was written: HTTP 503, CLI exit 1. */
export class SourceDownError extends GatewayError {
  readonly code = 'source-down';
}

/** The answer was lost; the write may or may not have happened: HTTP 504, CLI exit 75. */
export class OutcomeUnknownError extends GatewayError {
  readonly code = 'outcome-unknown';
}

/** An address that cannot be listened on, such as a port that is taken. CLI exit 1. */
export class ListenError extends GatewayError {
  readonly code = 'listen';
}
