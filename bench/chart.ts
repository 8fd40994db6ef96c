/** Bar charts as SVG, made of saved results. */
import { MEASURES, type Measure } from './measures.ts';
import type { CaseResult, Results } from './results.ts';

/** One chart. */
export interface Panel {
  readonly title: string;
  readonly bars: readonly Bar[];
}

/** One bar; `text` stands at its end. */
export interface Bar {
  readonly name: string;
  readonly value: number;
  readonly text: string;
  /** Whether it stands out; default false. */
  readonly ours?: boolean;
}

/** What is drawn of a case in which servers are compared. */
const COMPARED: readonly (readonly [name: string, measure: Measure, title: string])[] = [
  ['saturated', 'deliveriesPerCpuSecond', 'saturated: million deliveries for each CPU-second (more is better)'],
  ['closed-loop', 'deliveriesPerCpuSecond', 'closed-loop: million deliveries for each CPU-second (more is better)'],
  ['calm', 'p99', 'calm: p99 in milliseconds (less is better)'],
  ['idle', 'bytesPerStream', 'idle: KiB for each open stream (less is better)'],
];

/** A panel for each figure in which the gateway is compared with others. */
export function peerPanels({ cases }: Results): Panel[] {
  return COMPARED.flatMap(([name, measure, title]) => {
    const found = cases.find((one) => one.name === name);
    const bars = found === undefined ? [] : barsOf(found, measure);
    return bars.length === 0 ? [] : [{ title, bars }];
  });
}

/** The gateway alone: a bar for each case. */
export function gatewayPanels({ cases }: Results): Panel[] {
  const panel = (measure: Measure, title: string): Panel => ({
    title,
    bars: cases.flatMap((one) => barsOf(one, measure).map((bar) => ({ ...bar, name: one.name }))),
  });
  return [
    panel('deliveriesPerCpuSecond', 'the gateway: million deliveries for each CPU-second'),
    panel('p99', 'the gateway: p99 in milliseconds'),
  ].filter(({ bars }) => bars.length > 0);
}

const WIDTH = 760;
const NAMES_WIDTH = 160;
const TEXT_WIDTH = 80;
const BAR_HEIGHT = 18;
const ROW_HEIGHT = 24;
const TITLE_HEIGHT = 36;
const MARGIN = 16;

const TITLE = '<title>What was measured, as bars</title>';

/** All panels, one below the other. */
export function chart(panels: readonly Panel[]): string {
  const drawn: string[] = [];
  let top = MARGIN;
  for (const panel of panels) {
    drawn.push(...drawPanel(panel, top));
    top += TITLE_HEIGHT + panel.bars.length * ROW_HEIGHT + MARGIN;
  }
  const size = `width="${WIDTH}" height="${top}" viewBox="0 0 ${WIDTH} ${top}"`;
  const open = `<svg xmlns="http://www.w3.org/2000/svg" ${size} font-family="sans-serif" font-size="13" fill="#24292f">`;
  return [open, TITLE, `<rect width="${WIDTH}" height="${top}" fill="#ffffff"/>`, ...drawn, '</svg>', ''].join('\n');
}

function drawPanel({ title, bars }: Panel, top: number): string[] {
  const longest = Math.max(...bars.map(({ value }) => value));
  const room = WIDTH - 2 * MARGIN - NAMES_WIDTH - TEXT_WIDTH;
  const left = MARGIN + NAMES_WIDTH;
  const rows = bars.flatMap(({ name, value, text, ours }, at) => {
    const y = top + TITLE_HEIGHT + at * ROW_HEIGHT;
    const width = Math.max(1, (value / longest) * room).toFixed(1);
    return [
      `<text x="${left - 8}" y="${y + 13}" text-anchor="end">${escaped(name)}</text>`,
      `<rect x="${left}" y="${y}" width="${width}" height="${BAR_HEIGHT}" fill="${ours === true ? '#1f6feb' : '#8c959f'}"/>`,
      `<text x="${(left + Number(width) + 6).toFixed(1)}" y="${y + 13}">${escaped(text)}</text>`,
    ];
  });
  return [`<text x="${MARGIN}" y="${top + 18}" font-weight="bold">${escaped(title)}</text>`, ...rows];
}

function barsOf({ subjects }: CaseResult, measure: Measure): Bar[] {
  return subjects.flatMap(({ name, medians }, at) => {
    const value = medians.values[measure];
    if (value === undefined || !Number.isFinite(value)) return [];
    return [{ name, value, text: MEASURES[measure].text(value), ours: at === 0 }];
  });
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
