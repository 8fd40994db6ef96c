/** The ids of events as the documentation has them: which position of which stream an id names. */

/** The id of an entry in numbers; `before` is the form `^1-0`. */
export interface Place {
  readonly ms: number;
  readonly seq: number;
  readonly before: boolean;
  readonly text: string;
}

/** Reads `1-0` or `^1-0`; undefined for everything else. */
export function readPlace(text: string): Place | undefined {
  const match = /^(\^?)(\d+)-(\d+)$/.exec(text);
  if (match === null) return undefined;
  return { ms: Number(match[2]), seq: Number(match[3]), before: match[1] === '^', text };
}

/** The position of each stream channel in a cursor; a position without a name is that of `only`, the one channel followed. */
export function placesIn(cursor: string, only: string | undefined): Map<string, Place> {
  const places = new Map<string, Place>();
  for (const part of cursor.split(',')) {
    const at = part.indexOf('=');
    const name = at === -1 ? only : decodeURIComponent(part.slice(0, at));
    const place = readPlace(part.slice(at + 1));
    if (name !== undefined && place !== undefined) places.set(name, place);
  }
  return places;
}

/** Orders entry ids as Redis does. */
export function compareIds(left: string, right: string): number {
  const [a, b] = [readPlace(left), readPlace(right)];
  if (a === undefined || b === undefined) throw new Error(`no entry ids: ${left}, ${right}`);
  return a.ms - b.ms || a.seq - b.seq;
}
