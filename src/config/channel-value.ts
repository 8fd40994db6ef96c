/** The kinds of single values that only a channel has: feeds, patterns, event types, what is replayed. */
import { fieldProblem } from '../event.ts';
import { GLOB_CHARACTERS, globProblem } from './glob.ts';
import { type Leaf, orVariable, text } from './kind.ts';
import type { Parsed, Refusal } from './parsed.ts';
import { parseParts } from './template.ts';
import { yamlValue } from './yaml-text.ts';

/** What a client that brings no position gets first. */
export type ReplayConfig =
  | { readonly kind: 'none' }
  | { readonly kind: 'all' }
  | { readonly kind: 'last'; readonly count: number };

/** The name of a source, as a channel refers to it. */
export const sourceName: Leaf<string> = text({
  wanted: 'the name of a source',
  schema: { type: 'string' },
  parse: (value) => (value === '' ? {} : { value }),
  show: yamlValue,
});

/** The name of a Redis pub/sub channel, which may have variables in it. */
export const feedName: Leaf<string> = text({
  wanted: 'the name of a Redis pub/sub channel',
  schema: { type: 'string', minLength: 1 },
  booleans: true,
  parse: parseFeedName,
  show: yamlValue,
});

/** The name of a Redis stream, which may have variables in it. */
export const streamName: Leaf<string> = text({
  wanted: 'the name of a Redis stream',
  schema: { type: 'string', minLength: 1 },
  parse: (name) => parseKeyName(name, 'stream'),
  show: yamlValue,
});

/** The name of a Redis key, which may have variables in it. */
export const keyName: Leaf<string> = text({
  wanted: 'the name of a Redis key',
  schema: { type: 'string', minLength: 1 },
  parse: (name) => parseKeyName(name, 'key'),
  show: yamlValue,
});

/** The name of a field of a stream's entries. */
export const fieldName: Leaf<string> = text({
  wanted: 'the name of a field',
  schema: { type: 'string', minLength: 1 },
  parse: (name) => nameProblem(name) ?? { value: name },
  show: yamlValue,
});

/** Events a second, such as `10/s`; below one a second as `0.5/s`. */
export const rate: Leaf<number> = text({
  wanted: 'a number of events a second from 0.01/s to 1000/s, such as 10/s',
  schema: { type: 'string', pattern: orVariable('\\d+(\\.\\d+)?/s') },
  parse: parseRate,
  show: (perSecond) => `${perSecond}/s`,
});

/** A Redis glob pattern, which may have variables in it. */
export const patternName: Leaf<string> = text({
  wanted: 'a Redis pattern such as "sensor:*"',
  schema: { type: 'string', minLength: 1 },
  parse: parsePatternName,
  show: yamlValue,
});

/** An event type, which may have variables in it; empty for none. */
export const eventType: Leaf<string> = text({
  wanted: 'an event type such as price or "{feed}", or "" for none',
  schema: { type: 'string' },
  parse: parseEvent,
  show: yamlValue,
});

/** `none`, `all`, or a number of events. */
export const replayAmount: Leaf<ReplayConfig> = text({
  wanted: 'none, all, or a whole number from 1 to 10000000',
  schema: {
    anyOf: [
      { type: 'integer', minimum: 1, maximum: 10_000_000 },
      { type: 'string', pattern: orVariable('none|all|[1-9]\\d*') },
    ],
  },
  booleans: true,
  parse: parseReplay,
  show: (replay) => (replay.kind === 'last' ? String(replay.count) : replay.kind),
});

/** Redis takes any bytes; what is refused here is longer than anybody means, or a mistake. */
const MAX_FEED_LENGTH = 1024;

function parseFeedName(name: string, bare: boolean): Parsed<string> {
  if (bare) return { hint: 'leave the line out to read the Redis channel with the same name' };
  const problem = nameProblem(name);
  if (problem !== undefined) return problem;
  if (!name.replaceAll(/\{[^{}]*\}/g, '').includes('*')) return { value: name };
  return { problem: 'pubsub reads one Redis channel, and a * has no meaning there', hint: `write pattern: "${name}"` };
}

/** `*` alone is for the channel `*`: the name that is asked for. */
function parseKeyName(name: string, kind: 'stream' | 'key'): Parsed<string> {
  const problem = nameProblem(name);
  if (problem !== undefined) return problem;
  if (name === '*' || !name.replaceAll(/\{[^{}]*\}/g, '').includes('*')) return { value: name };
  return starProblem(kind);
}

/** What is said of a `*` in the name of a stream or key. */
export function starProblem(kind: 'stream' | 'key'): Refusal {
  const hint = `for many, use a variable in the channel's name: item.{id}: {${kind}: "item:{id}"}`;
  return { problem: `a channel reads one Redis ${kind}, and a * has no meaning there`, hint };
}

/** A timer cannot tell less than a millisecond; a flush in 100 s is no live channel any more. */
const MIN_RATE = 0.01;
const MAX_RATE = 1000;

function parseRate(value: string): Parsed<number> {
  const perSecond = /^\d{1,4}(\.\d{1,6})?\/s$/.test(value) ? Number(value.slice(0, -2)) : Number.NaN;
  if (perSecond >= MIN_RATE && perSecond <= MAX_RATE) return { value: perSecond };
  if (perSecond > MAX_RATE) return { problem: `the most is ${MAX_RATE}/s` };
  if (perSecond < MIN_RATE) return { problem: `the least is ${MIN_RATE}/s` };
  const [, amount = '', unit] = /^(\d{1,4}(?:\.\d{1,6})?)(?: ?(?:\/|per) ?(s|m|h)[a-z]*)?$/.exec(value) ?? [];
  const meant = Number(amount) / (unit === 'm' ? 60 : unit === 'h' ? 3600 : 1);
  return amount !== '' && meant >= MIN_RATE && meant <= MAX_RATE ? { hint: `write ${Number(meant.toFixed(3))}/s` } : {};
}

function parsePatternName(pattern: string): Parsed<string> {
  const problem = nameProblem(pattern) ?? globProblem(pattern);
  return problem ?? { value: pattern };
}

function nameProblem(name: string): Refusal | undefined {
  if (name === '') return {};
  if (name.length > MAX_FEED_LENGTH) return { problem: `it is longer than ${MAX_FEED_LENGTH} characters` };
  return /\p{Cc}/u.test(name) ? { problem: 'it has a control character in it' } : undefined;
}

/** Which variables there are is judged with the channel's name. */
function parseEvent(type: string): Parsed<string> {
  const problem = fieldProblem('type', type);
  if (problem !== undefined) return { problem };
  const parts = parseParts(type);
  return parts.value === undefined ? parts : { value: type };
}

function parseReplay(value: string): Parsed<ReplayConfig> {
  if (value === 'none' || value === 'all') return { value: { kind: value } };
  if (/^[1-9]\d{0,7}$/.test(value) && Number(value) <= 10_000_000)
    return { value: { kind: 'last', count: Number(value) } };
  if (/^(?:0|false|off|no)$/i.test(value)) return { hint: 'write none' };
  return /^(?:true|on|yes|-1)$/i.test(value) ? { hint: 'write all' } : {};
}

/** Put before feeds. Within a pattern it would be read as a part of it, so it has none of a pattern's characters. */
export const keyPrefix: Leaf<string> = text({
  wanted: 'the beginning of names in Redis such as "app:", or "" for none',
  schema: { type: 'string' },
  parse: (value) => {
    const problem = value === '' ? undefined : nameProblem(value);
    if (problem !== undefined) return problem;
    return GLOB_CHARACTERS.test(value)
      ? { problem: 'a prefix cannot have * ? [ ] or \\ in it, which mean something in patterns' }
      : { value };
  },
  show: yamlValue,
});
