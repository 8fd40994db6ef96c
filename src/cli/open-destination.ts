/** Finds where `publish` writes to. */
import type { Config } from '../config/config.ts';
import { UnknownChannelError } from '../errors.ts';
import type { Destination } from './destination.ts';
import type { PublishFlags } from './flags.ts';
import { findGateway } from './gateway.ts';

/** How long an answer may take, in milliseconds, where `--timeout` does not say. */
const DEFAULT_TIMEOUT_MS = 10_000;

/**
 * `--redis` is a Redis channel; with `--config` and no `--url` a channel of Redis is written to in its Redis; all else
 * goes through a gateway. Throws `UsageError`, `ConfigError`, and `UnsupportedError` for a channel that takes nothing.
 */
export async function openDestination(channel: string, flags: PublishFlags): Promise<Destination> {
  const timeout = flags.timeout ?? DEFAULT_TIMEOUT_MS;
  if (flags.redis !== undefined) {
    const { openRedis } = await import('./open-source.ts');
    return await openRedis(flags.redis, channel, flags, timeout);
  }
  const config = flags.url === undefined ? await loadedConfig(flags.config) : undefined;
  if (config !== undefined && isOfRedis(config, channel, flags.config)) {
    const { openSource } = await import('./open-source.ts');
    return openSource(config, channel, flags, timeout);
  }
  const { openGateway } = await import('./gateway-destination.ts');
  return openGateway(await findGateway(flags, config), channel, { timeout, idempotencyKey: flags.idempotencyKey });
}

async function loadedConfig(file: string | undefined): Promise<Config | undefined> {
  if (file === undefined) return undefined;
  const { loadConfig } = await import('../config/load.ts');
  return await loadConfig({ file, env: process.env });
}

/** False for channels in memory, which are in the process of their gateway alone. */
function isOfRedis(config: Config, channel: string, file: string | undefined): boolean {
  const resolved = config.channels.resolve(channel);
  if (resolved !== undefined) return resolved.feed.kind !== 'memory';
  throw new UnknownChannelError(`no channel is named "${channel}" in ${file}`, {
    hint: 'add it under "channels", or name the gateway by --url',
  });
}
