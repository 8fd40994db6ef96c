/** What the process of a crowd is told, and what it tells. */

/** Clients that do the same, each on a connection of its own. */
export interface Group {
  readonly name: string;
  /** Such as `/events/news`; `{i}` stands for the number of the client, from 0. */
  readonly path: string;
  readonly clients: number;
  /** Who is cut comes back after its `retry:`, with its cursor, as `EventSource` does; default: stays away. */
  readonly returns?: boolean;
  /** The HTTP version; default 1.1. */
  readonly version?: '1.0' | '1.1';
}

/** One thing to do. */
export type CrowdOrder =
  | { readonly kind: 'open'; readonly port: number; readonly host: string; readonly group: Group }
  /** Destroys the connections of a group; what `returns` is taken back. */
  | { readonly kind: 'drop'; readonly group: string }
  /** Connects everybody of a group again, at once, with the cursor each has. */
  | { readonly kind: 'return'; readonly group: string }
  | { readonly kind: 'pause' | 'resume'; readonly group: string }
  /** Forgets the latencies and the silence that were measured. */
  | { readonly kind: 'measure'; readonly group: string }
  | { readonly kind: 'tell'; readonly group: string };

/** How a group stands. Times are in milliseconds. */
export interface GroupState {
  readonly clients: number;
  /** Clients that have had their `gateway.open` on a connection that is still there. */
  readonly open: number;
  /** The number that the client which is furthest behind waits for, and the one furthest ahead. */
  readonly least: number;
  readonly most: number;
  /** Connections that were opened with `resumed: true`. */
  readonly resumed: number;
  readonly gaps: number;
  /** Connections that ended with the end of the response, and without. */
  readonly complete: number;
  readonly cut: number;
  /** Connections that ended without an answer. */
  readonly unanswered: number;
  /** Errors of connections, by their code. */
  readonly failures: Readonly<Record<string, number>>;
  /** The last `retry:` of each client. */
  readonly retries: readonly number[];
  /** When the last connection of each client ended, on the wall clock; 0 while it lasts. */
  readonly endedAt: readonly number[];
  /** From publishing to receiving, since `measure`. */
  readonly latency: { readonly count: number; readonly p50: number; readonly p99: number; readonly max: number };
  /** The longest time between two events, whichever clients of the group they came to, since `measure`. */
  readonly silence: number;
  /** What must not be: a number that is missing, doubled or out of order, a status, an unknown event. */
  readonly oddities: readonly string[];
}

/** What is published to a crowd: a number and the moment of publishing. */
export function numberedMoment(number: number): string {
  return `${number} ${Date.now()}`;
}
