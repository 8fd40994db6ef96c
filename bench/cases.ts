/** The cases: what is loaded, how, and what each is there to show. */
import type { Pace } from '../src/load/driver.ts';
import type { Load } from './generator/spec.ts';

/** One case of the bench. */
export interface Case {
  readonly name: string;
  /** A few words for `--help`. */
  readonly what: string;
  readonly load: Load;
}

const COMMON = { kind: 'flow', streams: 1000, channels: 1, size: 128 } as const;

/** A server beside the gateway is loaded with these: they need nothing but one channel and HTTP. */
export const PEER_CASES: readonly Case[] = [
  {
    name: 'saturated',
    what: '64 publishing connections, 256 messages in flight',
    load: { ...COMMON, via: 'http', publishers: 64, ...paced(6, { window: 256 }) },
  },
  {
    name: 'closed-loop',
    what: '2 publishing connections, 16 messages in flight',
    load: { ...COMMON, via: 'http', publishers: 2, ...paced(6, { window: 16 }) },
  },
  {
    name: 'calm',
    what: '10 messages a second',
    load: { ...COMMON, via: 'http', publishers: 1, ...paced(10, { rate: 10, window: 100 }) },
  },
  {
    name: 'idle',
    what: 'memory of 5,000 streams to which nothing is sent',
    load: { ...COMMON, kind: 'idle', streams: 5000, via: 'none', publishers: 1, ...paced(0, { window: 0 }) },
  },
];

/** In the order in which they are run and printed. */
export const CASES: readonly Case[] = [
  ...PEER_CASES,
  {
    name: 'burst',
    what: '20,000 PUBLISH written to Redis at once',
    load: {
      ...COMMON,
      via: 'redis',
      publishers: 1,
      warmUp: { seconds: 2, window: 256 },
      measured: { seconds: 30, messages: 20_000, window: 20_000 },
    },
  },
  {
    name: 'channels',
    what: '10 channels of 100 streams, up to 50,000 PUBLISH a second',
    load: { ...COMMON, channels: 10, via: 'redis', publishers: 10, ...paced(6, { rate: 50_000, window: 5000 }) },
  },
  {
    name: 'stream',
    what: '10 stream channels of 100 streams, up to 30,000 XADD a second',
    load: { ...COMMON, channels: 10, via: 'stream', publishers: 10, ...paced(6, { rate: 30_000, window: 5000 }) },
  },
  {
    name: 'many-streams',
    what: '10,000 stream channels of one stream, 500 XADD a second in all',
    load: {
      ...COMMON,
      streams: 10_000,
      channels: 10_000,
      via: 'stream',
      publishers: 10_000,
      memory: true,
      ...paced(8, { rate: 500, window: 5000 }),
    },
  },
  {
    name: 'private-and-shared',
    what: '10,000 streams of a channel of their own and one for all: 500 and 5 PUBLISH a second',
    load: {
      ...COMMON,
      streams: 10_000,
      channels: 10_000,
      via: 'redis',
      publishers: 10_000,
      shared: 101,
      memory: true,
      ...paced(8, { rate: 505, window: 5000 }),
    },
  },
  {
    name: 'many-connections',
    what: '15,000 streams of one channel, 2 messages a second',
    load: {
      ...COMMON,
      streams: 15_000,
      via: 'http',
      publishers: 1,
      memory: true,
      ...paced(10, { rate: 2, window: 20 }),
    },
  },
  {
    name: 'slow-readers',
    what: '900 streams that read, without and with 100 that do not; 50 messages of 4 KiB a second',
    load: {
      ...COMMON,
      kind: 'slow',
      streams: 900,
      slow: 100,
      size: 4096,
      via: 'http',
      publishers: 4,
      ...paced(6, { rate: 50, window: 500 }),
    },
  },
  sized('16 B', 16, 256),
  sized('1 KiB', 1024, 256),
  sized('64 KiB', 65_536, 4),
  {
    name: 'behind',
    what: 'a client 100,000 entries behind, while 500 come each second',
    load: {
      ...COMMON,
      kind: 'behind',
      streams: 10,
      via: 'stream',
      publishers: 1,
      behind: 100_000,
      ...paced(10, { rate: 500, window: 5000 }),
    },
  },
  {
    name: 'start',
    what: 'from exec until it listens',
    load: { ...COMMON, kind: 'start', streams: 0, via: 'none', publishers: 0, ...paced(0, { window: 0 }) },
  },
];

/** Two seconds to warm up, then as many to measure, at the same pace. */
function paced(seconds: number, pace: Omit<Pace, 'seconds'>): Pick<Load, 'warmUp' | 'measured'> {
  return { warmUp: { seconds: 2, ...pace }, measured: { seconds, ...pace } };
}

function sized(text: string, size: number, window: number): Case {
  return {
    name: `sizes-${text.replaceAll(' ', '')}`,
    what: `as saturated, with payloads of ${text} and ${window} in flight`,
    load: { ...COMMON, size, via: 'http', publishers: 64, ...paced(6, { window }) },
  };
}
