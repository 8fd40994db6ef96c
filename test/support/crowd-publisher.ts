/** Publishes numbered moments to the channels that a crowd follows, in Redis and over HTTP. */
import { numberedMoment } from './crowd-order.ts';
import type { Gateway } from './gateway.ts';
import type { Owner } from './owner.ts';
import type { RespClient } from './resp.ts';

/** Where numbers go. */
export type Target =
  | { readonly kind: 'pubsub' | 'stream'; readonly feed: string }
  | { readonly kind: 'memory'; readonly channel: string };

/** How many items one batch over HTTP, or one pipeline, has. */
const AT_ONCE = 1000;
const BATCH_BYTES = 500_000;

/** Every target is given its own numbers from 0 up. */
export class CrowdPublisher {
  /** How many numbers each target was given. */
  count = 0;
  readonly #gateway: Gateway;
  readonly #client: RespClient | undefined;
  readonly #targets: readonly Target[];
  readonly #bytes: number;
  #ticking: NodeJS.Timeout | undefined;
  #last: Promise<void> = Promise.resolve();

  /** `bytes`: how long each payload is at least. */
  constructor(gateway: Gateway, client: RespClient | undefined, targets: readonly Target[], bytes = 0) {
    this.#gateway = gateway;
    this.#client = client;
    this.#targets = targets;
    this.#bytes = bytes;
  }

  /** Publishes `count` more numbers to each target; settles when they are accepted. */
  more(count: number): Promise<void> {
    const first = this.count;
    this.count += count;
    this.#last = this.#last.then(() => this.#publish(first, count));
    return this.#last;
  }

  /** Publishes one number to each target every `ms`, until `stop`. */
  every(owner: Owner, ms: number): void {
    this.#ticking = setInterval(() => void this.more(1).catch(() => this.#cease()), ms);
    owner.after(() => this.#cease());
  }

  /** Settles when what was begun is accepted. */
  async stop(): Promise<void> {
    this.#cease();
    await this.#last;
  }

  #cease(): void {
    clearInterval(this.#ticking);
  }

  async #publish(first: number, count: number): Promise<void> {
    // A batch is no larger than one event may be.
    const atOnce = Math.max(1, Math.min(AT_ONCE, Math.floor(BATCH_BYTES / (this.#bytes + 100))));
    for (let from = first; from < first + count; from += atOnce) {
      const numbers = Array.from({ length: Math.min(atOnce, first + count - from) }, (_, index) => from + index);
      for (const target of this.#targets) await this.#send(target, numbers);
    }
  }

  async #send(target: Target, numbers: readonly number[]): Promise<void> {
    if (target.kind === 'memory') {
      const items = numbers.map((number) => ({ channel: target.channel, data: this.#payload(number) }));
      const headers = { 'content-type': 'application/json' };
      const body = JSON.stringify(items);
      const response = await this.#gateway.get('/events', { method: 'POST', headers, body });
      if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`);
      await response.arrayBuffer();
      return;
    }
    const { kind, feed } = target;
    if (this.#client === undefined) throw new Error(`no Redis to publish ${target.feed} to`);
    const replies = await this.#client.pipeline(
      numbers.map((number) =>
        kind === 'pubsub'
          ? ['PUBLISH', feed, this.#payload(number)]
          : ['XADD', feed, '*', 'data', this.#payload(number)],
      ),
    );
    for (const reply of replies) if (reply instanceof Error) throw reply;
  }

  #payload(number: number): string {
    return numberedMoment(number).padEnd(this.#bytes, ' .');
  }
}
