/** The tables that the bench prints. */
import type { Fault } from '../src/load/ledger.ts';
import type { Figures } from './generator/spec.ts';
import type { Machine, Placement } from './machine.ts';
import { COLUMNS, MEASURES, type Measure, NAMES, PARTICULARS } from './measures.ts';
import type { Medians, Values } from './summary.ts';

/** What a row says about one server in one case. */
export interface Row {
  readonly name: string;
  readonly medians: Medians;
}

/** The line above the tables: where this was measured, and how the CPUs were shared. */
export function describe(machine: Machine, { cpus, problem }: Placement, runs: number): string {
  const where =
    cpus === undefined
      ? `not pinned to CPUs, because ${problem}`
      : `server on CPU ${cpus[0]}, generator and Redis on CPU ${cpus[1]}`;
  return `${machine.model}, ${machine.cores} CPUs, Node ${machine.node}; ${where}; medians of ${runs} run${runs === 1 ? '' : 's'}`;
}

/** A row for each case and server that has any of the columns, with those that any row has; empty where there is none. */
export function figuresTable(all: readonly Row[]): string {
  const rows = all.filter(({ medians }) => COLUMNS.some((measure) => medians.values[measure] !== undefined));
  if (rows.length === 0) return '';
  const columns = COLUMNS.filter((measure) => rows.some(({ medians }) => medians.values[measure] !== undefined));
  const head = ['case', ...columns.map((measure) => MEASURES[measure].title), 'server', 'generator', 'Redis', 'noise'];
  return aligned([head, ...rows.map(({ name, medians }) => [name, ...cellsOf(medians, columns)])]);
}

/** A row for each figure that one case alone has; empty where there is none. */
export function particularsTable(rows: readonly Row[]): string {
  const cells = rows.flatMap(({ name, medians: { values } }) =>
    PARTICULARS.flatMap((measure) => {
      const value = values[measure];
      return value === undefined ? [] : [[name, MEASURES[measure].title, MEASURES[measure].text(value)]];
    }),
  );
  return cells.length === 0 ? '' : aligned(cells);
}

/** A row for each case: how many times the other server's figure this one's is. */
export function ratiosTable(rows: readonly { readonly name: string; readonly ratios: Values }[]): string {
  const columns = NAMES.filter((measure) => rows.some(({ ratios }) => ratios[measure] !== undefined));
  const head = ['ratio', ...columns.map((measure) => MEASURES[measure].title.replace(/^M | (ms|MB)$/g, ''))];
  const cells = rows.map(({ name, ratios }) => [name, ...columns.map((measure) => ratios[measure]?.toFixed(2) ?? '')]);
  return aligned([head, ...cells]);
}

/** What was not whole in a run, in a line for the run and one for each publisher with whom something went wrong. */
export function describeFaults({ faults, closed, refused, whole }: Figures): string[] {
  if (whole) return [];
  const shown = faults.slice(0, SHOWN_FAULTS).map(describeFault);
  const more = faults.length > SHOWN_FAULTS ? [`  and ${faults.length - SHOWN_FAULTS} more`] : [];
  return [`NOT WHOLE: ${closed} streams closed, ${refused} publishes refused`, ...shown, ...more];
}

/** Enough to see what went wrong. */
const SHOWN_FAULTS = 10;

function describeFault({ publisher, missing, duplicated, outOfOrder }: Fault): string {
  return `  publisher ${publisher}: ${missing} missing, ${duplicated} duplicated, ${outOfOrder} out of order`;
}

function cellsOf(
  { values, share, noise, generatorWasTheLimit, whole }: Medians,
  columns: readonly Measure[],
): string[] {
  const percent = (part: number): string => `${Math.round(part * 100)} %`;
  const measured = columns.map((measure) => {
    const value = values[measure];
    return value === undefined ? '' : MEASURES[measure].text(value);
  });
  return [
    ...measured,
    ...[percent(share.server), percent(share.generator), percent(share.redis), percent(noise)],
    [...(whole ? [] : ['NOT WHOLE']), ...(generatorWasTheLimit ? ['the generator was the limit'] : [])].join(', '),
  ];
}

function aligned(rows: readonly (readonly string[])[]): string {
  const columns = Math.max(...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
  const cell = (text: string, at: number): string => {
    const width = widths[at] ?? 0;
    return at === 0 ? text.padEnd(width) : text.padStart(width);
  };
  return rows.map((row) => row.map(cell).join('  ').trimEnd()).join('\n');
}
