/** `npm run bench`: loads this gateway, or this one and another in turn, and prints what they can do. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { runCampaign } from './campaign.ts';
import { CASES, type Case } from './cases.ts';
import { executable, gateway, sources } from './gateway.ts';
import { type Bench, BenchUsageError, type Options } from './options.ts';
import type { Subject } from './subject.ts';

const BENCH: Bench = {
  script: 'bench',
  summary: 'Loads a gateway on this machine and prints what it does for each second of CPU time, and how fast.',
  cases: CASES,
};

/** What `npm run build` makes. */
const BUILT = resolve(import.meta.dirname, '../dist/sse-gateway');

process.exitCode = await runCampaign({ series: 'gateway', bench: BENCH, subjectsOf }, process.argv.slice(2));

function subjectsOf({ load }: Case, { executable: file, against }: Options): Subject[] {
  const ours = file === undefined ? sources('this') : executable('this', file);
  if (against !== undefined) {
    if (!existsSync(join(against, 'bin/sse-gateway.ts'))) throw new BenchUsageError(`${against} is no checkout`);
    return [ours, sources('other', against)];
  }
  if (load.kind !== 'start' || file !== undefined || !existsSync(BUILT)) return [ours];
  return [ours, gateway('dist/sse-gateway', [BUILT])];
}
