/** Reads the values of flags; commander prints what is wrong with them and exits as for any usage error. */
import { InvalidArgumentError } from 'commander';
import { formatDuration, guessDuration, MAX_DURATION_MS, parseDuration, parseSize } from '../config/units.ts';

/** The value as it is; a flag that is given twice is a mistake, not a choice. */
export function once(value: string, previous: unknown): string {
  if (previous !== undefined) throw new InvalidArgumentError('It is given twice.');
  return value;
}

/** A duration such as `500ms`, `10s` or `5m`, longer than nothing; in milliseconds. */
export function duration(value: string, previous: unknown): number {
  const ms = parseDuration(once(value, previous));
  const [guess] = ms === undefined ? guessDuration(value) : [];
  if (ms === undefined) {
    throw new InvalidArgumentError(`Write it as 500ms, 10s or 5m${guess === undefined ? '' : `: perhaps ${guess}`}.`);
  }
  if (ms === 0) throw new InvalidArgumentError('It has to be longer than 0.');
  if (ms > MAX_DURATION_MS) throw new InvalidArgumentError(`It is longer than ${formatDuration(MAX_DURATION_MS)}.`);
  return ms;
}

/** A whole number from 1. */
export function count(value: string, previous: unknown): number {
  if (!/^[1-9]\d{0,14}$/.test(once(value, previous))) throw new InvalidArgumentError('It is no whole number from 1.');
  return Number(value);
}

/** A whole number from 0. */
export function amount(value: string, previous: unknown): number {
  if (!/^(0|[1-9]\d{0,8})$/.test(once(value, previous)))
    throw new InvalidArgumentError('It is no whole number from 0.');
  return Number(value);
}

/** How far back: a duration such as `5m`, or `start` for everything that is kept. */
export function since(value: string, previous: unknown): string {
  if (once(value, previous) === 'start') return value;
  return `${duration(value, undefined)}ms`;
}

/** Events a second, such as `100`, `100/s` or `0.5/s`. */
export function rate(value: string, previous: unknown): number {
  const number = Number(/^(\d{1,7}(?:\.\d{1,6})?)(?:\/s)?$/.exec(once(value, previous))?.[1]);
  if (!(number > 0)) throw new InvalidArgumentError('Write it as 100 or 100/s.');
  return number;
}

/** Bytes: a whole number, or a size such as `1KiB`. */
export function size(value: string, previous: unknown): number {
  const bytes = /^\d{1,9}$/.test(once(value, previous)) ? Number(value) : parseSize(value);
  if (bytes === undefined) throw new InvalidArgumentError('Write it as 128 or 4KiB.');
  return bytes;
}
