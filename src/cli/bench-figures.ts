/** What a bench has found: the object that `--json` prints, and all that the text is made of. */
import type { Account } from '../load/account.ts';
import type { Histogram } from '../load/histogram.ts';
import type { Lines } from '../load/lines.ts';
import type { LoadRun } from '../load/run.ts';
import type { OwnFigures } from './bench-own.ts';
import type { BenchPlan } from './bench-plan.ts';

/** Times are milliseconds, rates a second, sizes bytes. */
export interface BenchFigures {
  readonly url: string;
  readonly via: string;
  readonly channels: number;
  readonly publishers: number;
  readonly rate: number;
  readonly size: number;
  /** How long was published, in seconds. */
  readonly seconds: number;
  readonly interrupted: boolean;
  readonly connections: {
    readonly asked: number;
    readonly opened: number;
    readonly failed: number;
    readonly closed_early: number;
    /** Why they failed, and how many. */
    readonly problems: Readonly<Record<string, number>>;
  };
  readonly published: {
    readonly sent: number;
    readonly acknowledged: number;
    readonly refused: number;
    readonly unanswered: number;
    readonly per_second: number;
    /** Why the first one was refused or not answered. */
    readonly problem: string | null;
  };
  readonly delivered: {
    readonly events: number;
    readonly per_second: number;
    readonly missing: number;
    readonly duplicated: number;
    readonly out_of_order: number;
    /** `gateway.gap` events. */
    readonly gaps: number;
  };
  readonly latency_ms: Readonly<Record<'p50' | 'p90' | 'p99' | 'p99.9' | 'max', number>> | null;
  readonly histogram: readonly Bar[];
  readonly generator: {
    /** Its share of one core. */
    readonly cpu: number;
    readonly loop_delay_ms: OwnFigures['delay'];
    /** Whether it was the limit: the gateway may be better than these figures. */
    readonly was_the_limit: boolean;
  };
}

/** How many latencies lie in a range of milliseconds. */
export interface Bar {
  readonly from: number;
  readonly to: number;
  readonly count: number;
}

/** What the figures are made of. `seconds`: how long was published. */
export interface Found {
  readonly plan: BenchPlan;
  readonly url: string;
  readonly via: string;
  readonly lines: Lines;
  readonly run: LoadRun;
  readonly account: Account;
  readonly own: OwnFigures;
  readonly began: number;
  readonly seconds: number;
  readonly interrupted: boolean;
}

/** Makes them, while the streams are still open. */
export function figuresOf(found: Found): BenchFigures {
  const { plan, url, via, run, own, seconds, interrupted } = found;
  const { latency, streams } = run;
  return {
    url,
    via,
    channels: plan.channels.length,
    publishers: plan.publishers,
    rate: plan.rate,
    size: plan.size,
    seconds: rounded(seconds),
    interrupted,
    connections: {
      asked: plan.connections,
      opened: streams.opened,
      failed: streams.failed,
      closed_early: streams.closed,
      problems: Object.fromEntries(streams.problems),
    },
    published: publishedOf(found),
    delivered: deliveredOf(found),
    latency_ms: latency.total === 0 ? null : latenciesOf(latency),
    histogram: barsOf(latency),
    generator: {
      cpu: rounded(own.cpu),
      loop_delay_ms: { p50: rounded(own.delay.p50), p99: rounded(own.delay.p99), max: rounded(own.delay.max) },
      // Where nothing was opened there was nothing to limit.
      was_the_limit: streams.opened > 0 && wasTheLimit(own, latency.at(0.99) / 1000),
    },
  };
}

/** Above this share of a core there is nothing left of it. */
export const LIMIT_CPU = 0.9;
/** What is late by more than this share of the slow latencies makes them, unless it is late by so few milliseconds. */
const LIMIT_DELAY_SHARE = 1 / 3;
const SMALL_DELAY_MS = 10;

/** Whether what was measured is this process more than the gateway. `p99` in milliseconds. */
export function wasTheLimit({ cpu, delay }: OwnFigures, p99: number): boolean {
  if (cpu > LIMIT_CPU) return true;
  return delay.p99 > SMALL_DELAY_MS && delay.p99 > p99 * LIMIT_DELAY_SHARE;
}

function publishedOf({ run, account, seconds }: Found): BenchFigures['published'] {
  const sent = run.driver.total;
  const { acknowledged, refused, problem } = account;
  return {
    sent,
    acknowledged,
    refused,
    unanswered: sent - acknowledged - refused,
    per_second: perSecond(sent, seconds),
    problem: problem ?? null,
  };
}

/** Of streams that were cut only what went wrong before is counted: that they were cut is told elsewhere. */
function deliveredOf({ run, lines, account, began }: Found): BenchFigures['delivered'] {
  const { ledger, driver, streams } = run;
  const faults = ledger.faultsOf((stream, slot) => {
    const line = lines.lineOf(stream, slot);
    const sent = driver.published[line];
    return sent === undefined || !streams.isOpen(stream) ? undefined : sent - account.refusedOn(line);
  });
  const sum = (kind: 'missing' | 'duplicated' | 'outOfOrder'): number =>
    faults.reduce((total, fault) => total + Math.max(0, fault[kind]), 0);
  return {
    events: ledger.delivered,
    per_second: perSecond(ledger.delivered, run.readAt / 1e6 - began / 1000),
    missing: sum('missing'),
    duplicated: sum('duplicated'),
    out_of_order: sum('outOfOrder'),
    gaps: run.gaps,
  };
}

function latenciesOf(latency: Histogram): NonNullable<BenchFigures['latency_ms']> {
  const at = (quantile: number): number => latency.at(quantile) / 1000;
  return { p50: at(0.5), p90: at(0.9), p99: at(0.99), 'p99.9': at(0.999), max: latency.max / 1000 };
}

/** Where one bar ends and the next begins, in milliseconds: 0.1, 0.2, 0.5, 1 and so on to 100 seconds. */
const BOUNDS = [0, ...[0.1, 1, 10, 100, 1000, 10_000].flatMap((power) => [power, 2 * power, 5 * power]), 100_000];

/** From the first that is not empty to the last. */
function barsOf(latency: Histogram): Bar[] {
  const bars = BOUNDS.map((from, at) => {
    const to = BOUNDS[at + 1] ?? Number.POSITIVE_INFINITY;
    return { from, to, count: latency.below(to * 1000) - latency.below(from * 1000) };
  });
  const first = bars.findIndex(({ count }) => count > 0);
  return first < 0 ? [] : bars.slice(first, bars.findLastIndex(({ count }) => count > 0) + 1);
}

function perSecond(count: number, seconds: number): number {
  return seconds > 0 ? Math.round((count / seconds) * 10) / 10 : 0;
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}
