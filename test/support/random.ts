/** Chance that can be repeated: the same seed gives the same run. */

/** Draws from one seed. */
export interface Dice {
  /** A number from 0 (with) to 1 (without). */
  next(): number;
  /** A whole number from 0 (with) to `limit` (without). */
  below(limit: number): number;
}

/** mulberry32: small, and even enough to choose moments by. */
export function dice(seed: number): Dice {
  let state = seed | 0;
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return { next, below: (limit) => Math.floor(next() * limit) };
}
