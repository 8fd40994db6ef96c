/** POST and DELETE of one channel: an event, or the end. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Credential } from '../auth/policy.ts';
import { isChannelName } from '../config/names.ts';
import { UnknownChannelError, UsageError } from '../errors.ts';
import { fieldProblem, type Message } from '../event.ts';
import type { Hub } from '../hub/hub.ts';
import type { Plan } from '../hub/plan.ts';
import { onceWith } from '../hub/writing.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { Numbering } from '../position.ts';
import type { Once, Receipt } from '../source/source.ts';
import { answerJson, readBody } from './body.ts';
import type { Guard } from './guard.ts';
import { RequestRefused } from './problem.ts';
import type { PublishRate } from './publish-rate.ts';
import { badName, channelsOf, lastOf, type Target } from './target.ts';

/** What publishing needs. */
export interface PublishOptions {
  readonly guard: Guard;
  readonly hub: Hub;
  readonly numbering: Numbering;
  readonly metrics: Metrics;
  readonly rate: PublishRate;
  /** Bytes of an event's data at most. */
  readonly maxEventSize: number;
}

/** What a publish is answered with. */
export type Answer =
  | { readonly channel: string; readonly id: string; readonly duplicate?: true }
  | { readonly channel: string; readonly receivers: number };

/** The parameters that say more about an event. Another name is refused: a mistyped one would be lost in silence. */
const PARAMETERS = ['event', 'id', 'end'];
/** RFC-less but common: what an Idempotency-Key may be. */
const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,255}$/;

export class Publish {
  readonly #options: PublishOptions;

  constructor(options: PublishOptions) {
    this.#options = options;
  }

  /** Publishes the body as one event. Throws what it is refused with. */
  async one(request: IncomingMessage, response: ServerResponse, path: string, target: Target): Promise<void> {
    const [name = ''] = channelsOf(path, target.parameters);
    const credential = this.admit(request);
    const plan = this.plan(name, credential);
    const fields = fieldsOf(target.parameters);
    checkFields(plan, fields);
    this.spend(request, credential);
    const limit = { bytes: this.#options.maxEventSize, what: 'limits.event_size' };
    const body = await readBody(request, response, limit);
    // An end without a body is no event of its own.
    const message = fields.end === true && body.length === 0 ? fields : { ...fields, data: body };
    answerJson(response, 200, await this.write(plan, message, onceOf(request, plan, message)));
  }

  /** Ends a channel. Throws what it is refused with. */
  async end(request: IncomingMessage, response: ServerResponse, path: string, target: Target): Promise<void> {
    const [name = ''] = channelsOf(path, target.parameters);
    const credential = this.admit(request);
    const plan = this.plan(name, credential);
    refuseParameters(target.parameters, []);
    if (plan.feed.kind === 'key') {
      const detail = `"${name}" is a key, which has no end; delete it in Redis (DEL), and clients are told`;
      throw new RequestRefused(405, 'unsupported', detail, { Allow: 'GET, HEAD, POST' });
    }
    const message = { end: true };
    checkFields(plan, message);
    this.spend(request, credential);
    answerJson(response, 200, await this.write(plan, message, onceOf(request, plan, message)));
  }

  /** Who wants to write. Throws where this host, or a page of that origin, is not to be written to. */
  admit(request: IncomingMessage): Credential {
    const { guard } = this.#options;
    guard.checkHost(request);
    guard.checkOrigin(request);
    return guard.identify(request);
  }

  /** What is published to. Throws where the right is missing, no channel has that name, or it cannot be published to. */
  plan(name: string, credential: Credential): Plan {
    const { guard, hub } = this.#options;
    if (!isChannelName(name)) throw badName(name);
    guard.require('publish', name, credential);
    const plan = hub.plan(name);
    if (plan === undefined) throw new UnknownChannelError(`no channel is named "${name}"`);
    if (plan.feed.kind === 'pattern') {
      const detail = `"${name}" reads a pattern, which cannot be published to; publish to the channel in Redis itself`;
      throw new RequestRefused(405, 'unsupported', detail, { Allow: 'GET, HEAD' });
    }
    return plan;
  }

  /** Counts what is about to be written. Throws where one client publishes too fast. */
  spend(request: IncomingMessage, credential: Credential, events = 1): void {
    const { rate, metrics } = this.#options;
    try {
      rate.spend(request, credential, events);
    } catch (error) {
      metrics.count('publishes_refused_by_rate', events);
      throw error;
    }
  }

  /** Writes a message that was checked. */
  async write(plan: Plan, message: Message, once?: Once): Promise<Answer> {
    const receipt = await this.#options.hub.publish(plan, message, once);
    this.#options.metrics.count('published');
    return this.#answer(plan.name, receipt);
  }

  #answer(channel: string, receipt: Receipt): Answer {
    if (receipt.kind === 'receivers') return { channel, receivers: receipt.receivers };
    const id = receipt.kind === 'event' ? this.#options.numbering.text(receipt.number) : receipt.position;
    return { channel, id, ...(receipt.duplicate === true && { duplicate: true }) };
  }
}

/** Whether a channel can carry what a message says beside its data. Throws UsageError, saying what can. */
export function checkFields(plan: Pick<Plan, 'feed' | 'reading'>, fields: Omit<Message, 'data'>): void {
  const { type, id, end } = fields;
  const problem =
    (type === undefined ? undefined : fieldProblem('type', type)) ??
    (id === undefined ? undefined : fieldProblem('id', id));
  if (problem !== undefined) throw new UsageError(problem);
  const { kind } = plan.feed;
  if (kind === 'memory' || kind === 'stream' || plan.reading.format !== 'text') return;
  if (type === undefined && id === undefined && end !== true) return;
  if (kind === 'key') {
    throw new UsageError('a key holds data alone, no event type, id or end', {
      hint: 'use a stream where events have them',
    });
  }
  throw new UsageError('a pub/sub channel in text format carries data alone, no event type, id or end', {
    hint: 'set format: envelope for this channel',
  });
}

/** Refuses parameters other than those that are known here. */
export function refuseParameters(parameters: URLSearchParams, known: readonly string[]): void {
  for (const name of parameters.keys()) {
    if (known.includes(name)) continue;
    const hint = known.length === 0 ? 'there are none here' : `there are ${known.join(', ')}`;
    throw new UsageError(`"${name}" is no parameter of this request`, { hint });
  }
}

/** Refuses an Idempotency-Key where a repeat cannot be recognised. */
export function refuseKey(request: IncomingMessage): void {
  if (request.headers['idempotency-key'] === undefined) return;
  throw new UsageError('a repeat cannot be recognised here', { hint: 'leave Idempotency-Key out' });
}

function fieldsOf(parameters: URLSearchParams): Omit<Message, 'data'> {
  refuseParameters(parameters, PARAMETERS);
  const type = lastOf(parameters, 'event') || undefined; // empty says as little as absent
  const id = lastOf(parameters, 'id') || undefined;
  const end = lastOf(parameters, 'end');
  if (end !== undefined && !/^(true|1|false|0)$/.test(end)) throw new UsageError('end is true or false');
  const ends = end === 'true' || end === '1';
  return { ...(type !== undefined && { type }), ...(id !== undefined && { id }), ...(ends && { end: true }) };
}

function onceOf(request: IncomingMessage, plan: Plan, message: Message): Once | undefined {
  const key = request.headers['idempotency-key'];
  if (key === undefined) return undefined;
  if (plan.feed.kind !== 'memory' && plan.feed.kind !== 'stream') refuseKey(request);
  if (typeof key !== 'string' || !IDEMPOTENCY_KEY.test(key)) {
    throw new UsageError('an Idempotency-Key is 1 to 255 visible ASCII characters');
  }
  return onceWith(key, plan, message);
}

/** What an address answers to a method that it does not have. */
export function notAllowed(allow: string): RequestRefused {
  return new RequestRefused(405, 'method-not-allowed', `this address takes ${allow}`, { Allow: allow });
}
