/** The lines of a case: streams and lines are dealt out to the channels in turn. */
import type { Line, Lines } from '../../src/load/lines.ts';
import type { Load } from './spec.ts';

/** The names of channels and of what they read in Redis differ, as those of templates do. */
export const CHANNEL_TEMPLATE = 'bench.{n}';
export const FEED_TEMPLATE = 'bench:{n}';

/** What a channel reads in Redis. */
export function feedOf(channel: string): string {
  return channel.replace('bench.', 'bench:');
}

/** Lines and streams are dealt out to the channels in turn. Throws where the load cannot be dealt out evenly. */
export function linesOf({ streams, channels, publishers, shared, size, via }: Load): Lines {
  const own = publishers / channels;
  if (!Number.isInteger(own) || !Number.isInteger(streams / channels)) throw new Error('it cannot be dealt out evenly');
  if (shared !== undefined && via === 'http') throw new Error('a shared channel needs Redis');
  if (size < 48 && channels > 1) throw new Error('payloads that hold no time need one channel alone');
  const audience = streams / channels;
  const lines: Line[] = Array.from({ length: publishers }, (_, at) => ({
    channel: channelName(at % channels),
    slot: Math.floor(at / channels),
    audience,
  }));
  const lineOf = (stream: number, slot: number): number =>
    slot === own ? publishers : slot * channels + (stream % channels);
  if (shared === undefined) {
    return { all: lines, slots: own, channelsOf: (stream) => [channelName(stream % channels)], lineOf };
  }
  lines.push({ channel: channelName('all'), slot: own, audience: streams });
  const channelsOf = (stream: number): string[] => [channelName(stream % channels), channelName('all')];
  return { all: lines, slots: own + 1, shared: publishers, channelsOf, lineOf };
}

function channelName(name: number | string): string {
  return CHANNEL_TEMPLATE.replace('{n}', `${name}`);
}
