/** Counts of whole numbers in buckets that are at most 1/128 of their value wide: percentiles of millions in 15 KiB. */

/** Every power of two is divided into this many buckets, as a power of two. */
const BITS = 7;
const PER_POWER = 1 << BITS;

export class Histogram {
  readonly #counts = new Float64Array((32 - BITS) * PER_POWER);
  #total = 0;
  #max = 0;

  /** How many values were recorded. */
  get total(): number {
    return this.#total;
  }

  /** The largest value, exactly; 0 where there is none. */
  get max(): number {
    return this.#max;
  }

  /** Records a whole number below 2^31; a smaller one than 0 counts as 0. */
  record(value: number): void {
    const at = bucketOf(value < 0 ? 0 : value);
    this.#counts[at] = (this.#counts[at] ?? 0) + 1;
    this.#total += 1;
    if (value > this.#max) this.#max = value;
  }

  /** Forgets everything. */
  clear(): void {
    this.#counts.fill(0);
    this.#total = 0;
    this.#max = 0;
  }

  /** How many values are below `value`, to the width of a bucket. */
  below(value: number): number {
    let seen = 0;
    for (let bucket = 0; bucket < this.#counts.length && lowestOf(bucket) < value; bucket++) {
      seen += this.#counts[bucket] ?? 0;
    }
    return seen;
  }

  /** The smallest value of the bucket in which the share `quantile` (0 to 1) of all values ends; 0 where there is none. */
  at(quantile: number): number {
    const wanted = Math.max(1, Math.ceil(quantile * this.#total));
    let seen = 0;
    for (let bucket = 0; bucket < this.#counts.length; bucket++) {
      seen += this.#counts[bucket] ?? 0;
      if (seen >= wanted) return lowestOf(bucket);
    }
    return 0;
  }
}

function bucketOf(value: number): number {
  if (value < PER_POWER) return value;
  const shift = 31 - Math.clz32(value) - BITS;
  return (shift + 1) * PER_POWER + ((value >>> shift) & (PER_POWER - 1));
}

function lowestOf(bucket: number): number {
  if (bucket < PER_POWER) return bucket;
  const shift = Math.floor(bucket / PER_POWER) - 1;
  return (PER_POWER + (bucket % PER_POWER)) * 2 ** shift;
}
