/** What the parts of a Redis source are made with. */
import type { Clock, Random } from '../clock.ts';
import type { RedisDeployment } from '../config/redis-url.ts';
import type { Logger } from '../logger.ts';

/** What a Redis source needs. */
export interface RedisSourceOptions {
  readonly name: string;
  readonly address: RedisDeployment;
  /** Put before every feed, and taken from what is heard. */
  readonly prefix: string;
  /** Bytes of a key's value that are read at most: a longer one is announced as too large. */
  readonly valueLimit: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}
