/** Everything that was published, by channel: what the clients of a test are judged by. */

/** One event, the end of its channel, or a hole: something that was published and that the gateway never heard. */
export interface Published {
  /** A hole has no number of its own: its place is a fraction behind that of an event. */
  readonly number: number;
  readonly kind: 'event' | 'end' | 'hole';
  readonly data: string;
}

export class Ledger {
  readonly #published = new Map<string, Published[]>();

  add(channel: string, published: Published): void {
    const all = this.#published.get(channel) ?? [];
    all.push(published);
    this.#published.set(channel, all);
  }

  /** The first of a channel above a number. */
  next(channel: string, above: number): Published | undefined {
    return this.#published.get(channel)?.[this.#indexAfter(channel, above)];
  }

  /** The last of a channel up to a number. */
  last(channel: string, upTo: number): Published | undefined {
    return this.#published.get(channel)?.[this.#indexAfter(channel, upTo) - 1];
  }

  /** All of a channel above one number and up to another. */
  between(channel: string, above: number, upTo: number): Published[] {
    const all = this.#published.get(channel) ?? [];
    return all.slice(this.#indexAfter(channel, above), this.#indexAfter(channel, upTo));
  }

  #indexAfter(channel: string, number: number): number {
    const all = this.#published.get(channel) ?? [];
    let low = 0;
    for (let high = all.length; low < high; ) {
      const middle = (low + high) >> 1;
      if ((all[middle]?.number ?? 0) > number) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
