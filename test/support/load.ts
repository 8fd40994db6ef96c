/** A publisher that goes on whatever happens to Redis, and remembers what became of every message. */
import type { Owner } from './owner.ts';
import { RespClient } from './resp.ts';
import { Watch } from './wait.ts';

/** One message that was sent, or tried. */
export interface Sent {
  readonly channel: string;
  readonly payload: string;
  /** How many connections heard it; null where the answer never came. */
  readonly receivers: number | null;
}

/** Publishes numbered payloads, `channel number`, to its channels in turn, one every `everyMs`. */
export class Load {
  readonly sent: Sent[] = [];
  readonly #channels: readonly string[];
  readonly #port: number;
  readonly #timer: NodeJS.Timeout;
  readonly #watch = new Watch();
  #client: RespClient;
  #number = 0;
  #asked = 0;

  constructor(port: number, channels: readonly string[], everyMs: number) {
    this.#port = port;
    this.#channels = channels;
    this.#client = new RespClient(port);
    this.#timer = setInterval(() => void this.#publish(), everyMs);
  }

  /** Settles when `count` more messages have been heard by somebody. */
  async heard(count: number): Promise<void> {
    const start = this.#heard();
    await this.#watch.until(
      () => `${count} more messages that somebody heard, after ${start}; now ${this.#heard()}`,
      () => this.#heard() >= start + count,
    );
  }

  /** Stops; settles when every answer is there or lost. */
  async stop(): Promise<readonly Sent[]> {
    clearInterval(this.#timer);
    await this.#watch.until(
      () => 'the answers to what was published',
      () => this.sent.length === this.#asked,
    );
    this.#client.close();
    return this.sent;
  }

  /** Stops without waiting for anything. */
  abandon(): void {
    clearInterval(this.#timer);
    this.#client.close();
  }

  #heard(): number {
    return this.sent.filter((sent) => (sent.receivers ?? 0) > 0).length;
  }

  async #publish(): Promise<void> {
    const channel = this.#channels[this.#number % this.#channels.length] ?? '';
    const payload = `${channel} ${this.#number}`;
    this.#number += 1;
    this.#asked += 1;
    if (this.#client.closed) this.#client = new RespClient(this.#port);
    const receivers = await this.#client.publish(channel, payload).catch(() => null);
    this.sent.push({ channel, payload, receivers });
    this.#watch.changed();
  }
}

/** Starts a load that stops with its owner at the latest. */
export function startLoad(owner: Owner, port: number, channels: readonly string[], everyMs: number): Load {
  const load = new Load(port, channels, everyMs);
  owner.after(() => load.abandon());
  return load;
}
