/** Deals streams and publishing connections out to channels, in turn, whatever their numbers are. */
import type { Lines } from './lines.ts';

/** What is dealt. */
export interface Dealt {
  /** At least as many as there are channels. */
  readonly streams: number;
  /** Names, each once. */
  readonly channels: readonly string[];
  /** Publishing connections. */
  readonly publishers: number;
}

/**
 * A line for each connection, and at least one for each channel: where there are more channels than connections, a
 * connection has several lines.
 */
export function deal({ streams, channels, publishers }: Dealt): Lines {
  const count = channels.length;
  const nameOf = (at: number): string => channels[at % count] ?? '';
  const all = Array.from({ length: Math.max(count, publishers) }, (_, at) => ({
    channel: nameOf(at),
    slot: Math.floor(at / count),
    audience: Math.ceil((streams - (at % count)) / count),
  }));
  return {
    all,
    slots: Math.ceil(all.length / count),
    channelsOf: (stream) => [nameOf(stream)],
    lineOf: (stream, slot) => slot * count + (stream % count),
  };
}
