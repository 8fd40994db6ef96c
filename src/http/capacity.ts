/**
 * How many connections fit: near the descriptor limit Node accepts and closes without a word and Redis cannot come back,
 * so some descriptors are kept for everything that is no stream.
 */

/** The most of each. */
export interface Capacity {
  /** Open streams; one more is told to come back. */
  readonly streams: number;
  /** Connections of every kind; one more is dropped. */
  readonly connections: number;
}

/** Descriptors for Redis, the log, the listener and the runtime itself. */
const OWN = 32;
/** Connections beside the streams: publishers, health checks, metrics. */
const OTHERS = 64;

/** What fits into `descriptors` (undefined where the limit is not known), at most `configured` streams. */
export function capacityOf(configured: number | 'auto', descriptors: number | undefined): Capacity {
  const connections = Math.max(1, (descriptors ?? Number.POSITIVE_INFINITY) - OWN);
  const fitting = Math.max(1, connections - Math.min(OTHERS, Math.floor(connections / 4)));
  const streams = configured === 'auto' ? fitting : Math.min(configured, fitting);
  return { streams, connections };
}
