/** Somebody who listens to a source and remembers all it was told. */
import type { Message } from '../../src/event.ts';
import type {
  Break,
  Feed,
  KeyValue,
  Payload,
  SourceListener,
  StreamEntry,
  StreamState,
} from '../../src/source/source.ts';
import { Watch } from '../support/wait.ts';

export class Hearing implements SourceListener {
  /**
   * Everything in order: `confirmed FEED`, `refused FEED`, `lost FEED`, `FEED payload`; of streams `FEED id name=value`
   * and `FEED broken reason lost`, of keys `FEED digest data`.
   */
  readonly told: string[] = [];
  readonly payloads: { readonly feed: Feed; readonly payload: Payload }[] = [];
  readonly messages: { readonly feed: Feed; readonly message: Message }[] = [];
  /** What streams were found to be. */
  readonly states: StreamState[] = [];
  /** Places of streams that were told, such as `feed 1-0`. */
  readonly ids = new Set<string>();
  /** Nobody follows what is heard. */
  deaf = false;
  readonly #watch = new Watch();

  payload(feed: Feed, payload: Payload): void {
    this.payloads.push({ feed, payload });
    this.#tell(`${feed.name} ${payload.data}`);
  }

  message(feed: Feed, message: Message): number | undefined {
    if (this.deaf) return undefined;
    this.messages.push({ feed, message });
    this.#tell(`${feed.name} ${message.data}`);
    return this.messages.length;
  }

  entries(feed: Feed, entries: readonly StreamEntry[]): void {
    for (const { id, fields } of entries) {
      this.ids.add(`${feed.name} ${id}`);
      const pairs = fields.map((field, i) => (i % 2 === 0 ? ` ${field}=` : `${field}`)).join('');
      this.#tell(`${feed.name} ${id}${pairs}`);
    }
  }

  value(feed: Feed, { digest, data }: KeyValue): void {
    this.#tell(`${feed.name} ${digest} ${data ?? '(none)'}`);
  }

  broken(feed: Feed, { reason, lost }: Break): void {
    this.#tell(`${feed.name} broken ${reason} ${lost}`);
  }

  knows(feed: Feed, { id }: StreamEntry): boolean {
    return this.ids.has(`${feed.name} ${id}`);
  }

  confirmed(feed: Feed, state?: StreamState): void {
    if (state !== undefined) {
      this.states.push(state);
      this.ids.add(`${feed.name} ${state.last}`);
    }
    this.#tell(`confirmed ${feed.name}`);
  }

  refused(feed: Feed): void {
    this.#tell(`refused ${feed.name}`);
  }

  lost(feed: Feed): void {
    this.#tell(`lost ${feed.name}`);
  }

  /** Settles once this was told `count` times. */
  async hears(what: string, count = 1): Promise<void> {
    await this.#watch.until(
      () => `"${what}" for the ${count}. time; told so far: ${this.told.slice(-20).join(', ')}`,
      () => this.told.filter((each) => each === what).length >= count,
    );
  }

  #tell(what: string): void {
    this.told.push(what);
    this.#watch.changed();
  }
}
