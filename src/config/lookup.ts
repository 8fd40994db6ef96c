/** Finds for each channel the source it is read from and the feed it reads. */
import { fieldsDefaults, publishDefaults, type RawChannel } from './channel-schema.ts';
import type { ReplayConfig } from './channel-value.ts';
import { type ChannelConfig, type FeedTemplate, MEMORY_SOURCE } from './channels.ts';
import { parseEventType } from './default-event.ts';
import type { Draft } from './draft.ts';
import { feedOf } from './lookup-feed.ts';
import type { Sources } from './lookup-sources.ts';
import { nearest } from './nearest.ts';
import type { Path } from './node.ts';
import { refused } from './parsed.ts';
import { parseTemplate } from './template.ts';
import { noteUnfit } from './unfit.ts';

/** The channels in the order of the file, without those that have a problem. */
export function channelsOf(draft: Draft, sources: Sources): ChannelConfig[] {
  const { channels } = draft.raw;
  if ((channels === undefined || channels.size === 0) && !draft.problems.touch(['channels'])) {
    const message = 'the file has no channels, so there is nothing to subscribe to';
    draft.note(['channels'], message, 'add a line such as channels: {prices: {}}');
  }
  return [...(channels ?? [])].flatMap(([name, channel]) => channelOf(draft, sources, name, channel) ?? []);
}

function channelOf(draft: Draft, sources: Sources, name: string, channel: RawChannel): ChannelConfig | undefined {
  noteEventType(draft, name, channel);
  const place = channel.memory ? memoryPlace(draft, name, channel) : redisPlace(draft, name, channel, sources);
  if (place === undefined) return undefined;
  const { format, encode, event, history, ids, linger, follow } = channel;
  return {
    ...{ name, ...place, format, encode, event, history, ids, linger, follow },
    fields: channel.fields ?? fieldsDefaults,
    replay: replayOf(draft, name, channel, place.feed),
    conflate: place.feed.kind === 'key' ? true : channel.conflate,
    maxRate: channel.max_rate,
    endAfter: channel.end_after,
    publish: channel.publish ?? publishDefaults,
  };
}

/** What a newcomer gets of a conflated channel is how things stand, unless the file says otherwise. */
function replayOf(draft: Draft, name: string, { replay, conflate }: RawChannel, { kind }: FeedTemplate): ReplayConfig {
  if (draft.written(['channels', name, 'replay']) !== undefined) return replay;
  if (kind === 'key') return { kind: 'last', count: 1 };
  return conflate === false ? replay : { kind: 'all' };
}

/** Where a channel is read. */
type Reading = Pick<ChannelConfig, 'source' | 'feed'>;

function memoryPlace(draft: Draft, name: string, channel: RawChannel): Reading {
  noteUnfit(draft, name, 'memory', channel);
  return { source: MEMORY_SOURCE, feed: { kind: 'memory' } };
}

function redisPlace(draft: Draft, name: string, channel: RawChannel, sources: Sources): Reading | undefined {
  noteFollow(draft, name, channel);
  const source = sourceOf(draft, name, channel, [...sources.keys()]);
  const feed = feedOf(draft, name, channel);
  if (feed !== undefined) noteUnfit(draft, name, feed.kind, channel);
  return source === undefined || feed === undefined ? undefined : { source, feed };
}

function noteFollow(draft: Draft, name: string, { follow }: RawChannel): void {
  if (follow !== 'always' || (name !== '*' && parseTemplate(name).value?.variables.length === 0)) return;
  const message = 'always is for exact names only: which channels there are is not known before somebody asks for them';
  draft.note(['channels', name, 'follow'], message, 'take the line out, or list the channels by name');
}

function sourceOf(draft: Draft, name: string, channel: RawChannel, names: readonly string[]): string | undefined {
  const path = ['channels', name];
  if (channel.source !== undefined) return namedSource(draft, [...path, 'source'], channel.source, names);
  const origins = [['redis'], ['redis_file'], ['sources'], [...path, 'source']];
  if (origins.some((key) => draft.problems.touch(key))) return undefined;
  const [only, ...others] = names;
  if (only === undefined) {
    const hint = 'add redis: redis://127.0.0.1:6379 at the top level, or memory: true to the channel';
    draft.note(path, 'there is no source to read it from', hint);
  } else if (others.length > 0) {
    const message = 'which source it is read from must be said, because there are several';
    draft.note(path, message, `add source: ${names.join(' or source: ')}`);
  } else {
    return only;
  }
  return undefined;
}

function namedSource(draft: Draft, path: Path, wanted: string, names: readonly string[]): string | undefined {
  if (names.includes(wanted)) return wanted;
  // A source that is there and has a problem of its own.
  const shorthand = wanted === 'redis' && [['redis'], ['redis_file']].some((key) => draft.problems.touch(key));
  if (shorthand || draft.problems.touch(['sources', wanted])) return undefined;
  const meant = nearest(wanted, names);
  const known = names.length > 0 ? `there is ${names.join(', ')}` : 'add it under sources';
  const other = meant === undefined ? known : `did you mean ${meant}?`;
  draft.note(
    path,
    `${draft.foundAt(path)}, and no source has this name`,
    wanted === MEMORY_SOURCE ? 'write memory: true' : other,
  );
  return undefined;
}

function noteEventType(draft: Draft, name: string, { event }: RawChannel): void {
  const path = ['channels', name, 'event'];
  const variables = name === '*' ? [] : parseTemplate(name).value?.variables;
  if (variables === undefined) return;
  const type = parseEventType(event, variables);
  if (refused(type)) draft.noteValue(path, type);
}
