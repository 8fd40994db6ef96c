/** Two gateways over one Redis, as behind a balancer: what tests of streams and keys begin with. */
import { openConfig } from './entries.ts';
import { type Gateway, startGateway } from './gateway.ts';
import { heard } from './heard.ts';
import type { Owner } from './owner.ts';
import { type RedisServer, startRedis } from './redis.ts';
import type { RespClient } from './resp.ts';

/** What was started. */
export interface Pair {
  readonly redis: RedisServer;
  readonly client: RespClient;
  readonly gateway: Gateway;
  readonly other: Gateway;
}

/**
 * Starts a Redis and two gateways of the same configuration, each of which reads from it and can write to it. `channels`
 * and `more` as in `openConfig`; among the channels are streams by the name of `s.{n}`.
 */
export async function startPair(owner: Owner, channels: readonly string[], more = ''): Promise<Pair> {
  const redis = await startRedis(owner);
  const config = openConfig(redis, channels, more);
  const [gateway, other] = await Promise.all([startReading(owner, config), startReading(owner, config)]);
  return { redis, client: redis.client(), gateway, other };
}

/** Starts a gateway whose links to Redis stand: those for streams and keys are begun by the first who follows one. */
export async function startReading(owner: Owner, config: string, path = '/events/s.first'): Promise<Gateway> {
  const gateway = await startGateway(owner, { config });
  (await heard(owner, gateway, path)).cut();
  await gateway.becomes(200);
  return gateway;
}
