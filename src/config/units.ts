/** Durations and sizes: read from text with a unit, written back in the largest unit that fits. */

const MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;
const BYTES = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 } as const;

/** The longest duration: 24 days, the last whole day that a timer of 2^31 - 1 milliseconds holds. */
export const MAX_DURATION_MS = 24 * 24 * MS.h;

/** What people write instead of the four units, in lower case; days and weeks are given in hours. */
const OTHER_TIME_UNITS = tableOf<readonly [number, keyof typeof MS]>({
  msec: [1, 'ms'],
  msecs: [1, 'ms'],
  millis: [1, 'ms'],
  millisecond: [1, 'ms'],
  milliseconds: [1, 'ms'],
  sec: [1, 's'],
  secs: [1, 's'],
  second: [1, 's'],
  seconds: [1, 's'],
  min: [1, 'm'],
  mins: [1, 'm'],
  minute: [1, 'm'],
  minutes: [1, 'm'],
  hr: [1, 'h'],
  hrs: [1, 'h'],
  hour: [1, 'h'],
  hours: [1, 'h'],
  d: [24, 'h'],
  day: [24, 'h'],
  days: [24, 'h'],
  w: [168, 'h'],
  week: [168, 'h'],
  weeks: [168, 'h'],
});

const OTHER_SIZE_UNITS = tableOf<keyof typeof BYTES>({
  byte: 'B',
  bytes: 'B',
  k: 'KiB',
  kb: 'KiB',
  m: 'MiB',
  mb: 'MiB',
  g: 'GiB',
  gb: 'GiB',
});

/** Reads `500ms`, `15s`, `1.5m`, `1h` or `0`, in milliseconds; undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  return exact(text, MS);
}

/** Reads `512B`, `64KiB`, `1MiB`, `1GiB` or `0`, in bytes; undefined for anything else. */
export function parseSize(text: string): number | undefined {
  return exact(text, BYTES);
}

/** What `15 sec`, `15S`, `1d` or `15` may have meant, likeliest first. */
export function guessDuration(text: string): string[] {
  const [count, unit] = loose(text);
  if (count === undefined) return [];
  if (unit === '') return [`${count}s`, `${count}ms`];
  const [times, known] = OTHER_TIME_UNITS.get(unit) ?? [1, Object.keys(MS).find((name) => name === unit)];
  return known === undefined ? [] : [`${Number(count) * times}${known}`];
}

/** What `10MB`, `10 mib` or `1048576` may have meant. */
export function guessSize(text: string): string[] {
  const [count, unit] = loose(text);
  if (count === undefined) return [];
  if (unit === '') return [formatSize(Number(count))];
  const known = OTHER_SIZE_UNITS.get(unit) ?? Object.keys(BYTES).find((name) => name.toLowerCase() === unit);
  return known === undefined ? [] : [`${count}${known}`];
}

/** `90000` is `90s`, `60000` is `1m`. */
export function formatDuration(ms: number): string {
  return format(ms, MS, 'ms');
}

/** `1048576` is `1MiB`. */
export function formatSize(bytes: number): string {
  return format(bytes, BYTES, 'B');
}

function exact(text: string, units: Readonly<Record<string, number>>): number | undefined {
  if (text === '0') return 0;
  const [, count, unit = ''] = /^(\d{1,15}(?:\.\d{1,6})?)([A-Za-z]+)$/.exec(text) ?? [];
  if (count === undefined || !Object.hasOwn(units, unit)) return undefined;
  const value = Number(count) * (units[unit] ?? Number.NaN);
  return Number.isSafeInteger(value) ? value : undefined;
}

function loose(text: string): readonly [string | undefined, string] {
  const [, count, unit = ''] = /^(\d{1,12}(?:\.\d{1,6})?)[ _]?([A-Za-z]*)$/.exec(text) ?? [];
  return [count, unit.toLowerCase()];
}

function format(value: number, units: Readonly<Record<string, number>>, smallest: string): string {
  if (value === 0) return '0';
  let shown = `${value}${smallest}`;
  for (const [unit, factor] of Object.entries(units)) {
    if (value >= factor && value % factor === 0) shown = `${value / factor}${unit}`;
  }
  return shown;
}

/** A table for words from outside: an object would know `constructor` as well. */
function tableOf<T>(entries: Readonly<Record<string, T>>): ReadonlyMap<string, T> {
  return new Map(Object.entries(entries));
}
