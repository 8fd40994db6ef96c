/** Those who write: straight into Redis, and over the gateway with an idempotency key; each knows what became of everything. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Owner } from '../../support/owner.ts';
import type { Dice } from '../../support/random.ts';
import type { Reply, RespClient } from '../../support/resp.ts';
import { waitFor } from '../../support/wait.ts';
import type { Intent, Journal } from './journal.ts';
import { keyOf, makePayload, randomBody } from './payload.ts';

/** How long one publish may take before its producer gives up waiting, in milliseconds. */
const ANSWER_MS = 60_000;

/** What all producers of a trial share. */
export interface ProducerSetting {
  readonly journal: Journal;
  readonly dice: Dice;
  /** A connection to the Redis that counts now. */
  readonly connect: () => RespClient;
  /** The addresses of the gateways that run now. */
  readonly gateways: () => readonly string[];
  /** The channel to publish to for each stream. */
  readonly channels: ReadonlyMap<string, string>;
  readonly pubsub: string;
}

/** How a producer writes one payload; settles when its outcome is in the journal. */
export type Way = 'xadd' | 'post' | 'publish';

/** One producer: one payload after the other. */
export class Producer {
  readonly name: string;
  readonly #way: Way;
  readonly #setting: ProducerSetting;
  readonly #refusals: string[] = [];
  #redis: RespClient | undefined;
  #seq = 0;
  #paused = false;
  #stopped = false;
  #writing: Promise<unknown> = Promise.resolve();

  constructor(name: string, way: Way, setting: ProducerSetting) {
    this.name = name;
    this.#way = way;
    this.#setting = setting;
  }

  /** Why writes were refused, in the words of the answers. */
  get refusals(): readonly string[] {
    return this.#refusals;
  }

  /** Writes one every `everyMs` on average, to its feeds in turn, until it is stopped. */
  async run(everyMs: number): Promise<void> {
    const feeds = this.#way === 'publish' ? [this.#setting.pubsub] : [...this.#setting.channels.keys()];
    while (!this.#stopped) {
      if (!this.#paused) await this.write(feeds[this.#seq % feeds.length] ?? '');
      await delay(everyMs * 2 * this.#setting.dice.next());
    }
    this.#redis?.close();
  }

  /** Writes one payload, under a given entry id where that is wanted; settles with what became of it. */
  async write(feed: string, id = '*'): Promise<Intent> {
    const { dice, journal } = this.#setting;
    this.#seq += 1;
    const type = dice.below(4) === 0 ? 'tick' : 'message';
    const stamp = { feed, producer: this.name, seq: this.#seq, type };
    const payload = makePayload(stamp, randomBody(dice));
    const intent = journal.intend(keyOf(stamp), stamp, payload, this.#way === 'post' && dice.below(5) > 0);
    const write = this.#way === 'post' ? this.#post(intent) : this.#command(intent, id);
    this.#writing = write;
    await write;
    return intent;
  }

  /** Settles when nothing of it is on its way any more. */
  async pause(): Promise<void> {
    this.#paused = true;
    await this.#writing;
  }

  /** It goes on with the Redis that counts now. */
  resume(): void {
    this.#redis?.close();
    this.#paused = false;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#writing;
  }

  async #command(intent: Intent, id: string): Promise<void> {
    const { feed, type } = intent.stamp;
    const command =
      this.#way === 'publish'
        ? ['PUBLISH', feed, intent.payload]
        : ['XADD', feed, id, 'event', type, 'data', intent.payload];
    if (this.#redis === undefined || this.#redis.closed) this.#redis = this.#setting.connect();
    const reply = await this.#redis.pipeline([command]).then(
      ([first]) => first ?? null,
      () => undefined,
    );
    if (reply === undefined) return; // the connection is lost, and with it the answer
    if (reply instanceof Error) this.#refused(intent, reply.message);
    else this.#setting.journal.acknowledge(intent, idIn(reply));
  }

  /** Asks again under the same key until there is an answer that says something. */
  async #post(intent: Intent): Promise<void> {
    for (let attempt = 0; attempt < 1_000 && !this.#stopped; attempt += 1) {
      const urls = this.#setting.gateways();
      const url = urls[(this.#seq + attempt) % Math.max(1, urls.length)];
      const done = url === undefined ? false : await this.#ask(url, intent);
      if (done || !intent.repeatable) return;
      await delay(50 + this.#setting.dice.below(100));
    }
  }

  /** Whether the answer settles it. */
  async #ask(url: string, intent: Intent): Promise<boolean> {
    const { feed, type } = intent.stamp;
    const event = type === 'message' ? '' : `?event=${type}`;
    const response = await fetch(`${url}/events/${this.#setting.channels.get(feed)}${event}`, {
      method: 'POST',
      body: intent.payload,
      headers: intent.repeatable ? { 'idempotency-key': intent.key.replaceAll(' ', '/') } : {},
      signal: AbortSignal.timeout(ANSWER_MS),
    }).catch(() => undefined);
    const text = await response?.text().catch(() => undefined);
    if (response === undefined || text === undefined) return false;
    if (response.status === 200) {
      this.#setting.journal.acknowledge(intent, /"id":"([^"]+)"/.exec(text)?.[1]);
      return true;
    }
    // After an answer that left it open a refusal speaks of the last attempt only.
    if (response.status !== 504 && !intent.repeatable) this.#refused(intent, `${response.status} ${text}`);
    else this.#refusals.push(`${response.status} ${text}`);
    return ![429, 503, 504, 507].includes(response.status);
  }

  #refused(intent: Intent, reason: string): void {
    intent.outcome = 'refused';
    this.#refusals.push(reason);
  }
}

/** Starts one that writes at once; it ends with its owner at the latest. */
export function startProducer(owner: Owner, producer: Producer, everyMs: number): Producer {
  void producer.run(everyMs);
  owner.after(() => producer.stop());
  return producer;
}

/** Writes to every stream until Redis has taken one entry of each; settles with what was written. */
export async function writeLast(producer: Producer, feeds: Iterable<string>): Promise<Intent[]> {
  const last: Intent[] = [];
  for (const feed of feeds) {
    last.push(
      await waitFor(
        `Redis to take an entry for ${feed}`,
        async () => {
          const intent = await producer.write(feed);
          return intent.outcome === 'written' && intent;
        },
        60_000,
      ),
    );
  }
  return last;
}

function idIn(reply: Reply): string | undefined {
  return typeof reply === 'string' ? reply : undefined;
}
