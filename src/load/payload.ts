/** The payload of a message of a load: its number and the time it was sent at, filled up to an exact size. */

/** What stands before the number, and nowhere else in a stream. */
export const MARKER = '"n":';

/** The smallest payload that holds any number and time. */
export const SMALLEST_PAYLOAD = 48;

/** The smallest payload that holds any number; who sends it keeps the time. */
export const SMALLEST_UNTIMED = 16;

let filler = '';

/**
 * `{"n":12,"t":345678,"x":"xxx"}` in exactly `size` bytes of ASCII, or `"n":000000000012` where less than
 * `SMALLEST_PAYLOAD` are asked for. `number` and `sentAt` (microseconds) are whole numbers below 2^31.
 */
export function payload(number: number, sentAt: number, size: number): string {
  if (size < SMALLEST_PAYLOAD) return MARKER + String(number).padStart(size - MARKER.length, '0');
  const head = `{${MARKER}${number},"t":${sentAt},"x":"`;
  const fill = size - head.length - 2;
  if (filler.length < fill) filler = 'x'.repeat(fill);
  return `${head}${filler.slice(0, fill)}"}`;
}
