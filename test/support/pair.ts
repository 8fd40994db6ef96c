/** Two gateways over one Redis, as behind a balancer: what tests of streams and keys begin with. */
import { openConfig } from './entries.ts';
import { type Gateway, startGateway } from './gateway.ts';
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

/** Starts a Redis and two gateways of the same configuration; `channels` and `more` as in `openConfig`. */
export async function startPair(owner: Owner, channels: readonly string[], more = ''): Promise<Pair> {
  const redis = await startRedis(owner);
  const config = openConfig(redis, channels, more);
  const [gateway, other] = await Promise.all([startGateway(owner, { config }), startGateway(owner, { config })]);
  return { redis, client: redis.client(), gateway, other };
}
