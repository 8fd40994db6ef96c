/** Finds the source that is written to without a gateway: a Redis by its URL, or that of a configured channel. */
import { systemClock } from '../clock.ts';
import type { Config, SourceConfig } from '../config/config.ts';
import { loadConfig } from '../config/load.ts';
import { describeRedis } from '../config/redis-url.ts';
import { UnsupportedError, UsageError } from '../errors.ts';
import type { Message } from '../event.ts';
import { checkFields } from '../http/publish.ts';
import { meaningOf } from '../hub/planning.ts';
import { openLog } from '../logger.ts';
import { RedisPublisher } from '../source/redis-publisher.ts';
import type { Destination } from './destination.ts';
import type { PublishFlags } from './flags.ts';
import { SourceDestination } from './source-destination.ts';

/** A channel of Redis, by its own name, which gets the data alone. Throws `UsageError`. */
export async function openRedis(
  url: string,
  channel: string,
  flags: PublishFlags,
  timeout: number,
): Promise<Destination> {
  const configured = await configuredRedis(url);
  if (channel === '') throw new UsageError('the channel has no name');
  if (flags.event !== undefined || flags.id !== undefined || flags.end === true) {
    throw new UsageError('PUBLISH carries data alone: no event type, no id, no end', {
      hint: 'give --config FILE in which the channel has format: envelope',
    });
  }
  return new SourceDestination({
    publisher: publisherOf(configured),
    place: describeRedis(configured.redis),
    channel,
    plan: { ...PLAIN, feed: { kind: 'pubsub', name: channel } },
    idempotencyKey: undefined,
    maxEventSize: Number.POSITIVE_INFINITY,
    timeout,
  });
}

/** A channel that nothing is configured for. */
const PLAIN = {
  reading: { format: 'text', encode: 'none', typeOf: undefined },
  publish: { maxlen: 0, expire: 0 },
  idempotency: 0,
} as const;

/**
 * A channel of a configuration whose source is a Redis, written as its gateway would. Throws `UsageError`, and
 * `UnsupportedError` for a pattern.
 */
export function openSource(config: Config, channel: string, flags: PublishFlags, timeout: number): Destination {
  const resolved = config.channels.resolve(channel);
  const configured = config.sources.get(resolved?.channel.source ?? '');
  if (resolved === undefined || configured === undefined) throw new UsageError(`"${channel}" is no channel of a Redis`);
  const plan = meaningOf(channel, resolved);
  if (plan.feed.kind === 'pattern') {
    throw new UnsupportedError(`"${channel}" reads a pattern, which cannot be published to`, {
      hint: 'publish to the channel in Redis itself, by --redis',
    });
  }
  checkFields(plan, messageFields(flags));
  if (flags.idempotencyKey !== undefined && plan.feed.kind !== 'stream') {
    throw new UsageError('this channel cannot recognise a repeat', { hint: 'leave --idempotency-key out' });
  }
  return new SourceDestination({
    publisher: publisherOf(configured),
    place: describeRedis(configured.redis),
    channel,
    plan,
    idempotencyKey: flags.idempotencyKey,
    maxEventSize: config.limits.event_size,
    timeout,
  });
}

/** A source by its URL. Throws `UsageError` and `ConfigError`. */
export async function configuredRedis(url: string): Promise<SourceConfig> {
  const config = await loadConfig({ redis: url, env: {} });
  const [configured] = config.sources.values();
  if (configured === undefined) throw new UsageError('--redis names no Redis');
  return configured;
}

/** What writes to a source; it does not connect yet. */
export function publisherOf({ name, redis, prefix }: SourceConfig): RedisPublisher {
  // What goes wrong is said by the command itself.
  const { logger } = openLog({ level: 'silent', terminal: false, colour: false });
  return new RedisPublisher({ name, address: redis, prefix, clock: systemClock, random: Math.random, logger });
}

function messageFields({ event, id, end }: PublishFlags): Omit<Message, 'data'> {
  return {
    ...(event === undefined ? {} : { type: event }),
    ...(id === undefined ? {} : { id }),
    ...(end === true ? { end } : {}),
  };
}
