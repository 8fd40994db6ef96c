/** Publishing to a Redis itself, as an application does, without a gateway. */
import { systemClock } from '../clock.ts';
import { GatewayError, OutcomeUnknownError, TooLargeError } from '../errors.ts';
import type { Message } from '../event.ts';
import type { Plan } from '../hub/plan.ts';
import { onceWith, writingOf } from '../hub/writing.ts';
import type { RedisPublisher } from '../source/redis-publisher.ts';
import type { Receipt } from '../source/source.ts';
import type { Destination, Sent } from './destination.ts';
import { type CommandEnd, endOfError } from './exit.ts';

/** How long a Redis may take to be there, in milliseconds. */
const LINK_MS = 5000;
/** How often it is looked whether it is, in milliseconds: a publisher tells nobody. */
const LOOK_EVERY_MS = 10;

/** What is written to, and how. */
export interface SourceOptions {
  readonly publisher: RedisPublisher;
  /** Which Redis it is, for people. */
  readonly place: string;
  readonly channel: string;
  /** How the channel is written to. */
  readonly plan: Pick<Plan, 'feed' | 'reading' | 'publish' | 'idempotency'>;
  /** By which a repeat is known; undefined for none. */
  readonly idempotencyKey: string | undefined;
  /** Bytes of an event's data at most. */
  readonly maxEventSize: number;
  /** Milliseconds for each event. */
  readonly timeout: number;
}

export class SourceDestination implements Destination {
  readonly #options: SourceOptions;

  /** Begins to connect. */
  constructor(options: SourceOptions) {
    this.#options = options;
    options.publisher.start();
  }

  async publish(message: Message, signal: AbortSignal): Promise<Sent> {
    const [sent] = await this.publishAll([message], signal);
    return sent ?? failed(this.#down());
  }

  async publishAll(messages: readonly Message[], signal: AbortSignal): Promise<readonly Sent[]> {
    if (!(await this.#link(signal))) return messages.map(() => failed(this.#down()));
    const limit = new AbortController();
    const interrupt = (): void => limit.abort('the answer was not waited for');
    const cancel = systemClock.after(this.#options.timeout, () => limit.abort(this.#silent()));
    signal.addEventListener('abort', interrupt);
    try {
      // All are begun before the first is answered, and one connection keeps their order.
      return await Promise.all(messages.map((message) => this.#write(message, limit.signal)));
    } finally {
      cancel();
      signal.removeEventListener('abort', interrupt);
    }
  }

  close(): Promise<void> {
    this.#options.publisher.stop();
    return Promise.resolve();
  }

  /** Whether the Redis is there, at the deadline at the latest. */
  async #link(signal: AbortSignal): Promise<boolean> {
    const { publisher, timeout } = this.#options;
    const deadline = systemClock.now() + Math.min(LINK_MS, timeout);
    for (;;) {
      const { problem } = publisher;
      if (problem === undefined) return true;
      if (signal.aborted || systemClock.now() >= deadline || REFUSED.test(problem)) return false;
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
  }

  async #write(message: Message, limit: AbortSignal): Promise<Sent> {
    const { publisher, plan, channel, idempotencyKey, maxEventSize } = this.#options;
    try {
      if ((message.data?.length ?? 0) > maxEventSize)
        throw new TooLargeError(`the data is larger than ${maxEventSize} bytes, which is limits.event_size`);
      const { message: written, entry } = writingOf(plan, message);
      const once = idempotencyKey === undefined ? undefined : onceWith(idempotencyKey, plan, message);
      const receipt = await unless(limit, publisher.publish(plan.feed, written, { once, entry }));
      return { kind: 'published', answer: { channel, ...answerOf(receipt) } };
    } catch (error) {
      if (error instanceof OutcomeUnknownError || error === limit.reason) {
        const message = error === limit.reason ? String(error) : this.#silent();
        return failed({
          exit: 'outcome-unknown',
          message,
          hint: idempotencyKey === undefined ? 'check before you publish it again' : REPEAT,
        });
      }
      if (error instanceof GatewayError) return failed(endOfError(error));
      throw error;
    }
  }

  #down(): CommandEnd {
    const { place, publisher } = this.#options;
    const detail = publisher.problem ?? 'connecting';
    return { exit: 'failed', message: `Redis at ${place} is down: ${detail}; nothing was published` };
  }

  #silent(): string {
    return `Redis at ${this.#options.place} did not answer`;
  }
}

const REPEAT = 'publish it again with the same --idempotency-key: it is then written once';

/** As a gateway answers. */
function answerOf(receipt: Receipt): Readonly<Record<string, unknown>> {
  switch (receipt.kind) {
    case 'receivers':
      return { receivers: receipt.receivers };
    case 'position':
      return { id: receipt.position, ...(receipt.duplicate === true && { duplicate: true }) };
    case 'event':
      return {}; // numbers are given by a gateway alone
    default:
      return receipt satisfies never;
  }
}

function failed(end: CommandEnd): Sent {
  return { kind: 'failed', end };
}

/** What `receipt` gives, unless `limit` is aborted before: what is written cannot be called back. */
function unless(limit: AbortSignal, receipt: Promise<Receipt>): Promise<Receipt> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(limit.reason);
    limit.addEventListener('abort', onAbort, { once: true });
    if (limit.aborted) onAbort();
    receipt.then(resolve, reject).finally(() => limit.removeEventListener('abort', onAbort));
  });
}

/** A wrong password does not become right by waiting. */
const REFUSED = /^(WRONGPASS|NOAUTH|NOPERM|ERR invalid password)/;
