/** What is live, for those with the right `admin`. */
import type { Channel } from '../hub/channel.ts';
import type { Hub } from '../hub/hub.ts';
import type { Numbering } from '../position.ts';

/** A live channel as `/channels` shows it. */
export interface ChannelState {
  readonly channel: string;
  /** Open subscriptions. */
  readonly subscribers: number;
  /** The positions of the newest event and of the last that history has dropped; null while Redis has not said them. */
  readonly head: string | null;
  readonly base: string | null;
  /** What history holds. */
  readonly events: number;
  readonly bytes: number;
  /** Events a second, over the last minute. */
  readonly rate: number;
  readonly source: string;
  /** The name of what is read there: a pub/sub channel, a pattern, a stream or a key. */
  readonly feed: string;
}

/** All live channels whose name `may` lets through, by name. */
export function channelStates(hub: Hub, numbering: Numbering, may: (name: string) => boolean): ChannelState[] {
  const states = [...hub.live.values()].filter((channel) => may(channel.name));
  return states.map((channel) => channelState(channel, numbering)).sort((a, b) => (a.channel < b.channel ? -1 : 1));
}

/** One live channel. */
export function channelState(channel: Channel, numbering: Numbering): ChannelState {
  const { log, plan, followers } = channel;
  const { own } = log.nature;
  return {
    channel: channel.name,
    subscribers: followers,
    head: own ? (log.position ?? null) : numbering.text(log.head),
    base: own ? (log.positionAt(log.base) ?? null) : numbering.text(log.base),
    events: log.size,
    bytes: log.bytes,
    rate: log.rate,
    source: plan.source.name,
    feed: plan.feed.name,
  };
}
