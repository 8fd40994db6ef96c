/** The kinds of values that are amounts: durations, sizes and whole numbers. */
import { type Leaf, orVariable, text } from './kind.ts';
import type { Parsed } from './parsed.ts';
import {
  formatDuration,
  formatSize,
  guessDuration,
  guessSize,
  MAX_DURATION_MS,
  parseDuration,
  parseSize,
} from './units.ts';

/** A length of time in milliseconds, `min` to `max` (24 days). */
export function duration({ min, max = MAX_DURATION_MS }: { min: number; max?: number }): Leaf<number> {
  const units = { parse: parseDuration, guess: guessDuration, format: formatDuration };
  return text({
    wanted: `a duration from ${formatDuration(min)} to ${formatDuration(max)}, such as 500ms, 15s, 10m or 1h`,
    schema: { type: ['string', 'integer'], pattern: orVariable('0|\\d+(\\.\\d+)?(ms|s|m|h)'), maximum: 0, minimum: 0 },
    parse: (value) => parseMeasure(value, min, max, units),
    show: units.format,
  });
}

/** A number of bytes, `min` to `max`. */
export function size({ min, max }: { min: number; max: number }): Leaf<number> {
  const units = { parse: parseSize, guess: guessSize, format: formatSize };
  return text({
    wanted: `a size from ${formatSize(min)} to ${formatSize(max)}, such as 64KiB or 1MiB`,
    schema: {
      type: ['string', 'integer'],
      pattern: orVariable('0|\\d+(\\.\\d+)?(B|KiB|MiB|GiB)'),
      maximum: 0,
      minimum: 0,
    },
    parse: (value) => parseMeasure(value, min, max, units),
    show: units.format,
  });
}

/** A whole number, `min` to `max`. */
export function integer(bounds: { min: number; max: number }): Leaf<number> {
  const { min, max } = bounds;
  return text({
    wanted: `a whole number from ${min} to ${max}`,
    schema: {
      anyOf: [
        { type: 'integer', minimum: min, maximum: max },
        { type: 'string', pattern: orVariable('\\d+') },
      ],
    },
    parse: (value) => (/^(?:0|[1-9]\d{0,14})$/.test(value) ? within(Number(value), min, max, String) : {}),
    show: String,
  });
}

interface Units {
  parse(text: string): number | undefined;
  guess(text: string): string[];
  format(value: number): string;
}

function parseMeasure(value: string, min: number, max: number, units: Units): Parsed<number> {
  const parsed = units.parse(value);
  if (parsed !== undefined) return within(parsed, min, max, units.format);
  const meant = units.guess(value).find((guess) => {
    const number = units.parse(guess);
    return number !== undefined && number >= min && number <= max;
  });
  return meant === undefined ? {} : { hint: `write ${meant}` };
}

function within(value: number, min: number, max: number, show: (value: number) => string): Parsed<number> {
  if (value < min) return { problem: `the least is ${show(min)}` };
  return value > max ? { problem: `the most is ${show(max)}` } : { value };
}
