/** Events that name their channel: what `envelope=1` makes of the data, taken apart again. */
import { RESERVED_TYPE_PREFIX } from '../event.ts';
import type { StreamEvent } from './parser.ts';
import { parseObject } from './refusal.ts';

/** An event and the channel it came on; undefined where it is about no channel, or about all of them. */
export interface ChannelEvent extends StreamEvent {
  readonly channel: string | undefined;
}

/** The event of a stream of one channel, `only`, or of one where all data is enveloped (`only` undefined). */
export function channelEvent(event: StreamEvent, only: string | undefined): ChannelEvent {
  if (event.type.startsWith(RESERVED_TYPE_PREFIX)) return { ...event, channel: only ?? channelOf(event.data) };
  return only === undefined ? opened(event) : { ...event, channel: only };
}

/** The gateway's own events are not enveloped; those about a channel name it. */
function channelOf(data: string): string | undefined {
  const channel = parseObject(data)?.['channel'];
  return typeof channel === 'string' ? channel : undefined;
}

/** What is no envelope after all is left as it is. */
function opened(event: StreamEvent): ChannelEvent {
  const envelope = parseObject(event.data);
  const channel = envelope?.['channel'];
  const data = envelope?.['data'];
  if (typeof channel !== 'string' || typeof data !== 'string') return { ...event, channel: undefined };
  return { ...event, channel, data };
}
