/** What a bench says at its end: the text for people, and how the command ends. */
import { type Bar, type BenchFigures, LIMIT_CPU } from './bench-figures.ts';
import type { CommandEnd } from './exit.ts';
import { printable } from './terminal.ts';

/** Several lines, the last one with its line end. */
export function reportText(figures: BenchFigures): string {
  const { connections, published, delivered, generator } = figures;
  const lines = [
    `connections  ${number(connections.opened)} opened, ${number(connections.failed)} failed, ${number(connections.closed_early)} closed early`,
    ...problemLines(connections.problems),
    `published    ${number(published.sent)} in ${figures.seconds} s, ${number(published.per_second)} a second: ${publishedText(published)}`,
    `delivered    ${number(delivered.events)}, ${number(delivered.per_second)} a second: ${number(delivered.missing)} missing, ${number(delivered.duplicated)} duplicated, ${number(delivered.out_of_order)} out of order, ${number(delivered.gaps)} gaps`,
    `this command ${Math.round(generator.cpu * 100)} % of a core, its event loop late by ${ms(generator.loop_delay_ms.p99)} (p99)`,
    '',
    ...latencyLines(figures),
    ...notes(figures).map((note) => `\nnote: ${note}`),
  ];
  return `${lines.map(printable).join('\n')}\n`;
}

/** 1 where something is wrong with what came, 75 where nobody knows whether all was published. */
export function endOfBench(figures: BenchFigures): CommandEnd {
  if (figures.interrupted) return { exit: 'interrupted' };
  const problems = problemsOf(figures);
  if (problems.length > 0) return { exit: 'failed', message: problems.join('; '), hint: hintOf(figures) };
  const { unanswered, problem } = figures.published;
  if (unanswered === 0) return { exit: 'done' };
  const why = problem === null ? '' : ` (${problem})`;
  return { exit: 'outcome-unknown', message: `${counted(unanswered, 'publish', 'publishes')} got no answer${why}` };
}

function problemsOf({ connections, published, delivered, channels }: BenchFigures): string[] {
  const { asked, opened, failed, closed_early } = connections;
  // What was not answered may not have been published.
  const unsure = published.unanswered * Math.ceil(asked / channels);
  const problems: [number, string][] = [
    [failed, `${number(failed)} of ${counted(asked, 'connection', 'connections')} failed`],
    [closed_early, `${counted(closed_early, 'connection was', 'connections were')} closed early`],
    [published.refused, `${counted(published.refused, 'publish was', 'publishes were')} refused: ${published.problem}`],
    [Math.max(0, delivered.missing - unsure), `${counted(delivered.missing, 'event is', 'events are')} missing`],
    [delivered.duplicated, `${counted(delivered.duplicated, 'event', 'events')} came twice`],
    [delivered.out_of_order, `${counted(delivered.out_of_order, 'event', 'events')} came out of order`],
  ];
  const found = problems.flatMap(([count, text]) => (count > 0 ? [text] : []));
  return opened > 0 && published.sent > 0 ? found : [...found, 'nothing was measured'];
}

function hintOf({ published, delivered }: BenchFigures): string | undefined {
  if (published.acknowledged > 0 && delivered.events === 0)
    return 'nothing arrived: does the gateway read what was written to (its Redis, prefix, kind), and send data as it is (encode: none)?';
  if (delivered.gaps > 0) return 'the gateway has announced gaps: lower --rate or --connections until there are none';
  return undefined;
}

function problemLines(problems: Readonly<Record<string, number>>): string[] {
  return Object.entries(problems).map(([problem, count]) => `             ${number(count)}: ${problem}`);
}

function publishedText({ acknowledged, refused, unanswered, problem }: BenchFigures['published']): string {
  const counts = `${number(acknowledged)} acknowledged, ${number(refused)} refused, ${number(unanswered)} unanswered`;
  return problem === null ? counts : `${counts} (${problem})`;
}

function latencyLines({ latency_ms, histogram }: BenchFigures): string[] {
  if (latency_ms === null) return ['latency      nothing arrived'];
  const percentiles = Object.entries(latency_ms).map(([name, value]) => `${name} ${ms(value)}`);
  return [
    `latency      ${percentiles.join(', ')}`,
    '',
    ...barLines(histogram),
    '',
    'From the write of the publisher to the read of the subscriber.',
  ];
}

/** Characters of the longest bar. */
const BAR = 40;

function barLines(bars: readonly Bar[]): string[] {
  const total = bars.reduce((sum, { count }) => sum + count, 0);
  const most = Math.max(...bars.map(({ count }) => count));
  return bars.map(({ to, count }) => {
    const range = Number.isFinite(to) ? `to ${to} ms` : 'more';
    const share = `${((count / total) * 100).toFixed(1)} %`;
    const bar = '#'.repeat(count === 0 ? 0 : Math.max(1, Math.round((count / most) * BAR)));
    return `${range.padStart(13)} ${share.padStart(8)}  ${bar}`.trimEnd();
  });
}

/** Below this share of the rate that was asked for it was not kept. */
const KEPT = 0.95;

function notes({ generator, rate, published, via, interrupted }: BenchFigures): string[] {
  const found: string[] = [];
  if (generator.was_the_limit) {
    const { cpu, loop_delay_ms } = generator;
    const why =
      cpu > LIMIT_CPU
        ? `took ${Math.round(cpu * 100)} % of a core`
        : `came late by ${ms(loop_delay_ms.p99)} to what waited for it, which is much of these latencies`;
    found.push(
      `this command was the limit: it ${why}. The gateway may be better: run this on a second machine, or with fewer --connections or a lower --rate`,
    );
  }
  if (published.per_second < rate * KEPT && published.sent > 0 && !interrupted) {
    const more = via === 'http' ? ': a publisher waits for each answer, so more --publishers may help' : '';
    found.push(
      `${number(rate)} events a second were asked for and ${number(published.per_second)} were published${more}`,
    );
  }
  if (interrupted) found.push('interrupted: these are the figures so far');
  return found;
}

function ms(value: number): string {
  return `${value < 10 ? value.toFixed(2) : value < 100 ? value.toFixed(1) : number(Math.round(value))} ms`;
}

function counted(count: number, one: string, more: string): string {
  return `${number(count)} ${count === 1 ? one : more}`;
}

function number(value: number): string {
  return value.toLocaleString('en');
}
