/** Finds which Redis a load is written to, and how each of its channels is. */
import type { Config } from '../config/config.ts';
import { loadConfig } from '../config/load.ts';
import { describeRedis } from '../config/redis-url.ts';
import { UsageError } from '../errors.ts';
import { meaningOf } from '../hub/planning.ts';
import { type Written, writingOf } from '../hub/writing.ts';
import type { RedisPublisher } from '../source/redis-publisher.ts';
import type { Feed } from '../source/source.ts';
import type { BenchPlan } from './bench-plan.ts';
import type { BenchFlags } from './flags.ts';
import { configuredRedis, publisherOf } from './open-source.ts';

/** What a channel reads, and how it is written to. */
export interface RedisFeed {
  readonly feed: Feed;
  readonly written: (data: Buffer) => Written;
}

/** Where the load goes. */
export interface RedisTarget {
  /** One for each publishing connection. */
  readonly publishers: readonly RedisPublisher[];
  readonly feeds: ReadonlyMap<string, RedisFeed>;
  /** Which Redis it is, for people. */
  readonly place: string;
}

/** Finds what is written to: by `--redis` and `--kind`, else what the channels read by `--config`. Throws `UsageError` and `ConfigError`. */
export async function findRedis(flags: BenchFlags, plan: BenchPlan): Promise<RedisTarget> {
  if (flags.redis !== undefined) return await byUrl(flags.redis, flags, plan);
  if (flags.config === undefined)
    throw new UsageError('--via redis writes to a Redis, and none is named', {
      hint: 'give --redis URL, or --config FILE',
    });
  return byConfig(await loadConfig({ file: flags.config, env: process.env }), flags.config, plan);
}

async function byUrl(
  url: string,
  { kind = 'pubsub', channel: given }: BenchFlags,
  plan: BenchPlan,
): Promise<RedisTarget> {
  const configured = await configuredRedis(url);
  const feeds = plan.channels.map((channel): [string, RedisFeed] => {
    const written = kind === 'pubsub' ? plainly : given === undefined ? toOwnStream(plan.duration) : toStream(0, 0);
    return [channel, { feed: { kind, name: channel }, written }];
  });
  return {
    publishers: Array.from({ length: plan.publishers }, () => publisherOf(configured)),
    feeds: new Map(feeds),
    place: describeRedis(configured.redis),
  };
}

function plainly(data: Buffer): Written {
  return { message: { data } };
}

function toStream(maxlen: number, expire: number): RedisFeed['written'] {
  return (data) => ({ message: { data }, entry: { fields: ['data', data], maxlen, expire } });
}

/** About how many entries a stream of ours keeps, and how long it outlives the bench, in milliseconds. */
const OWN_KEEPS = 100_000;
const OWN_OUTLIVES_MS = 600_000;

/** Nothing else is in a stream that has the name of this bench: it is kept short, and goes by itself. Its first entry says when. */
function toOwnStream(duration: number): RedisFeed['written'] {
  let written = toStream(OWN_KEEPS, duration + OWN_OUTLIVES_MS);
  return (data) => {
    const entry = written(data);
    written = toStream(OWN_KEEPS, 0);
    return entry;
  };
}

function byConfig(config: Config, file: string, plan: BenchPlan): RedisTarget {
  const sources = new Set<string>();
  const feeds = plan.channels.map((channel): [string, RedisFeed] => {
    const resolved = config.channels.resolve(channel);
    if (resolved === undefined)
      throw new UsageError(`no channel is named "${channel}" in ${file}`, {
        hint: 'give one of its channels by --channel',
      });
    const meaning = meaningOf(channel, resolved);
    const { kind } = meaning.feed;
    if (kind !== 'pubsub' && kind !== 'stream')
      throw new UsageError(`"${channel}" reads a ${kind} feed; a load can be written to pub/sub and streams of Redis`);
    if (meaning.conflate !== false)
      throw new UsageError(
        `"${channel}" is conflated: what it leaves out on purpose could not be told from what is lost`,
      );
    sources.add(resolved.channel.source);
    return [channel, { feed: meaning.feed, written: (data) => writingOf(meaning, { data }) }];
  });
  const [name = '', other] = sources;
  const configured = config.sources.get(name);
  if (configured === undefined || other !== undefined) throw new UsageError('the channels are of more than one source');
  return {
    publishers: Array.from({ length: plan.publishers }, () => publisherOf(configured)),
    feeds: new Map(feeds),
    place: describeRedis(configured.redis),
  };
}
