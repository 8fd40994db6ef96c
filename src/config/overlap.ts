/**
 * Decides which templates can match one name, and gives such a name.
 *
 * Each template is a row of steps, one for each character of a literal and one for each variable, which may be taken many
 * times. Two rows are walked together, shortest name first; a name that brings both to their end is an example.
 */
import { MAX_NAME_LENGTH, RESERVED_PREFIX } from './names.ts';
import type { Template } from './template.ts';

/** Two templates that match the name `example`. Without one the walks were given up, see `MAX_STATES`. */
export interface Overlap {
  readonly earlier: Template;
  readonly later: Template;
  readonly example: string | undefined;
}

/** For each template the first one before it that it shares a name with. */
export function findOverlaps(templates: readonly Template[]): Overlap[] {
  const rows = templates.map(rowOf);
  const budget = { left: MAX_STATES };
  return rows.flatMap((later, index): Overlap[] => {
    for (const earlier of rows.slice(0, index)) {
      if (budget.left <= 0) return [];
      const example = commonName(earlier, later, budget);
      if (example !== undefined || budget.left <= 0)
        return [{ earlier: earlier.template, later: later.template, example }];
    }
    return [];
  });
}

/** What all walks of a file may take together, a second or two: hundreds of long templates with dozens of variables could take hours. */
const MAX_STATES = 8_000_000;

interface Row {
  readonly template: Template;
  readonly steps: readonly Step[];
}

/** A character that must stand here, or a variable's characters, at least one. */
type Step = string | typeof SEGMENT | typeof REST;
const SEGMENT = Symbol('segment');
const REST = Symbol('rest');

/** Two rows after the same characters: how many steps each has begun, and how the name before it ends. */
interface State {
  readonly first: number;
  readonly second: number;
  readonly character: string;
  readonly length: number;
  readonly before: State | undefined;
}

function rowOf(template: Template): Row {
  const steps = template.parts.flatMap((part): Step[] => {
    if ('literal' in part) return [...part.literal];
    return [part.rest ? REST : SEGMENT];
  });
  return { template, steps };
}

function commonName(a: Row, b: Row, budget: { left: number }): string | undefined {
  if (beginApart(a.steps, b.steps) || endApart(a.steps, b.steps)) return undefined;
  const reserved = [a, b].every((row) => row.template.text.startsWith(RESERVED_PREFIX));
  return walk(a.steps, b.steps, reserved, budget);
}

/** True if the literal beginnings differ, which settles most pairs. */
function beginApart(first: readonly Step[], second: readonly Step[]): boolean {
  const index = first.findIndex((step, at) => typeof step !== 'string' || step !== second[at]);
  return typeof first[index] === 'string' && typeof second[index] === 'string';
}

/** The same for the ends. */
function endApart(first: readonly Step[], second: readonly Step[]): boolean {
  let back = 1;
  while (typeof first.at(-back) === 'string' && first.at(-back) === second.at(-back)) back += 1;
  return typeof first.at(-back) === 'string' && typeof second.at(-back) === 'string';
}

function walk(
  first: readonly Step[],
  second: readonly Step[],
  reserved: boolean,
  budget: { left: number },
): string | undefined {
  let states: State[] = [{ first: 0, second: 0, character: '', length: 0, before: undefined }];
  const seen = new Set<number>();
  for (let length = 0; length <= MAX_NAME_LENGTH && states.length > 0 && budget.left > 0; length += 1) {
    const end = states.find((state) => state.first === first.length && state.second === second.length);
    if (end !== undefined) return spell(end);
    budget.left -= states.length;
    const next = states.flatMap((state) => successors(first, second, state));
    states = next.filter((state) => {
      // A variable does not match the beginning of a reserved name.
      if (!reserved && state.length === 2 && state.character === '_' && state.before?.character === '_') return false;
      const key = keyOf(state, second.length);
      return !seen.has(key) && seen.add(key);
    });
  }
  return undefined;
}

function successors(first: readonly Step[], second: readonly Step[], before: State): State[] {
  const next: State[] = [];
  for (const [toFirst, stepFirst] of choices(first, before.first)) {
    for (const [toSecond, stepSecond] of choices(second, before.second)) {
      const character = shared(stepFirst, stepSecond);
      if (character === undefined) continue;
      next.push({ first: toFirst, second: toSecond, character, length: before.length + 1, before });
    }
  }
  return next;
}

/** The steps that may take the next character, with how many are begun then: the variable that is being read, or the next. */
function choices(steps: readonly Step[], begun: number): [number, Step][] {
  const open: [number, Step][] = [];
  const current = steps[begun - 1];
  if (typeof current === 'symbol') open.push([begun, current]);
  const next = steps[begun];
  if (next !== undefined) open.push([begun + 1, next]);
  return open;
}

/** A character that both steps take. */
function shared(a: Step, b: Step): string | undefined {
  if (typeof a === 'string' && typeof b === 'string') return a === b ? a : undefined;
  const literal = typeof a === 'string' ? a : typeof b === 'string' ? b : 'x';
  const segment = a === SEGMENT || b === SEGMENT;
  return segment && (literal === '.' || literal === ':') ? undefined : literal;
}

/** One number for a state; the beginning is apart because the reserved prefix is judged there. */
function keyOf(state: State, width: number): number {
  return (state.first * (width + 1) + state.second) * 3 + Math.min(state.length, 2);
}

function spell(state: State): string {
  let name = '';
  for (let at: State | undefined = state; at !== undefined; at = at.before) name = at.character + name;
  return name;
}
