/** What the command line says without a file: the built-in configuration, one Redis for everything, another address. */
import { UsageError } from '../errors.ts';
import { channelDefaults } from './channel-schema.ts';
import { type Listen, parseListen } from './listen.ts';
import { refused } from './parsed.ts';
import { parseRedisUrl } from './redis-url.ts';
import { type RawConfig, schema } from './schema.ts';

/** `--listen`. Throws `UsageError`. */
export function listenOption(text: string): Listen {
  const listen = parseListen(text);
  if (!refused(listen)) return listen.value;
  throw new UsageError(
    `--listen: ${listen.problem ?? 'wanted host:port such as 127.0.0.1:8080, or unix:/path'}`,
    hintOf(listen.hint),
  );
}

/** One catch-all channel: in memory, or every pub/sub channel of the Redis. Throws `UsageError`. */
export function withoutFile(redis: string | undefined): RawConfig {
  if (redis === undefined)
    return { ...schema.defaults, channels: new Map([['*', { ...channelDefaults, memory: true }]]) };
  const address = parseRedisUrl(redis);
  if (!refused(address))
    return { ...schema.defaults, redis: address.value, channels: new Map([['*', channelDefaults]]) };
  throw new UsageError(`--redis: ${address.problem ?? 'wanted a Redis URL'}`, hintOf(address.hint));
}

/** The same, listening elsewhere. */
export function withListen(raw: RawConfig, listen: Listen | undefined): RawConfig {
  return listen === undefined ? raw : { ...raw, server: { ...raw.server, listen } };
}

function hintOf(hint: string | undefined): { hint?: string } {
  return hint === undefined ? {} : { hint };
}
