/** What the gateway holds at this moment, as gauges. */
import type { LoopDelay } from '../clock.ts';
import type { Hub } from '../hub/hub.ts';
import type { Gauge } from '../metrics/exposition.ts';
import type { Source } from '../source/source.ts';

/** What the gauges are read from. */
export interface GaugesOptions {
  readonly hub: Hub;
  readonly sources: readonly Source[];
  readonly subscribers: { readonly size: number };
  /** Bytes of all logs together. */
  readonly held: { readonly history: number; readonly window: number };
  /** Bytes that clients wait for, by their sockets. */
  readonly pinned: { readonly bytes: number };
  /** Lines that the log could not write. */
  readonly logLinesDropped: () => number;
  /** How late the event loop was since it was last asked; absent where nothing watches it. */
  readonly loopDelay?: (() => LoopDelay) | undefined;
}

/** Reads all gauges. */
export function readGauges(options: GaugesOptions): Gauge[] {
  const { hub, sources, subscribers, held, pinned, logLinesDropped } = options;
  const one = (name: string, help: string, value: number): Gauge => ({ name, help, values: [{ value }] });
  const up = sources.map((source) => ({ labels: { source: source.name }, value: source.status().up ? 1 : 0 }));
  const { heapUsed, rss } = process.memoryUsage();
  return [
    one('subscribers', 'open subscriptions', subscribers.size),
    one('channels', 'live channels', hub.live.size),
    one('history_bytes', 'bytes that all histories hold', held.history),
    one('window_bytes', 'bytes beyond history that connected subscribers have not passed', held.window),
    one('pending_bytes', 'bytes in memory that sockets of slow clients hold', pinned.bytes),
    one('log_lines_dropped', 'log lines that could not be written', logLinesDropped()),
    one('heap_bytes', 'bytes of JavaScript objects', heapUsed),
    one('resident_bytes', 'memory of the process', rss),
    { name: 'source_up', help: '1 where a source is heard', values: up },
    ...(options.loopDelay === undefined ? [] : [loopGauge(options.loopDelay())]),
  ];
}

function loopGauge({ p99, p999, max }: LoopDelay): Gauge {
  const values = [
    { labels: { quantile: '0.99' }, value: p99 },
    { labels: { quantile: '0.999' }, value: p999 },
    { labels: { quantile: '1' }, value: max },
  ];
  return { name: 'loop_delay_seconds', help: 'how late the event loop was since this was last read', values };
}
