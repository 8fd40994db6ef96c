/** POST /events: many events at once, each answered on its own, in order. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Credential } from '../auth/policy.ts';
import { isEnd } from '../channel/format.ts';
import { isJson, jsonElements, jsonMembers } from '../channel/json-members.ts';
import { TooLargeError, UsageError } from '../errors.ts';
import type { Message } from '../event.ts';
import type { Logger } from '../logger.ts';
import { answerJson, readBody } from './body.ts';
import type { Guard } from './guard.ts';
import { type Problem, problemOf, RequestRefused } from './problem.ts';
import { type Answer, checkFields, type Publish, refuseKey, refuseParameters } from './publish.ts';
import type { Target } from './target.ts';

/** Events in one request at most. */
const MOST_ITEMS = 1000;
/** A body may be this many times `limits.event_size`. */
const BODY_EVENTS = 16;
/** A byte of a string may be escaped as six; beside its data an item has a few names and ids. */
const ESCAPED = 6;
const ITEM_OVERHEAD = 4096;
/** Items from here on, in characters, take long enough to parse that others have a turn in between. */
const LARGE_ITEM = 64 * 1024;
const MEDIA_TYPES = /^(application\/(json|(x-)?ndjson|jsonl)|text\/plain)\b|^$/i;

/** One item, refused or written. */
type Result = Answer | { readonly error: { readonly status: number; readonly code: string; readonly detail: string } };

/** What a batch needs. */
export interface BatchOptions {
  readonly guard: Guard;
  readonly publish: Publish;
  /** Told of what nobody foresaw. */
  readonly logger: Logger;
  /** Bytes of an event's data at most. */
  readonly maxEventSize: number;
}

/** An item as it was sent: the JSON text of each of its members. */
type Item = ReadonlyMap<string, string>;

export class Batch {
  readonly #options: BatchOptions;

  constructor(options: BatchOptions) {
    this.#options = options;
  }

  /** Publishes all items; the status is that of the first that failed. Throws where the whole is refused. */
  async run(request: IncomingMessage, response: ServerResponse, target: Target): Promise<void> {
    const { guard, publish, maxEventSize } = this.#options;
    const credential = publish.admit(request);
    guard.requireAny('publish', credential);
    refuseParameters(target.parameters, []);
    refuseKey(request);
    if (!MEDIA_TYPES.test(request.headers['content-type'] ?? '')) {
      throw new RequestRefused(415, 'media-type', 'send a JSON array, or a JSON object a line (application/x-ndjson)');
    }
    const limit = { bytes: BODY_EVENTS * maxEventSize, what: `${BODY_EVENTS} times limits.event_size` };
    const items = itemsOf((await readBody(request, response, limit)).toString());
    publish.spend(request, credential, items.length);
    // All are begun before the first is answered, so that they are written in order and not one round trip each.
    const begun: Promise<Result>[] = [];
    for (const item of items) {
      begun.push(this.#publish(item, credential));
      if (item.length > LARGE_ITEM) await new Promise((resolve) => void setImmediate(resolve)); // others have their turn
    }
    const results = await Promise.all(begun);
    const failed = results.find((result) => 'error' in result);
    answerJson(response, failed === undefined ? 200 : failed.error.status, { results });
  }

  /** Reads an item. What is too large anyway is refused before it is parsed, which takes far longer than to look. */
  #item(text: string): Item {
    const { maxEventSize } = this.#options;
    if (text.length > ESCAPED * maxEventSize + ITEM_OVERHEAD) throw tooLarge(maxEventSize);
    const item = jsonMembers(text);
    for (const [name, json] of item ?? []) {
      if (!MEMBERS.has(name)) throw new UsageError(`${JSON.stringify(name.slice(0, 80))} is no member of an event`);
      const longest = name === 'data' ? maxEventSize : ITEM_OVERHEAD;
      if (json.length > longest && !(name === 'data' && json.startsWith('"'))) throw tooLarge(maxEventSize);
    }
    if (item === undefined || !isJson(text)) throw new UsageError('an item is a JSON object');
    return item;
  }

  async #publish(text: string, credential: Credential): Promise<Result> {
    try {
      const { publish, maxEventSize } = this.#options;
      const item = this.#item(text);
      const message = messageOf(item);
      const plan = publish.plan(textMember(item, 'channel') ?? missingChannel(), credential);
      checkFields(plan, message);
      if ((message.data?.length ?? 0) > maxEventSize) throw tooLarge(maxEventSize);
      return await publish.write(plan, message);
    } catch (error) {
      const { status, code, detail }: Problem = problemOf(error);
      if (status === 500) this.#options.logger.error({ err: error }, 'an event of a batch failed');
      return { error: { status, code, detail } };
    }
  }
}

function tooLarge(limit: number): TooLargeError {
  return new TooLargeError(`the data is larger than ${limit} bytes, which is limits.event_size`);
}

function itemsOf(text: string): readonly string[] {
  const lines = text.trimStart().startsWith('[') ? jsonElements(text, MOST_ITEMS) : filledLines(text, MOST_ITEMS);
  if (lines === undefined) throw new UsageError('the body begins like a JSON array, but is none');
  if (lines.length === 0) throw new UsageError('the body has no events', { hint: 'send a JSON object a line' });
  if (lines.length > MOST_ITEMS) throw new UsageError(`one request has at most ${MOST_ITEMS} events`);
  return lines;
}

/** Lines that are not blank: at most one more than `most`, so that a body of line ends alone costs nothing. */
function filledLines(text: string, most: number): string[] {
  const lines: string[] = [];
  let start = 0;
  while (lines.length <= most) {
    while (text.charCodeAt(start) <= 32) start += 1;
    if (start >= text.length) return lines;
    const lineEnd = text.indexOf('\n', start);
    const end = lineEnd < 0 ? text.length : lineEnd;
    lines.push(text.slice(start, end));
    start = end;
  }
  return lines;
}

const MEMBERS = new Set(['channel', 'data', 'event', 'id', 'end']);

function messageOf(item: Item): Message {
  const end = endMember(item);
  const json = item.get('data');
  if (json === undefined && !end) throw new UsageError('data is missing');
  const type = textMember(item, 'event');
  const id = textMember(item, 'id');
  return {
    ...(json !== undefined && { data: Buffer.from(json.startsWith('"') ? (JSON.parse(json) as string) : json) }),
    ...(type !== undefined && { type }),
    ...(id !== undefined && { id }),
    ...(end && { end }),
  };
}

function textMember(item: Item, name: string): string | undefined {
  const json = item.get(name);
  if (json === undefined || json === 'null') return undefined;
  if (!json.startsWith('"')) throw new UsageError(`${name} is a string`);
  const text = JSON.parse(json) as string;
  return text === '' ? undefined : text;
}

function endMember(item: Item): boolean {
  const json = item.get('end');
  if (json === undefined || json === 'false' || json === 'null') return false;
  if (!isEnd(json)) throw new UsageError('end is true or false');
  return true;
}

function missingChannel(): never {
  throw new UsageError('channel is missing');
}
