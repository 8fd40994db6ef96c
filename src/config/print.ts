/** Writes the configuration in effect as YAML: every default filled in, every secret as `***`. */
import type { ChannelConfig } from './channels.ts';
import type { Config, SourceConfig } from './config.ts';
import type { Kind, Leaf } from './kind.ts';
import { isRecord } from './record.ts';
import type { SentinelAddress } from './redis-url.ts';
import { schema } from './schema.ts';
import { type Fields, isSection } from './section.ts';
import { yamlKey } from './yaml-text.ts';

/** The text of a file that says the same, but for what is `***` in it; keys without a value are left out. */
export function printConfig(config: Config): string {
  const { server, cors, log, limits, allow } = config;
  const sources = new Map([...config.sources.values()].map((source) => [source.name, sourceKeys(source)]));
  const channels = new Map(config.channels.all.map((channel) => [channel.name, channelKeys(channel)]));
  const values = { server, cors, log, limits, channels, ...(sources.size > 0 && { sources }), allow };
  const intro = config.origin === 'none' ? WITHOUT_FILE : [];
  return `${[...intro, ...sectionLines(schema.fields, values)].join('\n')}\n`;
}

/** Rights differ where a file is given, see `allow`. */
const WITHOUT_FILE = [
  '# In effect without a file. In a file, publishing over HTTP needs a grant, such as allow: {publish: ["*"]}.',
];

type Values = Readonly<Record<string, unknown>>;

function sourceKeys({ redis, file, passwordFiles, prefix }: SourceConfig): Values {
  if ('sentinel' in redis) return { sentinel: sentinelKeys(redis, passwordFiles), prefix };
  return file === undefined ? { redis, prefix } : { redis_file: file, prefix };
}

function sentinelKeys({ sentinel, ...servers }: SentinelAddress, files: SourceConfig['passwordFiles']): Values {
  const { name, nodes, password } = sentinel;
  return {
    ...{ name, nodes, ...servers },
    ...(files?.password !== undefined && { password: undefined, password_file: files.password }),
    sentinel_password: files?.sentinel_password === undefined ? password : undefined,
    sentinel_password_file: files?.sentinel_password,
  };
}

/** A channel has the keys that mean something for its feed; others would be refused. */
function channelKeys({ name, source, feed, maxRate, endAfter, publish, ...keys }: ChannelConfig): Values {
  const { bytes, age } = keys.history;
  const kept = feed.kind === 'memory' ? { bytes, age } : { bytes };
  const history = keys.conflate === false ? keys.history : kept;
  const common = { ...keys, history, max_rate: maxRate, end_after: endAfter, fields: undefined };
  const { idempotency } = publish;
  if (feed.kind === 'memory')
    return { ...common, memory: true, format: undefined, linger: undefined, publish: { idempotency } };
  // The channel "*" reads pub/sub where it says nothing, and must say nothing then.
  const template = name === '*' && feed.kind === 'pubsub' ? undefined : feed.template;
  const redis = { ...common, source, memory: false, [feed.kind]: template };
  if (feed.kind === 'stream') return { ...redis, fields: keys.fields, publish };
  return feed.kind === 'key' ? { ...redis, history: undefined } : redis;
}

function sectionLines(fields: Fields, values: Values): string[] {
  return Object.entries(fields).flatMap(([name, field]) => {
    const value = values[name];
    return field.presence === 'later' || value === undefined ? [] : keyLines(name, field.kind, value);
  });
}

function keyLines(name: string, kind: Kind<unknown>, value: unknown): string[] {
  const key = yamlKey(name);
  if (isLeaf(kind)) return [`${key}: ${kind.show(value)}`];
  const lines = blockLines(kind, value);
  return lines.length === 0 ? [`${key}: {}`] : [`${key}:`, ...lines.map((line) => `  ${line}`)];
}

function blockLines(kind: Kind<unknown>, value: unknown): string[] {
  if (isSection(kind) && isValues(value)) return sectionLines(kind.fields, value);
  if (!isRecord(kind) || !(value instanceof Map)) return [];
  return [...value].flatMap(([name, one]) => keyLines(String(name), kind.entry, one));
}

function isLeaf(kind: Kind<unknown>): kind is Leaf<unknown> {
  return 'show' in kind;
}

function isValues(value: unknown): value is Values {
  return typeof value === 'object' && value !== null;
}
