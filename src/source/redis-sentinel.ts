/** One Sentinel, asked which server is the primary: its connection is kept between questions, and dropped when it fails. */
import { Redis } from 'ioredis';
import type { Clock } from '../clock.ts';
import type { HostPort, SentinelAddress } from '../config/redis-url.ts';

/** What it says. `epoch` is the number of the fail-over that made this server the primary. */
export type Answer =
  | { readonly kind: 'named'; readonly host: string; readonly port: number; readonly epoch: number }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'silent' };

/** How long an answer may take, its connection included: one that is stopped accepts and says nothing. */
const ANSWER_MS = 1000;

export class Sentinel {
  readonly #node: HostPort;
  readonly #address: SentinelAddress;
  readonly #clock: Clock;
  #client: Redis | undefined;
  /** Why the connection failed: a refused login is told by an event alone. */
  #error: Error | undefined;

  constructor(node: HostPort, address: SentinelAddress, clock: Clock) {
    this.#node = node;
    this.#address = address;
    this.#clock = clock;
  }

  /** Never rejects. */
  ask(): Promise<Answer> {
    return new Promise((resolve) => {
      const kept = this.#client;
      const client = kept === undefined || kept.status === 'end' ? this.#open() : kept;
      const settle = (answer: Answer): void => {
        cancel();
        if (answer.kind !== 'named' && client === this.#client) this.drop();
        resolve(answer);
      };
      const cancel = this.#clock.after(ANSWER_MS, () => settle({ kind: 'silent' }));
      this.#question(client).then(settle, (error: Error) => settle(failed(this.#error ?? error)));
    });
  }

  /** Closes the connection; the next question opens another. */
  drop(): void {
    this.#client?.disconnect();
    this.#client?.stream?.destroy(); // disconnect() alone waits for the other side, which may be stopped
    this.#client = undefined;
  }

  #open(): Redis {
    const { sentinel, tls } = this.#address;
    const client = new Redis({
      ...this.#node,
      ...(sentinel.password !== undefined && { password: sentinel.password }),
      ...(tls && { tls: {} }),
      connectionName: 'sse-gateway-sentinel',
      protocol: 2,
      lazyConnect: true,
      retryStrategy: null,
      enableReadyCheck: false,
      enableOfflineQueue: false,
      disableClientInfo: true,
      maxRetriesPerRequest: null,
      connectTimeout: ANSWER_MS,
    });
    this.#error = undefined;
    client.on('error', (error: Error) => {
      if (client === this.#client) this.#error = error;
    });
    this.#client = client;
    return client;
  }

  async #question(client: Redis): Promise<Answer> {
    const { name } = this.#address.sentinel;
    if (client.status === 'wait') await client.connect();
    const [place, state] = await Promise.all([
      client.call('sentinel', ['get-master-addr-by-name', name]),
      client.call('sentinel', ['master', name]).catch(() => undefined), // not known to it, or not allowed
    ]);
    if (!Array.isArray(place)) return { kind: 'refused', reason: 'the Sentinels watch no primary of this name' };
    return { kind: 'named', host: String(place[0]), port: Number(place[1]), epoch: epochOf(state) };
  }
}

/** A Sentinel whose state cannot be read is heard all the same, behind those that say their epoch. */
function epochOf(state: unknown): number {
  if (!Array.isArray(state)) return -1;
  const at = state.findIndex((name, index) => index % 2 === 0 && name === 'config-epoch');
  return at < 0 ? -1 : Number(state[at + 1]);
}

function failed(error: Error): Answer {
  const code = /^([A-Z]{3,}) /.exec(error.message)?.[1];
  return error.name === 'ReplyError' && code !== undefined
    ? { kind: 'refused', reason: `${code}: the Sentinels refuse to say which server is the primary` }
    : { kind: 'silent' };
}
