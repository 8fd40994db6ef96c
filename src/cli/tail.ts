/** `sse-gateway tail CHANNEL...`: follows channels, events on stdout, everything else on stderr. */
import { type ChannelEvent, channelEvent } from '../client/envelope.ts';
import type { Gateway } from '../client/exchange.ts';
import { type FollowEnd, type FollowStart, follow } from '../client/follow.ts';
import { LONGEST_DELAY_MS, systemClock } from '../clock.ts';
import { channelNameProblem } from '../config/names.ts';
import { UsageError } from '../errors.ts';
import { RESERVED_TYPE_PREFIX } from '../event.ts';
import type { CommandEnd } from './exit.ts';
import type { TailFlags } from './flags.ts';
import { findGateway } from './gateway.ts';
import { interruption } from './interruption.ts';
import { endOfRefusal, endOfUnreachable } from './refused.ts';
import { eventFormat } from './tail-format.ts';
import { Narrator } from './tail-narrator.ts';
import { writeOutput } from './terminal.ts';

/** Follows until all channels have ended, `--count` or `--timeout` is reached, or Ctrl-C. Throws `UsageError`, `ConfigError`. */
export async function tailCommand(names: readonly string[], flags: TailFlags): Promise<CommandEnd> {
  const channels = [...new Set(names)];
  for (const channel of channels) {
    const problem = channelNameProblem(channel);
    if (problem !== undefined) throw new UsageError(`"${channel}" is not a channel name: ${problem}`);
  }
  const gateway = await findGateway(flags);
  const stop = interruption();
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    stop.abort();
  }, flags.timeout ?? LONGEST_DELAY_MS);
  try {
    const narrator = new Narrator(gateway.address, channels);
    const end = await print(gateway, channels, flags, { signal: stop.signal, narrator });
    if (end === 'enough') return { exit: 'done' };
    if (timedOut && !narrator.everConnected)
      return endOfUnreachable(`${gateway.address.text} has not answered before --timeout`);
    return timedOut ? endOfTimeout(flags) : endOf(end);
  } finally {
    clearTimeout(timer);
  }
}

async function print(
  gateway: Gateway,
  channels: readonly string[],
  flags: TailFlags,
  { signal, narrator }: { signal: AbortSignal; narrator: Narrator },
): Promise<FollowEnd | 'enough'> {
  const only = channels.length === 1 ? channels[0] : undefined;
  const format = eventFormat({ json: flags.json === true, named: only === undefined, stream: process.stdout });
  let wanted = flags.count ?? Number.POSITIVE_INFINITY;
  const following = follow(gateway, {
    channels,
    lastEventId: flags.lastEventId ?? '',
    start: startOf(flags),
    enveloped: only === undefined,
    clock: systemClock,
    random: Math.random,
    signal,
  });
  try {
    for (;;) {
      const { done, value } = await following.next();
      if (done === true) return value;
      narrator.tell(value);
      if (value.kind !== 'events') continue;
      const events = value.events.map((event) => channelEvent(event, only));
      const shown = events.filter((event) => isShown(event, flags)).slice(0, wanted);
      if (shown.length === 0) continue;
      await writeOutput(shown.map((event) => format(event, systemClock.wall())).join(''));
      wanted -= shown.length;
      if (wanted <= 0) return 'enough';
    }
  } finally {
    await following.return({ kind: 'stopped' });
  }
}

function startOf({ last, since }: TailFlags): FollowStart | undefined {
  if (last !== undefined) return { kind: 'last', count: last };
  return since === undefined ? undefined : { kind: 'since', since };
}

/** The gateway's own events are not among those that `--event` chooses from. */
function isShown({ type }: ChannelEvent, { event, gatewayEvents }: TailFlags): boolean {
  if (type.startsWith(RESERVED_TYPE_PREFIX)) return gatewayEvents === true;
  return event === undefined || type === event;
}

function endOf(end: FollowEnd): CommandEnd {
  switch (end.kind) {
    case 'ended':
      return { exit: 'done' };
    case 'stopped':
      return { exit: 'interrupted' };
    case 'refused':
      return endOfRefusal(end.refusal);
    case 'unreachable':
      return endOfUnreachable(end.reason);
    default:
      return end satisfies never;
  }
}

/** To look for a while is no failure, but not to have seen what was asked for is one. */
function endOfTimeout({ count }: TailFlags): CommandEnd {
  if (count === undefined) return { exit: 'done' };
  return { exit: 'failed', message: `fewer than ${count} events came before --timeout` };
}
