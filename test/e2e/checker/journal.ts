/** What producers meant to write and what they were told became of it. */
import type { Stamp } from './payload.ts';

/** `unknown`: asked, and the answer never came. */
export type Outcome = 'unknown' | 'written' | 'refused';

/** One payload from the moment before it is sent. */
export interface Intent {
  readonly key: string;
  readonly stamp: Stamp;
  readonly payload: string;
  /** When it was about to be sent for the first time, in milliseconds of `performance.now`. */
  readonly at: number;
  /** Whether it may have been asked for more than once, under one idempotency key. */
  readonly repeatable: boolean;
  outcome: Outcome;
  /** The entry that the acknowledgement names. */
  id: string | undefined;
  acknowledgedAt: number | undefined;
}

/** All producers write into one. */
export class Journal {
  readonly intents = new Map<string, Intent>();

  /** Before sending. */
  intend(key: string, stamp: Stamp, payload: string, repeatable = false): Intent {
    const at = performance.now();
    const intent: Intent = {
      ...{ key, stamp, payload, at, repeatable },
      ...{ outcome: 'unknown', id: undefined, acknowledgedAt: undefined },
    };
    this.intents.set(key, intent);
    return intent;
  }

  /** After a positive answer; `id` where the answer names the entry. */
  acknowledge(intent: Intent, id?: string): void {
    intent.outcome = 'written';
    intent.id = id;
    intent.acknowledgedAt = performance.now();
  }

  /** What has been acknowledged for a feed so far. */
  acknowledged(feed: string): Intent[] {
    return this.of(feed).filter(({ outcome }) => outcome === 'written');
  }

  /** All intents for a feed in the order they were made. */
  of(feed: string): Intent[] {
    return [...this.intents.values()].filter(({ stamp }) => stamp.feed === feed);
  }
}
