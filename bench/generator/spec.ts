/** What the generator is told, and what it answers: both travel as JSON. */
import type { Pace } from '../../src/load/driver.ts';
import type { Fault } from '../../src/load/ledger.ts';
import type { Dialect } from './dialect.ts';

/** The load of one case. */
export interface Load {
  /**
   * What is measured. `flow`: what comes through. `idle`: the memory of streams to which nothing is sent. `slow`: the
   * flow without and with streams that do not read. `behind`: one client that has much to catch up. `start`: the time
   * until the gateway listens.
   */
  readonly kind: 'flow' | 'idle' | 'slow' | 'behind' | 'start';
  /** Open streams that read, divided evenly between the channels. */
  readonly streams: number;
  readonly channels: number;
  /** Numbered sequences of messages, a multiple of `channels`; over HTTP each has a connection of its own. */
  readonly publishers: number;
  /** Over HTTP to a channel in memory, `PUBLISH`, or `XADD`. */
  readonly via: 'http' | 'redis' | 'stream' | 'none';
  /** One more channel, which every stream follows beside its own, gets every `shared`-th message; default: there is none. */
  readonly shared?: number;
  /** Bytes of a payload: 16, or at least 48. */
  readonly size: number;
  /** Whether the memory of the open streams is measured before anything is published; default: in `idle` alone. */
  readonly memory?: boolean;
  /** `slow`: streams that do not read, beside those that do. */
  readonly slow?: number;
  /** `behind`: entries that a client has to catch up. */
  readonly behind?: number;
  readonly warmUp: Pace;
  readonly measured: Pace;
}

/** What the generator is started with. */
export interface Spec {
  readonly load: Load;
  readonly port: number;
  /** Where messages are published over HTTP; default: the same port. */
  readonly publishPort?: number;
  /** All processes of the server under test. */
  readonly pids: readonly number[];
  readonly dialect: Dialect;
  readonly redis?: { readonly port: number; readonly pid: number };
  /** The CPUs whose other use is told as noise. */
  readonly cpus: readonly number[];
}

/** What one run has shown. Shares are of one CPU, 0 to 1. */
export interface Figures {
  /** Whether every stream stayed open and had every message, once and in order. */
  readonly whole: boolean;
  readonly faults: readonly Fault[];
  /** Streams that were closed before the end. */
  readonly closed: number;
  /** Publishes that were refused or whose connection broke. */
  readonly refused: number;
  readonly share: { readonly server: number; readonly generator: number; readonly redis: number };
  /** What others took of the CPUs, on average over them. */
  readonly noise: number;
  /** Absent where nothing is published. */
  readonly flow?: Flow;
  /** Latencies of the channel that every stream follows, where there is one. */
  readonly shared?: Latencies;
  /** Proportional set size for each stream, in bytes, where it was measured. */
  readonly bytesPerStream?: number;
  /** How late the event loop of the gateway was while it was measured, in milliseconds, where it tells that. */
  readonly loop?: { readonly p999: number; readonly max: number };
  /** `slow`: the same load before streams that do not read were opened, and how many times as large the p99 became. */
  readonly slow?: { readonly before: Latencies; readonly ratio: number };
  /** `behind`: until the client had what the others had, and what the memory of the gateway grew by at most meanwhile. */
  readonly behind?: { readonly seconds: number; readonly growth: number };
  /** `start`: from exec until it listens, in milliseconds. */
  readonly start?: number;
}

/** From the write of a publisher to the read of a subscriber, in milliseconds. */
export interface Latencies {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** What came through while messages were published. */
export interface Flow extends Latencies {
  readonly published: number;
  readonly deliveries: number;
  /** From the first publish to the last delivery. */
  readonly seconds: number;
  /** By seconds that the server was on a CPU, in user and system mode. */
  readonly deliveriesPerCpuSecond: number;
  readonly messagesPerSecond: number;
}
