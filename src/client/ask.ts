/** A question that is answered in time, or of which nobody can know what became of it. */
import type { Clock } from '../clock.ts';
import { type Answer, type Connection, failureReason, type Question } from './exchange.ts';

/** How it is asked. `timeout` is for the whole exchange, in milliseconds. */
export interface AskOptions {
  readonly timeout: number;
  readonly clock: Clock;
  /** Ends it early; the outcome is `unknown` where the request was on its way. */
  readonly signal: AbortSignal;
}

/** No answer. `unreachable`: nothing has happened. `unknown`: what was asked for may or may not have happened. */
export interface Unanswered {
  readonly kind: 'unreachable' | 'unknown';
  readonly reason: string;
}

/** Asks once and reads the answer by `read`, all of it within the time. */
export async function ask<T>(
  connection: Connection,
  question: Omit<Question, 'signal'>,
  options: AskOptions,
  read: (answer: Answer) => Promise<T>,
): Promise<T | Unanswered> {
  const stop = new AbortController();
  const interrupt = (): void => stop.abort(new Error('interrupted'));
  const cancel = options.clock.after(options.timeout, () =>
    stop.abort(new Error(`no answer in ${options.timeout / 1000} s`)),
  );
  options.signal.addEventListener('abort', interrupt);
  if (options.signal.aborted) interrupt();
  try {
    const answer = await connection.ask({ ...question, signal: stop.signal });
    if (answer.kind === 'no-answer') return { kind: answer.sent ? 'unknown' : 'unreachable', reason: answer.reason };
    return await read(answer);
  } catch (error) {
    return { kind: 'unknown', reason: failureReason(error, connection.address) };
  } finally {
    cancel();
    options.signal.removeEventListener('abort', interrupt);
  }
}
