/** The command lines of the benches. */
import { parseArgs } from 'node:util';
import type { Case } from './cases.ts';

/** What is run, and where the figures go. */
export interface Options {
  readonly runs: number;
  readonly cases: readonly Case[];
  /** Whether a case was asked for by name: it is then an error where it cannot be run. */
  readonly named: boolean;
  readonly executable?: string;
  readonly against?: string;
  /** The servers beside the gateway; default: all. */
  readonly peers?: readonly string[];
  readonly json?: string;
  readonly save: boolean;
}

/** What one bench offers. */
export interface Bench {
  readonly script: string;
  readonly summary: string;
  readonly cases: readonly Case[];
  /** The names of servers that the gateway is measured beside; absent where it is measured alone. */
  readonly peers?: readonly string[];
}

/** A command line that means nothing; the message says why. */
export class BenchUsageError extends Error {}

/** What `--help` prints. */
export function helpOf({ script, summary, cases, peers }: Bench): string {
  const own =
    peers === undefined ? ALONE : `  --peer NAME        only ${peers.join(', ')} (may be given more than once)`;
  const lines = [
    `Usage: npm run ${script} -- [options]`,
    '',
    summary,
    '',
    '  --case NAME        only this case (may be given more than once)',
    '  --runs N           runs of each case, of which the medians are told (default: 3)',
    '  --executable FILE  the gateway to measure, instead of these sources',
    own,
    '  --json FILE        writes all figures of all runs',
    '  --save             writes them to bench/results/',
    '',
    'Cases:',
    ...cases.map(({ name, what }) => `  ${name.padEnd(18)} ${what}`),
  ];
  return lines.join('\n');
}

const ALONE = '  --against DIR      another checkout, measured in turn with this one; prints ratios';

/** Reads the arguments; `help` where that is all they ask for. Throws BenchUsageError. */
export function readOptions(args: readonly string[], bench: Bench): Options | 'help' {
  const values = parse(args);
  if (values.help === true) return 'help';
  const runs = Number(values.runs ?? 3);
  if (!Number.isInteger(runs) || runs < 1 || runs > 100) throw new BenchUsageError('--runs is a number from 1 to 100');
  if (values.peer !== undefined && bench.peers === undefined) throw new BenchUsageError('--peer is for bench:peers');
  if (values.against !== undefined && bench.peers !== undefined) throw new BenchUsageError('--against is for bench');
  const names = bench.cases.map(({ name }) => name);
  return {
    runs,
    cases: bench.cases.filter(({ name }) => oneOf('case', names, values.case).includes(name)),
    named: values.case !== undefined,
    ...(values.executable !== undefined && { executable: values.executable }),
    ...(values.against !== undefined && { against: values.against }),
    ...(values.peer !== undefined && { peers: oneOf('peer', bench.peers ?? [], values.peer) }),
    ...(values.json !== undefined && { json: values.json }),
    save: values.save === true,
  };
}

const FLAGS = {
  case: { type: 'string', multiple: true },
  runs: { type: 'string' },
  executable: { type: 'string' },
  against: { type: 'string' },
  peer: { type: 'string', multiple: true },
  json: { type: 'string' },
  save: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: FLAGS }).values;
  } catch (error) {
    throw new BenchUsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

/** What was asked for by name, or all. */
function oneOf(what: string, known: readonly string[], asked: readonly string[] | undefined): readonly string[] {
  const unknown = asked?.find((name) => !known.includes(name));
  if (unknown === undefined) return asked ?? known;
  throw new BenchUsageError(`there is no ${what} "${unknown}"; there are ${known.join(', ')}`);
}
