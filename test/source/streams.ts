/** What tests of streams and keys begin with: a real Redis, a source on it, and somebody who listens. */
import type { TestContext } from 'node:test';
import { systemClock } from '../../src/clock.ts';
import type { RedisSourceOptions } from '../../src/source/redis-options.ts';
import { RedisSource } from '../../src/source/redis-source.ts';
import type { Feed } from '../../src/source/source.ts';
import { silent } from '../support/core.ts';
import type { Owner } from '../support/owner.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';
import type { RespClient } from '../support/resp.ts';
import { Hearing } from './hearing.ts';

export const S: Feed = { kind: 'stream', name: 's' };
export const K: Feed = { kind: 'key', name: 'k' };

/** A source on a port of this machine, and what it tells. */
export function startSource(owner: Owner, port: number, options: Partial<RedisSourceOptions> = {}) {
  const source = new RedisSource({
    name: 'main',
    address: { host: '127.0.0.1', port, db: 0, tls: false },
    prefix: '',
    valueLimit: 1000,
    clock: systemClock,
    random: Math.random,
    logger: silent,
    ...options,
  });
  const hearing = new Hearing();
  source.start(hearing);
  owner.after(() => source.stop());
  return { source, hearing };
}

/** The same with a Redis of its own, and a client of it. */
export async function startBoth(t: TestContext, options: Partial<RedisSourceOptions> = {}) {
  const redis = await startRedis(t);
  return { redis, client: redis.client(), ...startSource(t, redis.port, options) };
}

/** The same, with a feed that is followed and confirmed. */
export async function following(t: TestContext, feed: Feed, prepare: readonly (readonly string[])[] = []) {
  const { redis, client, source, hearing } = await startBoth(t);
  for (const command of prepare) await client.command(...command);
  source.follow(feed);
  await hearing.hears(`confirmed ${feed.name}`);
  return { redis, client, source, hearing };
}

/** Adds an entry of one field under an id. */
export async function add(client: RespClient, id: string, key = 's'): Promise<void> {
  await client.command('XADD', key, id, 'n', id);
}

/** How often a command was run since the server was started. */
export async function callsOf(redis: RedisServer, owner: Owner, command: string): Promise<number> {
  const info = String(await redis.client(owner).command('INFO', 'commandstats'));
  return Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(info)?.[1] ?? 0);
}
