/** `sse-gateway publish CHANNEL PAYLOAD`. */
import { channelNameProblem } from '../config/names.ts';
import { UsageError } from '../errors.ts';
import type { Message } from '../event.ts';
import type { Destination, Sent } from './destination.ts';
import type { CommandEnd } from './exit.ts';
import type { PublishFlags } from './flags.ts';
import { interruption } from './interruption.ts';
import { openDestination } from './open-destination.ts';
import { publishLines } from './publish-lines.ts';
import { readPayload } from './stdin.ts';
import { jsonText, printable, say, writeOutput } from './terminal.ts';

/**
 * Publishes one event, `payload` `-` being stdin to its last byte; or each line of stdin; or, where there is no
 * payload, the end of the channel alone. Throws `UsageError`, `ConfigError` and what `openDestination` throws.
 */
export async function publishCommand(
  channel: string,
  payload: string | undefined,
  flags: PublishFlags,
): Promise<CommandEnd> {
  check(channel, payload, flags);
  const destination = await openDestination(channel, flags);
  try {
    if (flags.lines === true) return await publishLines(destination, flags, interruption().signal);
    const data = payload === '-' ? await readPayload() : Buffer.from(payload ?? '');
    return Buffer.isBuffer(data) ? await publishOne(destination, data, flags) : data;
  } finally {
    await destination.close();
  }
}

/** What an Idempotency-Key may be. */
const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,255}$/;

function check(channel: string, payload: string | undefined, flags: PublishFlags): void {
  // A channel of Redis itself may have any name.
  const problem = flags.redis === undefined ? channelNameProblem(channel) : undefined;
  if (problem !== undefined) throw new UsageError(`"${channel}" is not a channel name: ${problem}`);
  if (flags.lines === true && payload !== undefined && payload !== '-')
    throw new UsageError('--lines reads the events from stdin, and there is a payload too', {
      hint: 'leave one of them out',
    });
  if (flags.config === '-' && (flags.lines === true || payload === '-'))
    throw new UsageError('the configuration and the payload cannot both come from stdin', {
      hint: 'give the file by its name',
    });
  if (flags.idempotencyKey !== undefined && !IDEMPOTENCY_KEY.test(flags.idempotencyKey))
    throw new UsageError('--idempotency-key is 1 to 255 visible ASCII characters');
}

async function publishOne(destination: Destination, data: Buffer, flags: PublishFlags): Promise<CommandEnd> {
  const interrupt = interruption().signal;
  const sent = await destination.publish(messageOf(data, flags), interrupt);
  if (sent.kind === 'published') return await published(sent.answer, flags);
  const unknown = sent.end.exit === 'outcome-unknown';
  if (interrupt.aborted) {
    const became = unknown ? 'the event may or may not have been published' : 'nothing was published';
    return { exit: 'interrupted', message: `interrupted; ${became}` };
  }
  if (!unknown) return sent.end;
  return { ...sent.end, message: `${sent.end.message}; the event may or may not have been published` };
}

/** With --end an empty payload is no event of its own. */
function messageOf(data: Buffer, { event, id, end }: PublishFlags): Message {
  return {
    ...(end === true && data.length === 0 ? {} : { data }),
    ...(event === undefined ? {} : { type: event }),
    ...(id === undefined ? {} : { id }),
    ...(end === true ? { end } : {}),
  };
}

async function published(answer: PublishedAnswer, { json }: PublishFlags): Promise<CommandEnd> {
  await writeOutput(`${json === true ? jsonText(answer) : describeAnswer(answer)}\n`);
  if (answer['duplicate'] === true) say('it was published before with this key; nothing was published now');
  return { exit: 'done' };
}

type PublishedAnswer = Extract<Sent, { kind: 'published' }>['answer'];

/** The id that the event got, or how many took it from a pub/sub channel, which has no ids. */
function describeAnswer(answer: PublishedAnswer): string {
  const { id, receivers } = answer;
  if (typeof id === 'string') return printable(id);
  if (typeof receivers === 'number') return `receivers: ${receivers}`;
  return jsonText(answer);
}
