/** Publishing one event to a gateway over HTTP: asked once, never sent again. */
import { type AskOptions, ask, type Unanswered } from './ask.ts';
import { type Answer, Connection, type Gateway } from './exchange.ts';
import { carries, notAGateway, parseObject, type Refusal, readRefusal, readText } from './refusal.ts';

/** What to publish. */
export interface Publication {
  readonly channel: string;
  /** Absent only where the publication does nothing but end its channel. */
  readonly data?: Uint8Array;
  /** The event type; absent means `message`. */
  readonly type?: string;
  /** The publisher's own id. */
  readonly id?: string;
  /** True where this ends the channel. */
  readonly end?: boolean;
}

/** What became of it. `unknown`: the event may or may not have been published, and only the caller can know whether to repeat it. */
export type PublishOutcome =
  | { readonly kind: 'published'; readonly answer: Readonly<Record<string, unknown>> }
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  | Unanswered;

/** How publishing is done. */
export interface PublishOptions extends AskOptions {
  /** By this the gateway knows a repeat, where the channel can: 1 to 255 visible ASCII characters. */
  readonly idempotencyKey?: string | undefined;
}

/** Publishes once. */
export async function publish(
  gateway: Gateway,
  publication: Publication,
  options: PublishOptions,
): Promise<PublishOutcome> {
  const { idempotencyKey } = options;
  const connection = new Connection(gateway);
  const question = {
    method: 'POST',
    path: publishPath(publication),
    headers: {
      accept: 'application/json',
      'content-type': 'application/octet-stream',
      ...(idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey }),
    },
    body: publication.data ?? new Uint8Array(),
  } as const;
  try {
    return await ask(connection, question, options, outcomeOf);
  } finally {
    await connection.close();
  }
}

function publishPath({ channel, type, id, end }: Publication): string {
  const query = new URLSearchParams();
  if (type !== undefined) query.set('event', type);
  if (id !== undefined) query.set('id', id);
  if (end === true) query.set('end', 'true');
  const text = query.toString();
  return `/events/${encodeURIComponent(channel)}${text === '' ? '' : `?${text}`}`;
}

async function outcomeOf(answer: Answer): Promise<PublishOutcome> {
  const { status } = answer;
  if (LOST_ANSWERS.has(status)) return { kind: 'unknown', reason: (await readRefusal(answer)).message };
  if (status < 200 || status >= 300) return { kind: 'refused', refusal: await readRefusal(answer) };
  if (!carries(answer, 'application/json'))
    return { kind: 'refused', refusal: notAGateway(answer, 'application/json') };
  const said = parseObject(await readText(answer));
  if (said === undefined) return { kind: 'unknown', reason: `the answer (${status}) broke off` };
  return { kind: 'published', answer: said };
}

/** The gateway does not know whether its source took the event (504), or a proxy lost the gateway's answer (502). */
export const LOST_ANSWERS: ReadonlySet<number> = new Set([502, 504]);
