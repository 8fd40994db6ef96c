/** From the configuration to plans: what a name means, with its source, feed and way of reading. */
import type { ChannelTable, ResolvedChannel } from '../config/channels.ts';
import type { Source } from '../source/source.ts';
import type { Plan } from './plan.ts';

/** Gives the plan of a name; undefined where nothing in the configuration names it. */
export function planner(
  channels: ChannelTable,
  sources: ReadonlyMap<string, Source>,
): (name: string) => Plan | undefined {
  return (name) => {
    const resolved = channels.resolve(name);
    const source = resolved && sources.get(resolved.channel.source);
    if (resolved === undefined || source === undefined) return;
    return { source, ...meaningOf(name, resolved) };
  };
}

/** What a name means, whatever is made of its source. */
export function meaningOf(name: string, { channel, feed, typeOf }: ResolvedChannel): Omit<Plan, 'source'> {
  return {
    name,
    feed: { kind: feed.kind, name: feed.kind === 'memory' ? name : feed.name },
    reading: {
      format: channel.format,
      encode: channel.encode,
      typeOf,
      fields: feed.kind === 'stream' ? channel.fields : undefined,
    },
    replay: channel.replay,
    publisherIds: channel.ids === 'publisher',
    conflate: channel.conflate,
    maxRate: channel.maxRate,
    endAfter: channel.endAfter,
    publish: { maxlen: channel.publish.maxlen, expire: channel.publish.expire },
    idempotency: channel.publish.idempotency,
    history: channel.history,
    always: channel.follow === 'always',
    linger: channel.linger,
    shape: JSON.stringify([
      channel.source,
      feed,
      channel.format,
      channel.encode,
      channel.event,
      feed.kind === 'stream' ? channel.fields : undefined,
      channel.conflate,
      channel.ids,
    ]),
  };
}

/** The plans of the channels that are read from the start on. */
export function followedAlways(channels: ChannelTable, plan: (name: string) => Plan | undefined): Plan[] {
  const always = channels.all.filter((channel) => channel.follow === 'always');
  return always.flatMap((channel) => plan(channel.name) ?? []);
}
