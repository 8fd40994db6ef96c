/**
 * Runs the checker of the end-to-end tests for as long as is wanted, with faults chosen by chance, several in each round.
 * `npm run soak -- --minutes 60 --seed 7 --faults "trimmed,killed" --against dist/sse-gateway`; ends with 1 if anything was found.
 */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { Fault } from '../test/e2e/checker/fault.ts';
import type { Owner } from '../test/support/owner.ts';
import { type Dice, dice } from '../test/support/random.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: `${Date.now() % 1_000_000}` },
    minutes: { type: 'string', default: '10' },
    /** Parts of the names of faults, separated by commas. */
    faults: { type: 'string', default: '' },
    /** A built executable; default: the sources. */
    against: { type: 'string' },
    short: { type: 'boolean', default: false },
  },
});

/** How many faults a round has at most. */
const MOST = 4;

process.exitCode = await main();

async function main(): Promise<number> {
  if (values.against !== undefined) process.env['SSE_GATEWAY_BIN'] = resolve(values.against);
  // What starts gateways reads the variable when it is loaded.
  const { FAULTS } = await import('../test/e2e/checker/faults.ts');
  const parts = values.faults.split(',').filter((part) => part !== '');
  const chosen = FAULTS.filter(({ name }) => parts.length === 0 || parts.some((part) => name.includes(part)));
  if (chosen.length === 0) return complain(FAULTS);
  const end = performance.now() + Number(values.minutes) * 60_000;
  const seed = Number(values.seed);
  const chance = dice(seed);
  let failed = 0;
  for (let round = 0; performance.now() < end; round += 1) {
    failed += await runRound(round, seed + round, choose(chosen, chance));
  }
  console.log(failed === 0 ? 'soak: nothing was found' : `soak: ${failed} rounds with findings`);
  return failed === 0 ? 0 : 1;
}

/** 1 where something was found. */
async function runRound(round: number, seed: number, faults: readonly Fault[]): Promise<number> {
  const { runTrial } = await import('../test/e2e/checker/faults.ts');
  const { describeFindings } = await import('../test/e2e/checker/finding.ts');
  const names = faults.map(({ name }) => `"${name}"`).join(', ');
  const { owner, stop } = makeOwner();
  try {
    const length = values.short ? 'short' : 'long';
    const { findings, startedAt, events } = await runTrial(owner, { seed, faults, length });
    const took = Math.round((performance.now() - startedAt) / 1000);
    console.log(`round ${round}, seed ${seed}: ${names}: ${events} events in ${took} s, ${findings.length} findings`);
    if (findings.length > 0) console.log(describeFindings(findings, startedAt));
    return findings.length > 0 ? 1 : 0;
  } catch (error) {
    console.log(`round ${round}, seed ${seed}: ${names}:`, error);
    return 1;
  } finally {
    await stop();
  }
}

/** The first is any; the others are those that the same deployment can bear. */
function choose(faults: readonly Fault[], chance: Dice): readonly Fault[] {
  const first = faults[chance.below(faults.length)];
  if (first === undefined) return [];
  const round = [first];
  for (let count = chance.below(MOST); count > 0; count -= 1) {
    const kinds = round.flatMap(({ persistence }) => persistence ?? []);
    const fitting = faults.filter((fault) => {
      const { persistence, sentinel = false } = fault;
      return (
        sentinel === (first.sentinel ?? false) &&
        (persistence === undefined || kinds.every((kind) => kind === persistence))
      );
    });
    const next = fitting[chance.below(fitting.length)];
    if (next !== undefined) round.push(next);
  }
  return round;
}

/** Stops the youngest first. */
function makeOwner(): { owner: Owner; stop: () => Promise<void> } {
  const stops: (() => void | Promise<void>)[] = [];
  const stop = async () => {
    for (const each of stops.reverse()) await each();
  };
  return { owner: { after: (each) => void stops.push(each) }, stop };
}

function complain(faults: readonly Fault[]): number {
  console.error(
    `no fault is named like ${values.faults}; there are:\n${faults.map(({ name }) => `  ${name}`).join('\n')}`,
  );
  return 2;
}
