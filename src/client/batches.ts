/** Publishing many events in order: one request after the other, each with as many as it may carry. */
import { type AskOptions, ask } from './ask.ts';
import { type Answer, Connection, type Gateway } from './exchange.ts';
import { LOST_ANSWERS, type Publication, type PublishOutcome } from './publish.ts';
import { carries, notAGateway, parseObject, readRefusal, readText } from './refusal.ts';

/** What a request carries at most, in bytes: proxies refuse more (`client_max_body_size` of nginx is 1 MiB). */
const MAX_BODY_BYTES = 1024 * 1024;
/** Each result is a few hundred bytes; more is no answer of a gateway. */
const MAX_ANSWER_BYTES = 16 * 1024 * 1024;
/** A gateway that says how long to wait says seconds; who is to wait for longer than this is told so instead. */
const LONGEST_WAIT_S = 60;

/** Nothing was published, and why: a smaller request may be, or the same one after so many milliseconds. */
type NotNow = 'too-long' | { readonly wait: number };

/** One publisher's requests, on a connection that is kept while there is something to send. */
export class Batches {
  readonly #connection: Connection;
  readonly #options: Omit<AskOptions, 'signal'>;
  #maxBytes = MAX_BODY_BYTES;

  /** `timeout` is for each request. */
  constructor(gateway: Gateway, options: Omit<AskOptions, 'signal'>) {
    this.#connection = new Connection(gateway);
    this.#options = options;
  }

  /**
   * Publishes in order, at most 1000 at once. Gives an outcome for each that was sent; nothing is sent behind a
   * request in which one was not published. Where that would be too fast or too much at once, it waits, or sends less.
   * The data has to be UTF-8: other bytes become U+FFFD.
   */
  async publish(publications: readonly Publication[], signal: AbortSignal): Promise<readonly PublishOutcome[]> {
    const items = publications.map(itemOf);
    const outcomes: PublishOutcome[] = [];
    while (outcomes.length < items.length) {
      const taken = this.#take(items.slice(outcomes.length));
      const answered = await this.#send(taken, signal);
      if (answered === 'too-long') {
        // Nothing was published; a gateway or proxy with smaller limits takes less at once.
        this.#maxBytes = Math.floor(bytesOf(taken) / 2);
      } else if ('wait' in answered) {
        await this.#wait(answered.wait, signal);
        if (signal.aborted) break; // the rest was not sent
      } else {
        outcomes.push(...answered);
        if (answered.some(({ kind }) => kind !== 'published')) break;
      }
    }
    return outcomes;
  }

  /** Ends the connection. */
  async close(): Promise<void> {
    await this.#connection.close();
  }

  /** As many from the front as one request may carry, at least one. */
  #take(items: readonly string[]): readonly string[] {
    let bytes = 0;
    const end = items.findIndex((item, index) => {
      bytes += Buffer.byteLength(item);
      return index > 0 && bytes > this.#maxBytes;
    });
    return end < 0 ? items : items.slice(0, end);
  }

  async #send(items: readonly string[], signal: AbortSignal): Promise<readonly PublishOutcome[] | NotNow> {
    const question = {
      method: 'POST',
      path: '/events',
      headers: { accept: 'application/json', 'content-type': 'application/x-ndjson' },
      body: Buffer.from(items.join('')),
    } as const;
    const read = (answer: Answer): Promise<readonly PublishOutcome[] | NotNow> => outcomesOf(answer, items.length);
    const answered = await ask(this.#connection, question, { ...this.#options, signal }, read);
    return typeof answered === 'object' && 'kind' in answered ? forAll(items.length, answered) : answered;
  }

  #wait(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        cancel();
        signal.removeEventListener('abort', done);
        resolve();
      };
      const cancel = this.#options.clock.after(ms, done);
      signal.addEventListener('abort', done);
      if (signal.aborted) done();
    });
  }
}

/** One line of the body. */
function itemOf({ channel, data, type, id, end }: Publication): string {
  const text = data === undefined ? undefined : Buffer.from(data).toString();
  return `${JSON.stringify({ channel, data: text, event: type, id, end })}\n`;
}

function bytesOf(items: readonly string[]): number {
  return items.reduce((bytes, item) => bytes + Buffer.byteLength(item), 0);
}

function forAll(count: number, outcome: PublishOutcome): readonly PublishOutcome[] {
  return Array.from({ length: count }, () => outcome);
}

/** The outcome of each of `count` events: one result for each, or one refusal for all. */
async function outcomesOf(answer: Answer, count: number): Promise<readonly PublishOutcome[] | NotNow> {
  const { status } = answer;
  if (carries(answer, 'application/json')) {
    const results = parseObject(await readText(answer, MAX_ANSWER_BYTES))?.['results'];
    if (!Array.isArray(results)) return forAll(count, { kind: 'unknown', reason: `the answer (${status}) broke off` });
    return Array.from({ length: count }, (_, index) => outcomeOf(results[index]));
  }
  const refusal = await readRefusal(answer);
  if (status === 413 && count > 1) return 'too-long';
  const seconds = Number(answer.header('retry-after') ?? Number.NaN);
  if (status === 429 && seconds <= LONGEST_WAIT_S) return { wait: Math.max(seconds, 1) * 1000 };
  if (LOST_ANSWERS.has(status)) return forAll(count, { kind: 'unknown', reason: refusal.message });
  const succeeded = status >= 200 && status < 300;
  return forAll(count, {
    kind: 'refused',
    refusal: succeeded ? notAGateway(answer, 'application/json') : refusal,
  });
}

/** One result: what a single publish is answered with, or an error with its status. */
function outcomeOf(result: unknown): PublishOutcome {
  if (!isRecord(result)) return { kind: 'unknown', reason: 'the answer has too few results' };
  const { error } = result;
  if (!isRecord(error)) return { kind: 'published', answer: result };
  const status = Number(error['status']);
  const message = `${String(error['detail'] ?? 'no reason was given')} (${status})`;
  if (LOST_ANSWERS.has(status)) return { kind: 'unknown', reason: message };
  return { kind: 'refused', refusal: { status, message, hint: undefined } };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
