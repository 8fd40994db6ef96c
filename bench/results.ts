/** Where the figures of a bench are kept. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Figures, Load } from './generator/spec.ts';
import type { Machine } from './machine.ts';
import type { Medians, Values } from './summary.ts';

/** Everything that one bench has measured. */
export interface Results {
  /** When it ended, in ISO 8601. */
  readonly date: string;
  readonly machine: Machine;
  /** How many processes wanted to run in the minute before it began. */
  readonly loadAverage?: number;
  /** The CPUs of server and load; null where they were not pinned. */
  readonly cpus: { readonly server: number; readonly load: number } | null;
  readonly cases: readonly CaseResult[];
}

/** One case: what each server did, run by run. */
export interface CaseResult {
  readonly name: string;
  readonly load: Load;
  readonly subjects: readonly SubjectResult[];
}

/** What one server did in one case. */
export interface SubjectResult {
  readonly name: string;
  readonly medians: Medians;
  readonly runs: readonly Figures[];
  /** The first server's figures divided by this one's; absent for the first. */
  readonly ratios?: Values;
}

/** Which bench it was: the gateway alone, or beside others. */
export type Series = 'gateway' | 'peers';

/** Where results are saved. */
export const RESULTS_FOLDER = join(import.meta.dirname, 'results');

/** Writes them as JSON. */
export function writeResults(file: string, results: Results): void {
  writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`);
}

/** `bench/results/<series>-<date>-<cpu model>.json`. */
export function savedPath(series: Series, { date, machine }: Results): string {
  mkdirSync(RESULTS_FOLDER, { recursive: true });
  const model = machine.model.toLowerCase().replace(/[^a-z0-9]+/g, '-');
  return join(RESULTS_FOLDER, `${series}-${date.slice(0, 10)}-${model.replace(/^-|-$/g, '')}.json`);
}

/** The newest saved results, and the name of their file; undefined where there are none. */
export function latestResults(series: Series, folder = RESULTS_FOLDER): SavedResults | undefined {
  const saved = readdirSync(folder)
    .filter((file) => file.startsWith(`${series}-`) && file.endsWith('.json'))
    .map((file) => ({ file, results: JSON.parse(readFileSync(join(folder, file), 'utf8')) as Results }));
  return saved.sort((a, b) => a.results.date.localeCompare(b.results.date)).at(-1);
}

/** Results and the name of the file that holds them. */
export interface SavedResults {
  readonly file: string;
  readonly results: Results;
}
