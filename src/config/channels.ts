/** The channels of a configuration, found by name: exact names first, then templates, `"*"` last. */

import type { FieldsConfig, HistoryConfig, PublishConfig } from './channel-schema.ts';
import type { ReplayConfig } from './channel-value.ts';
import type { ConflateConfig } from './conflate.ts';
import { eventTypeOf, parseEventType } from './default-event.ts';
import { isChannelName, RESERVED_PREFIX } from './names.ts';
import { type Parsed, refused } from './parsed.ts';
import {
  expand,
  matchTemplate,
  type Part,
  parseFeed,
  parseTemplate,
  type Template,
  type Variables,
} from './template.ts';

/** The name of the source inside the gateway. */
export const MEMORY_SOURCE = 'memory';

/** One entry under `channels`. */
export interface ChannelConfig {
  /** As the file writes it: an exact name, a template, or `*`. */
  readonly name: string;
  /** The name of a source, or `memory`. */
  readonly source: string;
  readonly feed: FeedTemplate;
  /** How a payload is read; `text` on memory channels, whose messages come with type and id, and on keys. */
  readonly format: 'text' | 'envelope';
  /** How data is sent. */
  readonly encode: 'none' | 'json' | 'base64';
  /** The type of messages that bring none, with `{feed}` and variables in it; empty for none. */
  readonly event: string;
  /** The names of the fields of an entry that mean something; only for streams. */
  readonly fields: FieldsConfig;
  readonly history: HistoryConfig;
  /** What a client without a cursor gets first: on keys the value, on other conflated channels all unless something else is written. */
  readonly replay: ReplayConfig;
  /** Whether only the newest is kept; never false on keys. */
  readonly conflate: ConflateConfig;
  /** Events a second at most; undefined for no limit. Only where `conflate` is not false. */
  readonly maxRate: number | undefined;
  /** Whose ids stand in the SSE `id`. */
  readonly ids: 'gateway' | 'publisher';
  /** In ms; how long the channel is kept after its last subscriber has left. */
  readonly linger: number;
  /** `always`, only on exact names of Redis: read from the start on. */
  readonly follow: 'on-demand' | 'always';
  /** In ms; how long after its newest event a channel is taken as ended, 0 for never. Only for streams and memory. */
  readonly endAfter: number;
  readonly publish: PublishConfig;
}

/** What a channel may read in Redis, in the words of the file. */
export type RedisKind = 'pubsub' | 'pattern' | 'stream' | 'key';

/** `template`: what is read in Redis with the variables of the name in it; `*` alone for the name itself. */
export type FeedTemplate = { readonly kind: 'memory' } | { readonly kind: RedisKind; readonly template: string };

/** What a channel reads in its source, without the prefix. `name` is the Redis pub/sub channel, pattern, stream or key. */
export type Feed = { readonly kind: 'memory' } | { readonly kind: RedisKind; readonly name: string };

/** A name that a configuration knows. */
export interface ResolvedChannel {
  readonly channel: ChannelConfig;
  /** What the template's variables stand for; empty for exact names and `*`. */
  readonly variables: Variables;
  readonly feed: Feed;
  /** The type of messages that bring none, for the name they were published under, without the prefix; undefined for none. */
  readonly typeOf: ((from: string) => string) | undefined;
}

/** All channels of a configuration. */
export interface ChannelTable {
  /** In the order of the file. */
  readonly all: readonly ChannelConfig[];
  /** The channel that a name belongs to; undefined for names that none matches and for what is no channel name. */
  resolve(name: string): ResolvedChannel | undefined;
}

interface Entry {
  readonly channel: ChannelConfig;
  readonly template: Template;
  /** Undefined for memory. */
  readonly feed: { readonly kind: RedisKind; readonly parts: readonly Part[] } | undefined;
  readonly type: readonly Part[];
}

/** Builds the table. Throws a `RangeError` where a name, template or feed is malformed; a loaded configuration has none. */
export function channelTable(channels: readonly ChannelConfig[]): ChannelTable {
  const exact = new Map<string, ResolvedChannel>();
  const templates = new TemplateIndex();
  let catchAll: CatchAll | undefined;
  for (const channel of channels) {
    if (channel.name === '*') {
      catchAll = compileCatchAll(channel);
      continue;
    }
    const entry = compile(channel);
    if (entry.template.variables.length > 0) templates.add(entry);
    else exact.set(channel.name, resolved(entry, NO_VARIABLES));
  }
  return {
    all: channels,
    resolve(name) {
      const known = exact.get(name);
      if (known !== undefined) return known;
      if (!isChannelName(name)) return;
      const match = templates.find(name);
      if (match !== undefined) return resolved(match.entry, match.variables);
      return catchAll && !name.startsWith(RESERVED_PREFIX) ? resolvedByCatchAll(catchAll, name) : undefined;
    },
  };
}

/** Templates by their literal beginning and end, so that a name is tried on the few that have its own. */
class TemplateIndex {
  readonly #entries = new Map<string, Entry[]>();
  /** The lengths of beginning and end that occur. */
  readonly #shapes = new Map<string, readonly [number, number]>();

  add(entry: Entry): void {
    const first = literalOf(entry.template.parts[0]);
    const last = literalOf(entry.template.parts.at(-1));
    const key = `${first} ${last}`;
    const entries = this.#entries.get(key) ?? [];
    entries.push(entry);
    this.#entries.set(key, entries);
    this.#shapes.set(`${first.length} ${last.length}`, [first.length, last.length]);
  }

  find(name: string): { entry: Entry; variables: Variables } | undefined {
    for (const [first, last] of this.#shapes.values()) {
      if (name.length <= first + last) continue;
      const key = `${name.slice(0, first)} ${name.slice(name.length - last)}`;
      for (const entry of this.#entries.get(key) ?? []) {
        const variables = matchTemplate(entry.template, name);
        if (variables !== undefined) return { entry, variables };
      }
    }
    return undefined;
  }
}

function literalOf(part: Part | undefined): string {
  return part && 'literal' in part ? part.literal : '';
}

const NO_VARIABLES: Variables = new Map();

function compile(channel: ChannelConfig): Entry {
  const template = wellFormed(channel, parseTemplate(channel.name));
  const type = wellFormed(channel, parseEventType(channel.event, template.variables));
  if (channel.feed.kind === 'memory') return { channel, template, type, feed: undefined };
  const { kind, template: text } = channel.feed;
  return { channel, template, type, feed: { kind, parts: wellFormed(channel, parseFeed(text, template.variables)) } };
}

function wellFormed<T>({ name }: ChannelConfig, parsed: Parsed<T>): T {
  if (refused(parsed)) throw new RangeError(`${name}: ${parsed.problem}`);
  return parsed.value;
}

function resolved({ channel, feed, type }: Entry, variables: Variables): ResolvedChannel {
  return {
    channel,
    variables,
    feed: feed === undefined ? { kind: 'memory' } : { kind: feed.kind, name: expand(feed.parts, variables) },
    typeOf: eventTypeOf(type, variables),
  };
}

/** The channel `"*"`: the feed is the name itself. */
interface CatchAll {
  readonly channel: ChannelConfig;
  readonly typeOf: ResolvedChannel['typeOf'];
}

function compileCatchAll(channel: ChannelConfig): CatchAll {
  return { channel, typeOf: eventTypeOf(wellFormed(channel, parseEventType(channel.event, [])), NO_VARIABLES) };
}

function resolvedByCatchAll({ channel, typeOf }: CatchAll, name: string): ResolvedChannel {
  const { kind } = channel.feed;
  const feed: Feed = kind === 'memory' ? { kind } : { kind, name };
  return { channel, variables: NO_VARIABLES, feed, typeOf };
}
