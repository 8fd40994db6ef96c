/** What a name means: where its events come from and how they are kept. */

import type { HistoryLimits } from '../channel/history.ts';
import type { Nature } from '../channel/nature.ts';
import type { Reading } from '../channel/reading.ts';
import type { ConflateConfig } from '../config/config.ts';
import type { Replay } from '../position.ts';
import type { Feed, Source } from '../source/source.ts';

/** Where a channel's events come from and how long they are kept: its configuration, resolved for one name. */
export interface Plan {
  readonly name: string;
  readonly source: Source;
  readonly feed: Feed;
  readonly reading: Reading;
  /** What a client without a cursor gets first, unless it asks for something else. */
  readonly replay: Replay;
  /** Whether SSE ids are the publisher's own, where a connection has this channel alone. */
  readonly publisherIds: boolean;
  readonly history: HistoryLimits;
  /** Whether only the newest is kept, of all or of each key; never false for keys. */
  readonly conflate: ConflateConfig;
  /** Events a second at most, where conflated; undefined for no limit. */
  readonly maxRate: number | undefined;
  /** Milliseconds after the newest event in which nothing may come before the channel is taken as ended; 0 for never. */
  readonly endAfter: number;
  /** How a stream is written to: about how many entries it keeps, and milliseconds until it is gone; 0 for all, and never. */
  readonly publish: { readonly maxlen: number; readonly expire: number };
  /** Milliseconds in which a repeated publish is recognised by its key. */
  readonly idempotency: number;
  /** Read from the start on, whether anybody listens or not. */
  readonly always: boolean;
  /** Milliseconds that the feed is still read after the last listener has left. */
  readonly linger: number;
  /** All of the above that decides what an event of the channel is, as text: a channel with another shape is another one. */
  readonly shape: string;
}

/** What sort of log a channel of this plan has. */
export function natureOf({ feed, conflate }: Plan): Nature {
  return {
    final: feed.kind === 'memory' || feed.kind === 'stream',
    own: feed.kind === 'key' || (feed.kind === 'stream' && conflate === false),
    compact: conflate === false ? undefined : conflate === true ? 1 : conflate.maxKeys,
  };
}
