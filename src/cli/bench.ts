/** `sse-gateway bench`: loads a running gateway, and tells how late every event came and whether any is missing. */
import { randomBytes } from 'node:crypto';
import type { Gateway } from '../client/exchange.ts';
import { type Cancel, systemClock } from '../clock.ts';
import { UsageError } from '../errors.ts';
import { Account } from '../load/account.ts';
import { deal } from '../load/deal.ts';
import { HttpPublishers } from '../load/http-publishers.ts';
import type { Lines } from '../load/lines.ts';
import type { Publishers } from '../load/publisher.ts';
import { LoadRun } from '../load/run.ts';
import { figuresOf } from './bench-figures.ts';
import { OwnShare } from './bench-own.ts';
import { type BenchPlan, planOf, shortOfFiles } from './bench-plan.ts';
import { endOfBench, reportText } from './bench-report.ts';
import { targetOf } from './bench-target.ts';
import { tryOut } from './bench-trial.ts';
import { descriptorLimit } from './descriptors.ts';
import type { CommandEnd } from './exit.ts';
import type { BenchFlags } from './flags.ts';
import { findGateway } from './gateway.ts';
import { interruption } from './interruption.ts';
import { Progress } from './progress.ts';
import { jsonText, writeOutput } from './terminal.ts';

/** Runs the load and prints what it found. Throws `UsageError`, `ConfigError` and `SourceDownError`. */
export async function benchCommand(flags: BenchFlags): Promise<CommandEnd> {
  checkTogether(flags);
  const plan = planOf(flags, randomBytes(3).toString('hex'));
  const short = shortOfFiles(plan, descriptorLimit());
  if (short !== undefined) return short;
  const { signal } = interruption();
  const gateway = await findGateway(flags);
  const refused = await tryOut(gateway, plan.channels[0] ?? '', flags.via === 'http', signal);
  if (refused !== undefined) return refused;
  const load = await prepare(flags, plan, gateway, signal);
  try {
    return await measure(load, flags, signal);
  } finally {
    load.run.streams.close();
    load.publishers.close();
  }
}

function checkTogether({ via, redis, kind }: BenchFlags): void {
  if (via === 'http' && redis !== undefined) throw new UsageError('--redis is for --via redis');
  if (kind !== undefined && redis === undefined)
    throw new UsageError('--kind says what --redis is written, and that is not given');
}

interface Prepared {
  readonly plan: BenchPlan;
  readonly url: string;
  readonly lines: Lines;
  readonly run: LoadRun;
  readonly account: Account;
  readonly publishers: Publishers & { close(): void };
}

async function prepare(flags: BenchFlags, plan: BenchPlan, gateway: Gateway, signal: AbortSignal): Promise<Prepared> {
  const { connections: streams, channels, publishers: count, size } = plan;
  const target = targetOf(gateway);
  const lines = deal({ streams, channels, publishers: count });
  const account = new Account();
  const path = (line: number): string => `/events/${encodeURIComponent(lines.all[line]?.channel ?? '')}`;
  const publishers =
    flags.via === 'http'
      ? new HttpPublishers({ target, connections: count, path, account, clock: systemClock })
      : await openRedis(flags, plan, lines, account, signal);
  const run = new LoadRun({ target, lines, streams, size, publishers, clock: systemClock });
  return { plan, url: gateway.address.text, lines, run, account, publishers };
}

async function openRedis(flags: BenchFlags, plan: BenchPlan, lines: Lines, account: Account, signal: AbortSignal) {
  const [{ findRedis }, { RedisPublishers }] = await Promise.all([
    import('./bench-redis-target.ts'),
    import('./bench-redis.ts'),
  ]);
  const publishers = new RedisPublishers(await findRedis(flags, plan), lines, account);
  await publishers.link(signal);
  return publishers;
}

async function measure(load: Prepared, flags: BenchFlags, signal: AbortSignal): Promise<CommandEnd> {
  const progress = new Progress(process.stderr, systemClock.now);
  const stopShowing = systemClock.every(SHOW_EVERY_MS, () => progress.show(progressText(load)));
  await open(load, signal);
  const published = await publishAll(load, signal);
  stopShowing();
  progress.clear();
  const figures = figuresOf({ ...load, ...published, via: flags.via, interrupted: signal.aborted });
  await writeOutput(flags.json === true ? `${jsonText(figures)}\n` : reportText(figures));
  return endOfBench(figures);
}

async function open({ run }: Prepared, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const stop = (): void => run.streams.close();
  signal.addEventListener('abort', stop);
  await run.streams.open();
  signal.removeEventListener('abort', stop);
}

/** The first of it warms up both sides, and is left out of the latencies: this share, and at most so many milliseconds. */
const WARM_UP_SHARE = 0.1;
const WARM_UP_MS = 1000;

/** How often it is looked whether any stream is left, in milliseconds. */
const LOOK_EVERY_MS = 250;

/** Publishes until the time is over, somebody interrupts it, or nobody listens any more. */
async function publishAll({ plan, run }: Prepared, signal: AbortSignal) {
  const own = new OwnShare();
  const began = systemClock.now();
  let seconds: number | undefined;
  const end = (): void => {
    seconds ??= (systemClock.now() - began) / 1000;
    own.figures();
    run.driver.finish();
  };
  const cancels: readonly Cancel[] = [
    systemClock.after(Math.min(plan.duration * WARM_UP_SHARE, WARM_UP_MS), () => run.latency.clear()),
    systemClock.after(plan.duration, end),
    systemClock.every(LOOK_EVERY_MS, () => {
      if (run.streams.closed === run.streams.opened) end();
    }),
  ];
  signal.addEventListener('abort', end);
  if (run.streams.opened > 0 && !signal.aborted)
    await run.driver.run({ seconds: plan.duration / 1000, rate: plan.rate, window: Number.POSITIVE_INFINITY });
  end();
  for (const cancel of cancels) cancel();
  return { began, seconds: seconds ?? 0, own: own.figures() };
}

/** Between two lines of progress, in milliseconds. */
const SHOW_EVERY_MS = 250;

function progressText({ plan, run, account }: Prepared): string {
  const { opened, failed } = run.streams;
  const sent = run.driver.total;
  const connections = `${opened} of ${plan.connections} connections${failed === 0 ? '' : `, ${failed} failed`}`;
  if (sent === 0) return connections;
  const p99 = (run.latency.at(0.99) / 1000).toFixed(1);
  return `${connections}; ${sent} published, ${account.acknowledged} acknowledged, ${run.ledger.delivered} delivered, p99 ${p99} ms`;
}
