/** Decides whether a pattern of `allow`, in which `*` is any run of characters, can match a name of a channel. */
import { type Part, parseTemplate } from './template.ts';

/** What is asked of the channels of one configuration. */
export interface Reach {
  /** True where the pattern matches the name of a channel, or can match one that a template gives. */
  matches(pattern: string): boolean;
}

/** `names` as the file writes them: exact names and templates. After `MOST_STEPS` every pattern is taken to match. */
export function reachOf(names: readonly string[]): Reach {
  const rows = names.map((name) => parseTemplate(name).value?.parts ?? []);
  const exact = new Set(names);
  const budget: Budget = { left: MOST_STEPS };
  return {
    matches: (pattern) => exact.has(pattern) || rows.some((row) => budget.left <= 0 || fits(pattern, row, budget)),
  };
}

/** Thousands of patterns over thousands of channels are not worth a second of the start. */
const MOST_STEPS = 3_000_000;

interface Budget {
  left: number;
}

/** All places in the pattern that the parts can lead to are walked along, one part after the other. */
function fits(pattern: string, parts: readonly Part[], budget: Budget): boolean {
  let places = passStars(pattern, new Set([0]));
  for (const part of parts) {
    if ('literal' in part) places = afterLiteral(pattern, places, part.literal, budget);
    else places = afterVariable(pattern, places, part.rest, budget);
    if (places.size === 0) return false;
  }
  return places.has(pattern.length);
}

/** A star may stand for nothing. What is added to a set on the way is walked too, each place once. */
function passStars(pattern: string, places: Set<number>): Set<number> {
  for (const place of places) if (pattern[place] === '*') places.add(place + 1);
  return places;
}

function afterLiteral(pattern: string, before: Set<number>, literal: string, budget: Budget): Set<number> {
  let places = before;
  for (const character of literal) {
    budget.left -= places.size + 1;
    const next = new Set<number>();
    for (const place of places) {
      if (pattern[place] === '*') next.add(place);
      else if (pattern[place] === character) next.add(place + 1);
    }
    if (next.size === 0) return next;
    places = passStars(pattern, next);
  }
  return places;
}

/** A variable is at least one character, and one that is not `rest` has no `.` and `:`. */
function afterVariable(pattern: string, places: Set<number>, rest: boolean, budget: Budget): Set<number> {
  const after = new Set<number>();
  const take = (place: number): void => {
    const character = pattern[place];
    if (character === '*') after.add(place).add(place + 1);
    else if (character !== undefined && (rest || !/[.:]/.test(character))) after.add(place + 1);
  };
  for (const place of places) take(place);
  passStars(pattern, after);
  for (const place of after) take(place);
  budget.left -= after.size + 1;
  return passStars(pattern, after);
}
