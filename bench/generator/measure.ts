/** Measures one run under load: what arrives, how late, and what the server takes for it. */
import type { Pace } from '../../src/load/driver.ts';
import { readLoopDelay } from './loop-delay.ts';
import { latenciesOf, now, Session } from './session.ts';
import { settledBytes } from './settled.ts';
import { Shares } from './shares.ts';
import type { Figures, Flow, Spec } from './spec.ts';

/** Publishes as the load says, first to warm up; the figures are those of the measured phase, the faults those of both. */
export async function measureLoad(spec: Spec): Promise<Figures> {
  const { load, pids } = spec;
  const session = new Session(spec);
  const before = load.memory === true ? await settledBytes(pids) : 0;
  await session.streams.open();
  const bytes = load.memory === true ? { bytesPerStream: ((await settledBytes(pids)) - before) / load.streams } : {};
  await session.driver.run(load.warmUp);
  const phase = await measurePhase(spec, session, load.measured);
  return { ...session.close(), ...phase, ...bytes };
}

/** What one phase has shown, whatever may be wrong with the streams. */
export type Phase = Required<Pick<Figures, 'share' | 'noise' | 'flow'>> & Pick<Figures, 'loop' | 'shared'>;

/** Publishes for one phase and measures it. */
export async function measurePhase(spec: Spec, session: Session, pace: Pace): Promise<Phase> {
  const { driver, ledger, latency, sharedLatency } = session;
  session.clear();
  await readLoopDelay(spec);
  const before = { published: driver.total, delivered: ledger.delivered, at: now() };
  const shares = new Shares(spec);
  await driver.run(pace);
  const { serverSeconds, share, noise } = shares.since();
  const loop = await readLoopDelay(spec);
  const published = driver.total - before.published;
  const deliveries = ledger.delivered - before.delivered;
  const seconds = (session.readAt - before.at) / 1e6;
  const flow: Flow = {
    published,
    deliveries,
    seconds,
    deliveriesPerCpuSecond: deliveries / serverSeconds,
    messagesPerSecond: published / seconds,
    ...latenciesOf(latency),
  };
  return {
    share,
    noise,
    flow,
    ...(loop !== undefined && { loop }),
    ...(sharedLatency.total > 0 && { shared: latenciesOf(sharedLatency) }),
  };
}
