/** The figures that are told and compared: where each stands in a run, and how it is written. */
import type { Figures } from './generator/spec.ts';

/** One figure. */
export interface MeasureKind {
  /** How tables head it, with its unit. */
  readonly title: string;
  /** Absent where a run does not have it. */
  readonly of: (run: Figures) => number | undefined;
  /** In the unit of the title. */
  readonly text: (value: number) => string;
}

const millions: MeasureKind['text'] = (value) => (value / 1e6).toFixed(value < 1e5 ? 3 : 2);
const whole: MeasureKind['text'] = (value) => Math.round(value).toLocaleString('en');
const tenths: MeasureKind['text'] = (value) => value.toFixed(1);
const short: MeasureKind['text'] = (value) => (value >= 100 ? whole(value) : value.toFixed(1));
const kibibytes: MeasureKind['text'] = (value) => tenths(value / 1024);

const ALL = {
  deliveriesPerCpuSecond: {
    title: 'M deliveries/CPU-s',
    of: ({ flow }) => flow?.deliveriesPerCpuSecond,
    text: millions,
  },
  messagesPerSecond: { title: 'messages/s', of: ({ flow }) => flow?.messagesPerSecond, text: whole },
  p50: { title: 'p50 ms', of: ({ flow }) => flow?.p50, text: short },
  p99: { title: 'p99 ms', of: ({ flow }) => flow?.p99, text: short },
  max: { title: 'max ms', of: ({ flow }) => flow?.max, text: short },
  loopP999: { title: 'loop p99.9 ms', of: ({ loop }) => loop?.p999, text: short },
  loopMax: { title: 'loop max ms', of: ({ loop }) => loop?.max, text: short },
  bytesPerStream: { title: 'KiB/stream', of: (run) => run.bytesPerStream, text: kibibytes },
  sharedP99: { title: 'the shared channel, p99 ms', of: ({ shared }) => shared?.p99, text: short },
  sharedMax: { title: 'the shared channel, max ms', of: ({ shared }) => shared?.max, text: short },
  slowBefore: { title: 'p99 ms without slow readers', of: ({ slow }) => slow?.before.p99, text: short },
  slowRatio: {
    title: 'p99 with slow readers / without',
    of: ({ slow }) => slow?.ratio,
    text: (value) => value.toFixed(2),
  },
  catchUp: { title: 'seconds to catch up', of: ({ behind }) => behind?.seconds, text: (value) => value.toFixed(2) },
  growth: {
    title: 'memory grew by MB',
    of: ({ behind }) => behind?.growth,
    text: (value) => tenths(value / 1e6),
  },
  start: { title: 'start ms', of: (run) => run.start, text: whole },
} as const satisfies Readonly<Record<string, MeasureKind>>;

/** The name of one. */
export type Measure = keyof typeof ALL;

/** What a run has of it; undefined where it has none, or where nothing came of it, such as a rate of no time at all. */
export function figureOf(run: Figures, measure: Measure): number | undefined {
  const value = MEASURES[measure].of(run);
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : undefined; // JSON has null for NaN
}

/** All of them. Latencies are milliseconds, memory is bytes; `text` makes what is shown. */
export const MEASURES: Readonly<Record<Measure, MeasureKind>> = ALL;

/** Those that most cases have, in the order of the columns. */
export const COLUMNS = [
  'deliveriesPerCpuSecond',
  'messagesPerSecond',
  'p50',
  'p99',
  'max',
  'loopP999',
  'loopMax',
  'bytesPerStream',
] as const satisfies readonly Measure[];

/** Those that one case alone has. */
export const PARTICULARS = [
  'sharedP99',
  'sharedMax',
  'slowBefore',
  'slowRatio',
  'catchUp',
  'growth',
  'start',
] as const satisfies readonly Measure[];

/** Their names, in order. */
export const NAMES: readonly Measure[] = [...COLUMNS, ...PARTICULARS];
