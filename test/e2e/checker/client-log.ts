/** What a client saw through its own parser, over all of its connections. */

/** One thing that a client saw; `at` in milliseconds of `performance.now`. */
export type Seen =
  | { readonly kind: 'connect'; readonly at: number; readonly url: string; readonly cursor: string | undefined }
  | {
      readonly kind: 'open';
      readonly at: number;
      readonly pending: readonly string[];
      readonly resumed: boolean;
      readonly id: string;
    }
  | { readonly kind: 'event'; readonly at: number; readonly type: string; readonly data: string; readonly id: string }
  | {
      readonly kind: 'gap';
      readonly at: number;
      readonly channel: string;
      readonly reason: string;
      readonly after: string | null;
      readonly lost: number | null;
      readonly id: string | undefined;
    }
  /** Something that no client should see: a status, bytes that are no stream, an event of the gateway that nobody asked for. */
  | { readonly kind: 'odd'; readonly at: number; readonly what: string }
  | { readonly kind: 'closed'; readonly at: number };

/** Where a client begins. */
export type Beginning =
  | { readonly kind: 'live' }
  /** `since=start`, or a channel with `replay: all`. */
  | { readonly kind: 'start' }
  | { readonly kind: 'cursor'; readonly cursor: string };

/** One client's log, and what must be known to judge it. */
export interface ClientLog {
  readonly name: string;
  /** The feed of each channel that it follows. */
  readonly channels: ReadonlyMap<string, string>;
  readonly beginning: Beginning;
  readonly seen: Seen[];
}

/** The only channel that is followed; undefined where there are several. */
export function onlyChannel({ channels }: ClientLog): string | undefined {
  const [first, second] = channels.keys();
  return second === undefined ? first : undefined;
}
