/** What is known of the lines of a stream when publishing stops early, so that it can be taken up again. */
import type { Sent } from './destination.ts';

/** `before` lines are acknowledged; `sent` is what became of those behind them. */
export function describeLines(before: number, sent: readonly Sent[]): string {
  const numbered = sent.map((one, index) => ({ line: before + index + 1, state: stateOf(one) }));
  const stopped = numbered.find(({ state }) => state !== 'published');
  const last = stopped === undefined ? before + sent.length : stopped.line - 1;
  const behind = numbered.filter(({ line }) => line > last);
  const unknown = ranges(behind.filter(({ state }) => state === 'unknown'));
  const published = acknowledged(last, ranges(behind.filter(({ state }) => state === 'published')));
  return unknown === '' ? published : `${published}; ${unknown} may or may not have been published`;
}

function acknowledged(last: number, behind: string): string {
  if (last === 0) return behind === '' ? 'no line is acknowledged' : `acknowledged: ${behind}`;
  return `acknowledged up to line ${last}${behind === '' ? '' : `, and ${behind}`}`;
}

interface Numbered {
  readonly line: number;
  readonly state: 'published' | 'unknown' | 'refused';
}

function stateOf(sent: Sent): Numbered['state'] {
  if (sent.kind === 'published') return 'published';
  return sent.end.exit === 'outcome-unknown' ? 'unknown' : 'refused';
}

/** `line 5`, `lines 5 to 9 and 12`; empty for none. */
function ranges(lines: readonly Numbered[]): string {
  const found: { from: number; to: number }[] = [];
  for (const { line } of lines) {
    const last = found.at(-1);
    if (last?.to === line - 1) last.to = line;
    else found.push({ from: line, to: line });
  }
  const texts = found.map(({ from, to }) => (from === to ? `${from}` : `${from} to ${to}`));
  const more = texts.length - MOST_RANGES;
  const shown = more > 0 ? [...texts.slice(0, MOST_RANGES), `${more} more`] : texts;
  const list = shown.length > 1 ? `${shown.slice(0, -1).join(', ')} and ${shown.at(-1)}` : shown.join('');
  return lines.length === 0 ? '' : `${lines.length === 1 ? 'line' : 'lines'} ${list}`;
}

/** Nobody reads more of them. */
const MOST_RANGES = 5;
