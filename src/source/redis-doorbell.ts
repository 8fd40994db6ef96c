/**
 * The doorbell: Redis says which of the keys that were read has changed, once until they are read again.
 *
 * Server-assisted invalidation in its default mode and RESP2 takes two connections: commands, which arm it by reading,
 * and one that hears. When either is replaced Redis says nothing and never rings again, so both are armed anew and
 * everything is read. After a fail-over the two may be connected to different servers, where the id of the one that
 * hears names a stranger's connection, which Redis accepts without a word: so both must report the same `run_id`.
 */
import type { Redis } from 'ioredis';
import { RedisLink } from './redis-link.ts';
import type { RedisSourceOptions } from './redis-options.ts';
import { isRefusal } from './redis-transaction.ts';

/** Who answers the door. */
export interface DoorbellUser {
  /** There is a link for commands. */
  linked(): void;
  /** Reading arms from now on; everything is to be read. Where it `rings` not, Redis refuses: there is only asking. */
  armed(redis: Redis, rings: boolean): void;
  /** Nothing rings any more. */
  disarmed(): void;
  /** These have changed; null for everything. */
  rang(keys: readonly unknown[] | null): void;
}

/** The connection that hears, as Redis knows it. */
interface Ear {
  readonly id: string;
  readonly run: string | undefined;
}

/** Connections that are dropped in a row because they ended at different servers. */
const MOST_PARTINGS = 10;
const CHANNEL = '__redis__:invalidate';

export class Doorbell {
  readonly #options: RedisSourceOptions;
  readonly #user: DoorbellUser;
  readonly #commands: RedisLink;
  readonly #hearing: RedisLink;
  #ear: { readonly redis: Redis; readonly ready: Promise<Ear> } | undefined;
  #armed: 'no' | 'rings' | 'silent' = 'no';
  /** Grows with each try to arm: an older one is given up. */
  #tries = 0;
  #refusalTold = false;
  /** How often in a row the two links ended at different servers. */
  #partings = 0;

  constructor(options: RedisSourceOptions, user: DoorbellUser) {
    this.#options = options;
    this.#user = user;
    const arm = (): void => void this.#arm();
    const linked = (): void => {
      user.linked();
      arm();
    };
    this.#commands = new RedisLink({ ...options, purpose: 'read' }, { up: linked, down: () => this.#disarm() });
    this.#hearing = new RedisLink({ ...options, purpose: 'invalidate' }, { up: arm, down: () => this.#deaf() });
  }

  /** The link for commands; undefined while there is none. */
  get redis(): Redis | undefined {
    return this.#commands.redis;
  }

  /** Why nothing is read; undefined while it is. */
  get problem(): string | undefined {
    const hearing = this.#armed === 'silent' ? undefined : this.#hearing.problem;
    return this.#commands.problem ?? hearing;
  }

  start(): void {
    this.#commands.start();
    this.#hearing.start();
  }

  stop(): void {
    this.#tries += 1;
    this.#commands.stop();
    this.#hearing.stop();
  }

  async #arm(): Promise<void> {
    this.#disarm();
    const { redis: commands } = this.#commands;
    const { redis: hearing } = this.#hearing;
    if (commands === undefined || hearing === undefined) return;
    this.#tries += 1;
    const tries = this.#tries;
    const current = (): boolean =>
      tries === this.#tries && commands === this.#commands.redis && hearing === this.#hearing.redis;
    try {
      const [ear, run] = await Promise.all([this.#listen(hearing), runOf(commands)]);
      if (!current()) return;
      if (ear.run !== undefined && run !== undefined && ear.run !== run) {
        this.#part(commands, hearing);
        return;
      }
      this.#partings = 0;
      await commands.call('CLIENT', 'TRACKING', 'OFF');
      await commands.call('CLIENT', 'TRACKING', 'ON', 'REDIRECT', ear.id);
      if (current()) this.#stand(commands, 'rings');
    } catch (error) {
      if (!current() || !isRefusal(error)) return; // a link that went comes back, and arms again
      this.#tellRefusal(error.message);
      this.#stand(commands, 'silent');
    }
  }

  /** The two links are connected to two servers. A proxy that always does so must not be connected to for ever. */
  #part(commands: Redis, hearing: Redis): void {
    this.#partings += 1;
    if (this.#partings > MOST_PARTINGS) {
      this.#tellRefusal('its connections end at different servers');
      this.#stand(commands, 'silent');
      return;
    }
    for (const redis of [commands, hearing]) redis.disconnect();
  }

  #listen(redis: Redis): Promise<Ear> {
    if (this.#ear?.redis !== redis) this.#ear = { redis, ready: this.#prepare(redis) };
    return this.#ear.ready;
  }

  /** Makes a link the one that hears. Its id and server are asked before it subscribes: RESP2 allows nothing else then. */
  async #prepare(redis: Redis): Promise<Ear> {
    const [id, run] = await Promise.all([redis.call('CLIENT', 'ID'), runOf(redis)]);
    redis.on('messageBuffer', (_channel: Buffer, keys: unknown) => {
      if (redis === this.#hearing.redis) this.#user.rang(Array.isArray(keys) ? keys : null);
    });
    await redis.subscribe(CHANNEL);
    return { id: String(id), run };
  }

  #stand(commands: Redis, how: 'rings' | 'silent'): void {
    this.#armed = how;
    this.#user.armed(commands, how === 'rings');
  }

  #disarm(): void {
    if (this.#armed === 'no') return;
    this.#armed = 'no';
    this.#user.disarmed();
  }

  /** The link that hears is gone. Where nothing rings it is not needed. */
  #deaf(): void {
    this.#ear = undefined;
    if (this.#armed === 'rings') this.#disarm();
  }

  #tellRefusal(reason: string): void {
    if (this.#refusalTold) return;
    this.#refusalTold = true;
    this.#options.logger.warn(
      { reason, allow: `+client|id +client|tracking +subscribe &${CHANNEL}` },
      'Redis refuses to say which keys have changed; asking for changes instead, which costs more and takes longer',
    );
  }
}

/** Which server this is; undefined where it does not say so. */
async function runOf(redis: Redis): Promise<string | undefined> {
  try {
    return /^run_id:(\S+)/m.exec(String(await redis.info('server')))?.[1];
  } catch (error) {
    if (isRefusal(error)) return undefined;
    throw error;
  }
}
