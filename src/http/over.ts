/**
 * Whether a client has everything of channels that have all ended: it is answered 204, after which a browser never asks
 * again. So for a stream it is not enough what this process has heard of it: Redis itself is asked.
 */
import { type Brought, isPastEnd, positionIn } from '../channel/continuity.ts';
import type { Cancel, Clock } from '../clock.ts';
import type { Channel } from '../hub/channel.ts';
import type { Numbering } from '../position.ts';

/** What the decision needs of the process. */
export interface OverContext {
  readonly numbering: Numbering;
  readonly clock: Clock;
}

/** How long an answer waits for a look at the streams that it depends on. */
const KNOWN_MS = 1000;

/** Whether nothing but a look at streams is missing to say that a client has everything. */
export function mayBeOver(channels: readonly Channel[], brought: Brought, { numbering }: OverContext): boolean {
  if (brought.kind !== 'cursor') return false;
  return channels.every((channel) => {
    const unknown = isStream(channel) && !channel.confirmed;
    return unknown || isPastEnd(channel.log, brought, numbering);
  });
}

/** Whether a client has everything, and nothing came since. False where that cannot be found out in a second. */
export async function isOver(channels: readonly Channel[], brought: Brought, context: OverContext): Promise<boolean> {
  const streams = channels.filter(isStream);
  const looked = Promise.all(streams.map((channel) => whenConfirmed(channel).then(() => isAtEnd(channel, brought))));
  const late = new Promise<readonly boolean[]>((resolve) => {
    const cancel: Cancel = context.clock.after(KNOWN_MS, () => resolve([false]));
    looked.finally(cancel).catch(() => resolve([false])); // the source is down
  });
  const found = await Promise.race([looked.catch(() => [false]), late]);
  return found.every(Boolean) && channels.every(({ log }) => isPastEnd(log, brought, context.numbering));
}

function isStream({ log, plan }: Channel): boolean {
  return plan.feed.kind === 'stream' && log.nature.own;
}

function whenConfirmed(channel: Channel): Promise<void> {
  if (channel.confirmed) return Promise.resolve();
  return new Promise((resolve) => void channel.whenConfirmed(resolve));
}

/** Whether the stream holds nothing behind the client's position, as of now. */
async function isAtEnd(channel: Channel, brought: Brought): Promise<boolean> {
  const position = brought.kind === 'cursor' ? positionIn(brought.cursor, channel.name) : undefined;
  if (position?.kind !== 'stream') return false;
  const { gap, entries } = await channel.page(position);
  return gap === undefined && entries.length === 0;
}
