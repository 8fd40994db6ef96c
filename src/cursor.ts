/**
 * What a client has, as it travels in the SSE `id` and `Last-Event-ID`.
 *
 *     cursor       = position / vector
 *     vector       = [log-position] 1*("," name "=" position)
 *     position     = log-position / stream-pos / key-pos
 *     log-position = ALPHA 1*15(ALPHA / DIGIT) "-" number
 *     stream-pos   = ["^"] u64 "-" u64
 *     key-pos      = "~" 1*64(ALPHA / DIGIT / "_" / "-")
 *     name         = 1*(ALPHA / DIGIT / "_" / "." / "-" / "%" 2HEXDIG)   ; percent-encoded
 *
 * A cursor is input from outside: parsed strictly, it never grants anything, and names that are not part of a
 * subscription are ignored by whoever reads it.
 */
import { formatPosition, type LogPosition, type Position, parsePosition } from './position.ts';

/** A client's cursor. `main` stands for every channel that `named` does not name. */
export interface Cursor {
  readonly main: Position | undefined;
  readonly named: ReadonlyMap<string, Position>;
}

/** The longest cursor that is read or promised, in bytes. */
export const MAX_CURSOR_BYTES = 4096;

/** Reads a cursor; undefined for anything that is none. Never throws. */
export function parseCursor(text: string): Cursor | undefined {
  if (text.length === 0 || text.length > MAX_CURSOR_BYTES) return undefined;
  const [head = '', ...exceptions] = text.split(',');
  const main = head === '' ? undefined : parsePosition(head);
  if (head !== '' && main === undefined) return undefined;
  if (exceptions.length === 0) return main && { main, named: new Map() };
  if (main !== undefined && main.kind !== 'log') return undefined;
  const named = new Map<string, Position>();
  for (const exception of exceptions) {
    const equals = exception.indexOf('=');
    const name = equals < 1 ? undefined : decodeName(exception.slice(0, equals));
    const position = parsePosition(exception.slice(equals + 1));
    if (name === undefined || position === undefined || named.has(name)) return undefined;
    named.set(name, position);
  }
  return { main, named };
}

/** Writes a cursor. */
export function formatCursor(cursor: Cursor): string {
  const main = cursor.main === undefined ? '' : formatPosition(cursor.main);
  let text = main;
  for (const [name, position] of cursor.named) text += `,${encodeName(name)}=${formatPosition(position)}`;
  return text;
}

/** The cursor of log channels at `numbers`: the number that most of them share, and the others as exceptions. */
export function logCursor(epoch: string, numbers: ReadonlyMap<string, number>): Cursor {
  const at = (number: number): LogPosition => ({ kind: 'log', epoch, number });
  const main = mostCommon(numbers.values());
  const named = new Map<string, Position>();
  for (const [name, number] of numbers) if (number !== main) named.set(name, at(number));
  return { main: at(main), named };
}

/** Where a client stands: numbers in log channels, positions as text in streams and keys. */
export interface Whereabouts {
  readonly numbers: ReadonlyMap<string, number>;
  readonly positions: ReadonlyMap<string, string>;
  /** Whether this is the only channel of its subscription, which needs no name then. */
  readonly alone: boolean;
}

/** The cursor of a client, as text; empty where nothing is known of where it stands. */
export function cursorText(epoch: string, { numbers, positions, alone }: Whereabouts): string {
  const [only] = positions.values();
  if (alone && only !== undefined) return only;
  let text = numbers.size === 0 ? '' : formatCursor(logCursor(epoch, numbers));
  for (const [name, position] of positions) text += `,${encodeName(name)}=${position}`;
  return text;
}

/** The longest that the cursor of these channels can become, in bytes. */
export function longestCursor(names: readonly string[]): number {
  const longestPosition = 42; // "^" and two unsigned 64-bit numbers with "-" between
  if (names.length === 1) return longestPosition;
  return names.reduce((sum, name) => sum + encodeName(name).length + 2 + longestPosition, longestPosition);
}

function mostCommon(numbers: Iterable<number>): number {
  const counts = new Map<number, number>();
  let best = 0;
  let bestCount = 0;
  for (const number of numbers) {
    const count = (counts.get(number) ?? 0) + 1;
    counts.set(number, count);
    if (count > bestCount || (count === bestCount && number > best)) {
      best = number;
      bestCount = count;
    }
  }
  return best;
}

/** Most names need none of it, and a cursor is written for every event of a connection with several channels. */
function encodeName(name: string): string {
  if (/^[A-Za-z0-9_.-]+$/.test(name)) return name;
  return encodeURIComponent(name).replace(/[!'()*~]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

function decodeName(text: string): string | undefined {
  if (!/^(?:[A-Za-z0-9_.-]|%[0-9A-Fa-f]{2})+$/.test(text)) return undefined;
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined; // percent signs that are no UTF-8
  }
}
