/** All runs of a bench: the cases one after the other, and in each the servers in turn. */
import { existsSync } from 'node:fs';
import { loadavg } from 'node:os';
import type { Case } from './cases.ts';
import type { Figures } from './generator/spec.ts';
import { choosePlacement, type Placement, thisMachine } from './machine.ts';
import { type Bench, BenchUsageError, helpOf, type Options, readOptions } from './options.ts';
import { type CaseResult, type Results, type Series, savedPath, writeResults } from './results.ts';
import { obstacleTo, runRound } from './round.ts';
import type { Subject } from './subject.ts';
import { mediansOf, ratiosOf } from './summary.ts';
import { describe, describeFaults, figuresTable, particularsTable, ratiosTable } from './table.ts';

/** What is measured. */
export interface Campaign {
  readonly series: Series;
  readonly bench: Bench;
  /** The servers of one case, the one that is compared with the others first. Throws BenchUsageError. */
  readonly subjectsOf: (one: Case, options: Options) => readonly Subject[];
}

/** Runs it as the arguments say, prints and writes the figures; gives the exit code. */
export async function runCampaign(campaign: Campaign, args: readonly string[]): Promise<number> {
  try {
    const options = readOptions(args, campaign.bench);
    if (options === 'help') {
      console.log(helpOf(campaign.bench));
      return 0;
    }
    if (!existsSync('/proc/self/smaps_rollup')) throw new Error('the bench reads /proc, so it runs on Linux only');
    return await run(campaign, options);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    if (error instanceof BenchUsageError) console.error(`try: npm run ${campaign.bench.script} -- --help`);
    return error instanceof BenchUsageError ? 2 : 1;
  }
}

async function run({ series, subjectsOf }: Campaign, options: Options): Promise<number> {
  const placement = choosePlacement();
  const machine = thisMachine();
  const [loadAverage = 0] = loadavg();
  const planned = possible(options).map((one) => ({ one, subjects: subjectsOf(one, options) }));
  console.log(describe(machine, placement, options.runs));
  const cases: CaseResult[] = [];
  for (const { one, subjects } of planned) cases.push(await runCase(one, subjects, options.runs, placement));
  const [server, load] = placement.cpus ?? [];
  const cpus = server === undefined || load === undefined ? null : { server, load };
  const results: Results = { date: new Date().toISOString(), machine, loadAverage, cpus, cases };
  print(results);
  if (options.json !== undefined) writeResults(options.json, results);
  if (options.save) {
    const file = savedPath(series, results);
    writeResults(file, results);
    console.error(`written to ${file}`);
  }
  return cases.every(({ subjects: [first] }) => first?.medians.whole === true) ? 0 : 1;
}

/** Runs one case several times, and begins with another server each time. */
async function runCase(
  { name, load }: Case,
  subjects: readonly Subject[],
  runs: number,
  placement: Placement,
): Promise<CaseResult> {
  const figures = new Map<Subject, Figures[]>(subjects.map((subject) => [subject, []]));
  for (let run = 1; run <= runs; run++) {
    const shift = (run - 1) % subjects.length;
    for (const subject of [...subjects.slice(shift), ...subjects.slice(0, shift)]) {
      if (!figures.has(subject)) continue;
      console.error(`${name}, run ${run} of ${runs}, ${subject.name}`);
      const found = await runOne(subject, load, placement, subject === subjects[0]);
      if (found === undefined) figures.delete(subject);
      else figures.get(subject)?.push(found);
    }
  }
  const ours = [...figures.values()][0] ?? [];
  const done = [...figures].map(([subject, all]) => ({
    name: subject.name,
    medians: mediansOf(all),
    runs: all,
    ...(all !== ours && { ratios: ratiosOf(ours, all) }),
  }));
  return { name, load, subjects: done };
}

/** One run; undefined where a server fails that is there for comparison only. */
async function runOne(
  subject: Subject,
  load: Case['load'],
  placement: Placement,
  needed: boolean,
): Promise<Figures | undefined> {
  try {
    const found = await runRound(subject, load, placement);
    for (const line of describeFaults(found)) console.error(line);
    return found;
  } catch (error) {
    if (needed) throw error;
    console.error(`left out: ${subject.name}: ${error instanceof Error ? error.message : error}`);
    return undefined;
  }
}

function print({ cases }: Results): void {
  const named = cases.flatMap(({ name, subjects }) =>
    subjects.map((subject) => ({ ...subject, name: subjects.length === 1 ? name : `${name}, ${subject.name}` })),
  );
  for (const table of [figuresTable(named), particularsTable(named)]) if (table !== '') console.log(`\n${table}`);
  const compared = named.flatMap(({ name, ratios }) => (ratios === undefined ? [] : [{ name, ratios }]));
  if (compared.length > 0) console.log(`\n${ratiosTable(compared)}`);
}

/** The cases that this machine can run; says which ones are left out. */
function possible({ cases, named }: Options): readonly Case[] {
  return cases.filter(({ name, load }) => {
    const obstacle = obstacleTo(load);
    if (obstacle === undefined) return true;
    if (named) throw new Error(`${name}: ${obstacle}`);
    console.error(`left out: ${name}: ${obstacle}`);
    return false;
  });
}
