/**
 * Which server is the primary, as its Sentinels say.
 *
 * All of them are asked, and the newest word counts: each fail-over has a number (config-epoch) of its own, so a
 * Sentinel that was cut off and still names the old primary is known by it. They are asked again and again while
 * there is a link, because an old primary that is cut off, or stopped, does not say that it is one no more.
 */
import { type Cancel, type Clock, jitter, type Random } from '../clock.ts';
import { describeHostPort, type RedisAddress, type SentinelAddress } from '../config/redis-url.ts';
import type { Logger } from '../logger.ts';
import { type Answer, Sentinel } from './redis-sentinel.ts';

/** What asking needs. */
export interface PrimaryOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** Between two questions: with the time of an answer, a fail-over is followed within half of 10 s. */
const ASK_EVERY_MS = 2000;

/** One for each deployment, however many links it has. */
const primaries = new WeakMap<SentinelAddress, Primary>();

/** The one that links with this very address share. The options of the first count. */
export function primaryOf(address: SentinelAddress, options: PrimaryOptions): Primary {
  const known = primaries.get(address);
  if (known !== undefined) return known;
  const primary = new Primary(address, options);
  primaries.set(address, primary);
  return primary;
}

export class Primary {
  readonly #address: SentinelAddress;
  readonly #options: PrimaryOptions;
  readonly #sentinels: readonly Sentinel[];
  readonly #links = new Set<(server: RedisAddress) => void>();
  /** What was named last, and in which epoch. */
  #named: { readonly server: RedisAddress; readonly epoch: number } | undefined;
  #asking: Promise<RedisAddress> | undefined;
  #told: 'answered' | 'silent' = 'answered';
  #cancelTimer: Cancel = () => undefined;

  constructor(address: SentinelAddress, options: PrimaryOptions) {
    this.#address = address;
    this.#options = options;
    this.#sentinels = address.sentinel.nodes.map((node) => new Sentinel(node, address, options.clock));
  }

  /** Asks for as long as somebody has joined, and calls `moved` when another server is named. Gives what leaves. */
  join(moved: (server: RedisAddress) => void): Cancel {
    this.#links.add(moved);
    if (this.#links.size === 1) this.#askLater();
    return () => {
      if (!this.#links.delete(moved) || this.#links.size > 0) return;
      this.#cancelTimer();
      for (const sentinel of this.#sentinels) sentinel.drop();
    };
  }

  /** Asks now. Rejects where nobody knows; the message names no address. */
  find(): Promise<RedisAddress> {
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined;
      if (this.#links.size === 0) for (const sentinel of this.#sentinels) sentinel.drop();
    });
    return this.#asking;
  }

  #askLater(): void {
    const { clock, random } = this.#options;
    this.#cancelTimer = clock.after(jitter(ASK_EVERY_MS, 0.1, random), () => {
      this.#askLater();
      this.find().catch((error: Error) => this.#tellSilent(error.message));
    });
  }

  async #ask(): Promise<RedisAddress> {
    const answers = await Promise.all(this.#sentinels.map((sentinel) => sentinel.ask()));
    const named = answers.flatMap((answer) => (answer.kind === 'named' ? [answer] : []));
    const [first] = answers.flatMap((answer) => (answer.kind === 'refused' ? [answer.reason] : []));
    if (named.length === 0) throw new Error(first ?? 'no Sentinel answers');
    this.#told = 'answered';
    return this.#settle(newest(named), named.length);
  }

  /** An older word than what is known counts only where most of the Sentinels are there to say it: they were set up anew. */
  #settle({ host, port, epoch }: Named, answered: number): RedisAddress {
    const before = this.#named;
    if (before !== undefined && epoch < before.epoch && 2 * answered <= this.#sentinels.length) return before.server;
    const { sentinel: _, ...login } = this.#address;
    const same = before?.server.host === host && before.server.port === port;
    const server = same ? before.server : { ...login, host, port };
    this.#named = { server, epoch };
    if (before !== undefined && !same) {
      this.#options.logger.info({ primary: describeHostPort(server) }, 'the Sentinels name another primary');
    }
    if (!same) for (const moved of [...this.#links]) moved(server);
    return server;
  }

  /** Once, not at every question: the links that stand are left standing. */
  #tellSilent(reason: string): void {
    if (this.#told === 'silent' || this.#named === undefined) return;
    this.#told = 'silent';
    this.#options.logger.warn({ reason }, 'a fail-over would not be seen; asking the Sentinels until they answer');
  }
}

type Named = Extract<Answer, { kind: 'named' }>;

/** The answer of the highest epoch; where they differ within it, what most of them say. */
function newest(named: readonly Named[]): Named {
  const votes = (one: Named): number => named.filter(({ host, port }) => host === one.host && port === one.port).length;
  return named.reduce((best, one) => {
    if (one.epoch !== best.epoch) return one.epoch > best.epoch ? one : best;
    return votes(one) > votes(best) ? one : best;
  });
}
