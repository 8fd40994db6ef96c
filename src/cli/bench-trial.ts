/** Asks once, before thousands do, whether a channel may be read and published to, and says what to do where not. */
import { type AskOptions, ask, type Unanswered } from '../client/ask.ts';
import { type Answer, Connection, type Gateway } from '../client/exchange.ts';
import { publish } from '../client/publish.ts';
import { carries, notAGateway, type Refusal, readRefusal } from '../client/refusal.ts';
import { systemClock } from '../clock.ts';
import type { CommandEnd } from './exit.ts';
import { endOfRefusal, endOfUnreachable } from './refused.ts';

/** How long an answer may take, in milliseconds. */
const ANSWER_MS = 10_000;

/** What is published to try it: nothing that is counted. */
const TRIAL = Buffer.from('sse-gateway bench tries whether it may publish');

/** Why the load cannot be run; undefined where it can. `publishes`: whether the gateway itself is published to. */
export async function tryOut(
  gateway: Gateway,
  channel: string,
  publishes: boolean,
  signal: AbortSignal,
): Promise<CommandEnd | undefined> {
  const options = { timeout: ANSWER_MS, clock: systemClock, signal };
  const end =
    (await reading(gateway, channel, options)) ?? (publishes ? await writing(gateway, channel, options) : undefined);
  return end !== undefined && signal.aborted ? { exit: 'interrupted' } : end;
}

async function reading(gateway: Gateway, channel: string, options: AskOptions): Promise<CommandEnd | undefined> {
  const connection = new Connection(gateway);
  const question = {
    method: 'GET',
    path: `/events?${new URLSearchParams({ channel, last: '0' })}`,
    headers: { accept: 'text/event-stream' },
  } as const;
  try {
    const judged = await ask(connection, question, options, judge);
    if (judged.kind === 'open') return undefined;
    if (judged.kind !== 'refused') return endOfNoAnswer(judged);
    return withAdvice(judged.refusal, channel);
  } finally {
    await connection.close();
  }
}

type Judged = { readonly kind: 'open' } | { readonly kind: 'refused'; readonly refusal: Refusal };

async function judge(answer: Answer): Promise<Judged> {
  if (answer.status === 204) {
    const refusal = { status: 204, message: 'the channel has ended', hint: 'give another by --channel' };
    return { kind: 'refused', refusal };
  }
  if (answer.status !== 200) return { kind: 'refused', refusal: await readRefusal(answer) };
  if (!carries(answer, 'text/event-stream'))
    return { kind: 'refused', refusal: notAGateway(answer, 'text/event-stream') };
  return { kind: 'open' };
}

async function writing(gateway: Gateway, channel: string, options: AskOptions): Promise<CommandEnd | undefined> {
  const outcome = await publish(gateway, { channel, data: TRIAL }, options);
  if (outcome.kind === 'published') return undefined;
  if (outcome.kind !== 'refused') return endOfNoAnswer(outcome);
  const end = withAdvice(outcome.refusal, channel);
  const message = `"${channel}" cannot be published to over HTTP: ${end.message}`;
  const hint = PUBLISHING_ADVICE[outcome.refusal.status];
  return { ...end, message, hint: hint ?? end.hint };
}

function endOfNoAnswer({ kind, reason }: Unanswered): CommandEnd {
  return kind === 'unreachable'
    ? endOfUnreachable(reason)
    : { exit: 'failed', message: `nothing was measured: ${reason}` };
}

function withAdvice(refusal: Refusal, channel: string): CommandEnd {
  const end = endOfRefusal(refusal);
  if (refusal.status !== 404) return end;
  return {
    ...end,
    hint: `give a channel of the configuration by --channel, or add one to it such as "bench-{n}": {memory: true}; "${channel}" has to fit`,
  };
}

const PUBLISHING_ADVICE: Readonly<Record<number, string>> = {
  401: 'run it as the user who runs `serve`, give a credential with the right to publish by --token-file, or write to Redis itself by --via redis',
  403: 'run it as the user who runs `serve`, give a credential with the right to publish by --token-file, or write to Redis itself by --via redis',
  405: 'write to Redis itself by --via redis, or give a channel that can be published to by --channel',
};
