/** All faults that the checker knows. */

import type { Owner } from '../../support/owner.ts';
import { waitFor } from '../../support/wait.ts';
import { type Deployment, deploy } from './deployment.ts';
import { FAIL_OVERS } from './fail-overs.ts';
import type { Fault, Length } from './fault.ts';
import type { Finding } from './finding.ts';
import { GATEWAY_FAULTS } from './gateway-faults.ts';
import { REDIS_FAULTS } from './redis-faults.ts';
import { STREAM_FAULTS } from './stream-faults.ts';

export const FAULTS: readonly Fault[] = [...REDIS_FAULTS, ...STREAM_FAULTS, ...GATEWAY_FAULTS, ...FAIL_OVERS];

/** One trial: a deployment, some faults one after the other, and the verdict. */
export interface Trial {
  readonly seed: number;
  readonly faults: readonly Fault[];
  readonly length: Length;
}

/** What a trial has found, and how much was seen. */
export interface TrialResult {
  readonly findings: readonly Finding[];
  /** When it began, in milliseconds of `performance.now`. */
  readonly startedAt: number;
  /** Events that all clients have received. */
  readonly events: number;
}

/** How many events clients must have received, all together, for a verdict to say something. */
const ENOUGH = 100;

/** Runs a trial. */
export async function runTrial(owner: Owner, { seed, faults, length }: Trial): Promise<TrialResult> {
  const deployment = await deploy(owner, {
    seed,
    persistence: faults.find(({ persistence }) => persistence !== undefined)?.persistence ?? 'saved',
    sentinel: faults.some(({ sentinel }) => sentinel === true),
    gateways: Math.max(1, ...faults.map(({ gateways = 1 }) => gateways)),
    rate: length === 'short' ? 120 : 300,
    patienceMs: 60_000,
  });
  for (const fault of faults) await runFault(deployment, fault, length);
  await waitFor('events enough to judge by', () => deployment.seen > ENOUGH, deployment.options.patienceMs);
  const findings = await deployment.verdict();
  const { seen, startedAt } = deployment;
  return { findings, startedAt, events: seen };
}

/** Clients that come later join before, in the middle of and after the fault. */
async function runFault(deployment: Deployment, fault: Fault, length: Length): Promise<void> {
  await deployment.reachesEverybody();
  deployment.addClient('steady', [1], { beginning: { kind: 'start' }, channel: 'all' });
  await fault.run(deployment, length);
  deployment.addClient('cut', [1, 3], { beginning: { kind: 'start' } });
  const old = deployment.clients.at(1)?.log.seen.find((seen) => seen.kind === 'open' && seen.pending.length === 0);
  if (old?.kind === 'open') deployment.addClient('late', [1, 2], { beginning: { kind: 'cursor', cursor: old.id } });
  await deployment.reachesEverybody();
}
