/** The tables of docs/performance.md, made of saved results. */
import { COLUMNS, MEASURES, type Measure, PARTICULARS } from './measures.ts';
import type { Results, SavedResults, SubjectResult } from './results.ts';

/** Replaces what stands between `<!-- name -->` and `<!-- /name -->`. Throws where the markers are not there. */
export function fillIn(page: string, name: string, text: string): string {
  const [open, close] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const [from, to] = [page.indexOf(open), page.indexOf(close)];
  if (from < 0 || to < from) throw new Error(`the page has no ${open} ... ${close}`);
  return `${page.slice(0, from + open.length)}\n${text}\n${page.slice(to)}`;
}

/** The gateway alone: a sentence about the run, a row for each case, and what one case alone has. */
export function gatewaySection({ file, results }: SavedResults): string {
  const rows = results.cases.flatMap(({ name, subjects }) =>
    subjects.map((subject) => ({ ...subject, case: `\`${name}\``, plain: name })),
  );
  const measures = columnsOf(rows);
  const shown = rows.filter(({ medians }) => medians.values.deliveriesPerCpuSecond !== undefined);
  const head = ['case', ...measures.map((measure) => MEASURES[measure].title), 'server', 'generator + Redis'];
  const cells = shown.map((row) => [
    row.case,
    ...measures.map((measure) => textOf(row, measure)),
    percent(row.medians.share.server),
    `${percent(row.medians.share.generator + row.medians.share.redis)}${row.medians.generatorWasTheLimit ? ', the limit' : ''}`,
  ]);
  const idle = rows
    .filter(({ medians }) => medians.values.deliveriesPerCpuSecond === undefined)
    .filter(({ medians }) => medians.values.bytesPerStream !== undefined)
    .map((row) => `- ${row.case}: ${textOf(row, 'bytesPerStream')} KiB for each open stream`);
  const particulars = rows.flatMap((row) =>
    PARTICULARS.filter((measure) => row.medians.values[measure] !== undefined).map((measure) => {
      const who = results.cases.some(({ name, subjects }) => name === row.plain && subjects.length > 1)
        ? `, ${row.name === 'this' ? 'the sources' : `\`${row.name}\``}`
        : '';
      return `- ${row.case}${who}: ${MEASURES[measure].title}: ${textOf(row, measure)}`;
    }),
  );
  const lists = [...idle, ...particulars];
  return [about(file, results), '', table(head, cells), ...(lists.length === 0 ? [] : ['', ...lists])].join('\n');
}

/** The gateway beside others: a table for each case, the last column how many times the other's figure the gateway's is. */
export function peersSection({ file, results }: SavedResults): string {
  const tables = results.cases.map(({ name, subjects }) => {
    const measures = columnsOf(subjects).filter((measure) => !/^loop/.test(measure));
    const head = [`\`${name}\``, ...measures.map((measure) => MEASURES[measure].title), 'every message'];
    const cells = subjects.map((subject) => [
      subject.name,
      ...measures.map((measure) => withRatio(subject, measure)),
      subject.medians.whole ? 'yes' : 'no',
    ]);
    return table(head, cells);
  });
  return [about(file, results), '', RATIOS_EXPLAINED, '', tables.join('\n\n')].join('\n');
}

const RATIOS_EXPLAINED = 'In brackets: how many times that figure the gateway has, in the same run.';

function withRatio(subject: SubjectResult, measure: Measure): string {
  const text = textOf(subject, measure);
  const ratio = subject.ratios?.[measure];
  if (text === '' || ratio === undefined || !Number.isFinite(ratio)) return text;
  return `${text} (${ratio >= 10 ? ratio.toFixed(0) : ratio.toFixed(2)})`;
}

function about(file: string, { date, machine, loadAverage, cpus, cases }: Results): string {
  const runs = Math.max(...cases.flatMap(({ subjects }) => subjects.map((subject) => subject.runs.length)));
  const noise = Math.max(...cases.flatMap(({ subjects }) => subjects.map(({ medians }) => medians.noise)));
  const busy = loadAverage === undefined ? '' : `, the load average before it ${loadAverage.toFixed(1)}`;
  const pinned = cpus === null ? 'not pinned to CPUs' : 'server on one CPU, generator and Redis on the other';
  const model = `${machine.model}, ${machine.cores} CPUs, Node ${machine.node.replace('v', '')}`;
  return wrapped(
    `Measured on ${date.slice(0, 10)}: ${model}; ${pinned}; medians of ${runs} run${runs === 1 ? '' : 's'}. Others took at most ` +
      `${percent(noise)} of the CPUs${busy}. All of it, run by run, is in [${file}](../bench/results/${file}).`,
  );
}

/** Lines of at most 120 characters. */
function wrapped(text: string): string {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1) ?? '';
    if (line !== '' && line.length + 1 + word.length > 120) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines.join('\n');
}

function columnsOf(rows: readonly SubjectResult[]): readonly Measure[] {
  return COLUMNS.filter((measure) => has(rows, measure));
}

function has(rows: readonly SubjectResult[], measure: Measure): boolean {
  return rows.some(({ medians }) => medians.values[measure] !== undefined);
}

function textOf({ medians }: SubjectResult, measure: Measure): string {
  const value = medians.values[measure];
  return value === undefined || !Number.isFinite(value) ? '' : MEASURES[measure].text(value);
}

function percent(part: number): string {
  return `${Math.round(part * 100)} %`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`.replaceAll('|  |', '| |');
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n');
}
