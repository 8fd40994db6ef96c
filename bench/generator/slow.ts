/** Measures what streams that do not read do to those that do. */
import { setTimeout as delay } from 'node:timers/promises';
import { measurePhase } from './measure.ts';
import { Session } from './session.ts';
import type { Figures, Spec } from './spec.ts';
import { openNonReaders } from './subscribers.ts';

/** How long the streams that do not read are given to be open, in milliseconds. */
const OPENING = 500;

/** The same load twice: with those that read alone, then beside those that do not. */
export async function measureSlow(spec: Spec): Promise<Figures> {
  const { load, port, dialect } = spec;
  const session = new Session(spec);
  await session.streams.open();
  await session.driver.run(load.warmUp);
  const { flow: alone } = await measurePhase(spec, session, load.measured);
  const { channelsOf } = session.lines;
  const close = openNonReaders({ count: load.slow ?? 0, port, dialect, channelsOf });
  await delay(OPENING);
  await session.driver.run(load.warmUp); // until their sockets are full
  const phase = await measurePhase(spec, session, load.measured);
  const figures = session.close();
  close();
  const { p50, p99, max } = alone;
  return { ...figures, ...phase, slow: { before: { p50, p99, max }, ratio: phase.flow.p99 / p99 } };
}
