/** Finds what a channel reads in its Redis: one feed, with the variables of the channel's name in it. */
import type { RawChannel } from './channel-schema.ts';
import { starProblem } from './channel-value.ts';
import type { FeedTemplate, RedisKind } from './channels.ts';
import type { Draft } from './draft.ts';
import type { Path } from './node.ts';
import { refused } from './parsed.ts';
import { parseFeed, parseTemplate } from './template.ts';

const KINDS: readonly RedisKind[] = ['pubsub', 'pattern', 'stream', 'key'];

/** The feed of a channel without `memory`; undefined after a problem was noted. */
export function feedOf(draft: Draft, name: string, channel: RawChannel): FeedTemplate | undefined {
  const path = ['channels', name];
  const [kind, second] = KINDS.filter((one) => channel[one] !== undefined);
  if (second !== undefined) {
    draft.note([...path, second], `${kind} says already what the channel reads`, `keep either ${kind} or ${second}`);
    return undefined;
  }
  const text = kind && channel[kind];
  if (kind === undefined || text === undefined) {
    const touched = KINDS.some((key) => draft.problems.touch([...path, key]));
    return touched ? undefined : { kind: 'pubsub', template: name };
  }
  if (name === '*') return ofCatchAll(draft, [...path, kind], { kind, template: text });
  if (text === '*' && (kind === 'stream' || kind === 'key')) {
    draft.noteValue([...path, kind], starProblem(kind));
    return undefined;
  }
  return inTemplate(draft, [...path, kind], { kind, template: text });
}

/** A feed as it is written. */
interface Written {
  readonly kind: RedisKind;
  readonly template: string;
}

/** The channel `*` reads the name that is asked for, and nothing made of it. */
function ofCatchAll(draft: Draft, path: Path, feed: Written): FeedTemplate | undefined {
  if (feed.template === '*' && (feed.kind === 'stream' || feed.kind === 'key')) return feed;
  draft.note(
    path,
    `the channel "*" reads the Redis ${NOUN[feed.kind]} with the name that is asked for`,
    INSTEAD[feed.kind],
  );
  return undefined;
}

const NOUN: Readonly<Record<RedisKind, string>> = {
  pubsub: 'channel',
  pattern: 'channel',
  stream: 'stream',
  key: 'key',
};

/** What to write for a feed of the channel `*`. */
const INSTEAD: Readonly<Record<RedisKind, string>> = {
  pubsub: 'to add something to it, use a template such as {name*} with pubsub: "app:{name}"',
  pattern: 'give the pattern to a channel with a name',
  stream: 'write stream: "*"; to add something to the name, use a template such as {name*} with stream: "app:{name}"',
  key: 'write key: "*"; to add something to the name, use a template such as {name*} with key: "app:{name}"',
};

function inTemplate(draft: Draft, path: Path, feed: Written): FeedTemplate | undefined {
  const template = parseTemplate(path[1] ?? '').value;
  if (template === undefined) return undefined;
  const parts = parseFeed(feed.template, template.variables);
  if (!refused(parts)) return feed;
  draft.noteValue(path, parts);
  return undefined;
}
