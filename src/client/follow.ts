/** Following channels of a gateway for as long as it takes: reconnects, resumes, and says what happens meanwhile. */
import type { Clock, Random } from '../clock.ts';
import { BackOff } from './backoff.ts';
import { type Answer, exchange, failureReason, type Gateway, type NoAnswer } from './exchange.ts';
import { type StreamEvent, StreamParser } from './parser.ts';
import { carries, notAGateway, type Refusal, readRefusal } from './refusal.ts';
import { Silence } from './silence.ts';

/** What to follow. */
export interface FollowOptions {
  readonly channels: readonly string[];
  /** Where to resume; empty for a start without a cursor. */
  readonly lastEventId: string;
  /** What to begin with where there is no cursor; undefined for what the gateway chooses. */
  readonly start?: FollowStart | undefined;
  /** Whether the data of events names their channel (`envelope=1`). */
  readonly enveloped?: boolean;
  readonly clock: Clock;
  readonly random: Random;
  /** Ends it: the outcome is `stopped`. */
  readonly signal: AbortSignal;
}

/** Of what is kept: the last `count` events, or those since a time such as `5m` or `start`. */
export type FollowStart =
  | { readonly kind: 'last'; readonly count: number }
  | { readonly kind: 'since'; readonly since: string };

/** What happens while following. `cut` comes before each wait of `ms` milliseconds. */
export type FollowItem =
  | { readonly kind: 'connected' }
  | { readonly kind: 'events'; readonly events: readonly StreamEvent[] }
  | { readonly kind: 'cut'; readonly reason: string; readonly ms: number };

/** Why following is over. `unreachable` is only for a gateway that has never answered; later it is waited for. */
export type FollowEnd =
  | { readonly kind: 'ended' }
  | { readonly kind: 'stopped' }
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  | { readonly kind: 'unreachable'; readonly reason: string };

/** Yields what happens, returns why it is over. What was yielded is what a reconnect resumes after. */
export function follow(gateway: Gateway, options: FollowOptions): AsyncGenerator<FollowItem, FollowEnd, void> {
  return new Following(gateway, options).run();
}

/** How long a gateway may take for the head of its answer, in milliseconds. */
const ANSWER_MS = 10_000;

/** One connection that is over although the channels are not. `retry` is a wish for this once, in milliseconds. */
interface Cut {
  readonly kind: 'cut';
  readonly reason: string;
  readonly retry?: number;
  /** The last that was heard is the end of a channel: the answer to the next request says whether all have ended. */
  readonly afterEnd?: boolean;
}

class Following {
  readonly #gateway: Gateway;
  readonly #options: FollowOptions;
  readonly #backOff: BackOff;
  readonly #silence = new Silence();
  #lastEventId: string;
  #retry: number | undefined;
  #answered = false;

  constructor(gateway: Gateway, options: FollowOptions) {
    this.#gateway = gateway;
    this.#options = options;
    this.#backOff = new BackOff(options.random);
    this.#lastEventId = options.lastEventId;
  }

  async *run(): AsyncGenerator<FollowItem, FollowEnd, void> {
    let asked = false;
    for (;;) {
      const end = yield* this.#connection();
      if (this.#options.signal.aborted) return { kind: 'stopped' };
      if (end.kind !== 'cut') return end;
      // At once, but never twice in a row.
      asked = end.afterEnd === true && !asked;
      if (asked) continue;
      const ms = this.#backOff.next(end.retry ?? this.#retry);
      yield { kind: 'cut', reason: end.reason, ms };
      await this.#wait(ms);
    }
  }

  async *#connection(): AsyncGenerator<FollowItem, FollowEnd | Cut, void> {
    const { clock, signal } = this.#options;
    const stop = new AbortController();
    const interrupt = (): void => stop.abort();
    const tooLate = clock.after(ANSWER_MS, () => stop.abort(new Error(`no answer in ${ANSWER_MS / 1000} s`)));
    signal.addEventListener('abort', interrupt);
    if (signal.aborted) interrupt();
    try {
      const answer = await exchange(this.#gateway, {
        method: 'GET',
        path: followPath(this.#options),
        headers: { accept: 'text/event-stream', 'cache-control': 'no-cache', ...resumeHeader(this.#lastEventId) },
        signal: stop.signal,
      });
      if (answer.kind === 'no-answer') return this.#withoutAnswer(answer);
      this.#answered = true;
      try {
        const refused = await judge(answer);
        if (refused !== undefined) return refused;
        tooLate();
        yield { kind: 'connected' };
        return yield* this.#stream(answer, stop);
      } finally {
        await answer.close();
      }
    } finally {
      tooLate();
      signal.removeEventListener('abort', interrupt);
    }
  }

  #withoutAnswer({ reason }: NoAnswer): FollowEnd | Cut {
    return this.#answered ? { kind: 'cut', reason } : { kind: 'unreachable', reason };
  }

  async *#stream(answer: Answer, stop: AbortController): AsyncGenerator<FollowItem, FollowEnd | Cut, void> {
    const parser = new StreamParser(this.#lastEventId);
    let last: StreamEvent | undefined;
    const chunks = answer.body[Symbol.asyncIterator]();
    for (;;) {
      let chunk: IteratorResult<Uint8Array>;
      try {
        chunk = await this.#silence.watch(() => chunks.next(), stop, this.#options.clock);
      } catch (error) {
        return { kind: 'cut', reason: failureReason(error, this.#gateway.address) };
      }
      if (chunk.done === true) {
        return { kind: 'cut', reason: 'the gateway closed the connection', afterEnd: last?.type === 'gateway.end' };
      }
      const events = parser.feed(chunk.value);
      this.#retry = parser.retry ?? this.#retry;
      if (parser.overflowed)
        return { kind: 'refused', refusal: { status: answer.status, message: TOO_LONG, hint: undefined } };
      if (events.length === 0) continue;
      this.#backOff.reset();
      yield { kind: 'events', events };
      this.#lastEventId = parser.lastEventId;
      last = events.at(-1);
      if (this.#options.channels.length === 1 && last?.type === 'gateway.end') return { kind: 'ended' };
    }
  }

  /** Resolves after `ms`, or at once when following is to stop. */
  async #wait(ms: number): Promise<void> {
    const { clock, signal } = this.#options;
    await new Promise<void>((resolve) => {
      const cancel = clock.after(ms, resolve);
      signal.addEventListener(
        'abort',
        () => {
          cancel();
          resolve();
        },
        { once: true },
      );
      if (signal.aborted) resolve();
    });
  }
}

const TOO_LONG = 'the stream has an event longer than 64 MiB in it';

function followPath({ channels, start, enveloped }: FollowOptions): string {
  const [only] = channels;
  const alone = only !== undefined && channels.length === 1;
  const parameters = alone ? [] : channels.map((channel) => `channel=${encodeURIComponent(channel)}`);
  if (start?.kind === 'last') parameters.push(`last=${start.count}`);
  if (start?.kind === 'since') parameters.push(`since=${encodeURIComponent(start.since)}`);
  if (enveloped === true) parameters.push('envelope=1');
  const path = alone ? `/events/${encodeURIComponent(only)}` : '/events';
  return parameters.length === 0 ? path : `${path}?${parameters.join('&')}`;
}

/** Headers are bytes and undici takes them as Latin-1, so the UTF-8 of the id is written as such (as EventSource sends it). */
function resumeHeader(lastEventId: string): Record<string, string> {
  return lastEventId === '' ? {} : { 'last-event-id': Buffer.from(lastEventId).toString('latin1') };
}

/** What an answer that is no stream means; undefined for a stream. */
async function judge(answer: Answer): Promise<FollowEnd | Cut | undefined> {
  const { status } = answer;
  if (status === 204) return { kind: 'ended' };
  if (status >= 500 || status === 408 || status === 429) {
    return { kind: 'cut', reason: (await readRefusal(answer)).message, ...retryAfter(answer) };
  }
  if (status !== 200) return { kind: 'refused', refusal: await readRefusal(answer) };
  if (!carries(answer, 'text/event-stream'))
    return { kind: 'refused', refusal: notAGateway(answer, 'text/event-stream') };
  return undefined;
}

function retryAfter(answer: Answer): { retry?: number } {
  const seconds = /^\d{1,6}$/.exec(answer.header('retry-after') ?? '')?.[0];
  return seconds === undefined ? {} : { retry: Number(seconds) * 1000 };
}
