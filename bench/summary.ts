/** What several runs say together: medians, and the ratios of two servers that were measured in turn. */
import type { Figures } from './generator/spec.ts';
import { figureOf, type Measure, NAMES } from './measures.ts';

/** A value for each measure that a case has. */
export type Values = Readonly<Partial<Record<Measure, number>>>;

/** The medians of several runs. */
export interface Medians {
  readonly values: Values;
  readonly share: Figures['share'];
  readonly noise: number;
  /** The generator and Redis took nearly all of a CPU: the server could have done more. */
  readonly generatorWasTheLimit: boolean;
  /** Every run was whole. */
  readonly whole: boolean;
}

/** Above this share of a CPU the generator, with Redis beside it, is the limit. */
const LIMIT_SHARE = 0.95;

/** The medians of the runs of one case. */
export function mediansOf(runs: readonly Figures[]): Medians {
  const share = {
    server: median(runs.map((run) => run.share.server)),
    generator: median(runs.map((run) => run.share.generator)),
    redis: median(runs.map((run) => run.share.redis)),
  };
  return {
    values: valuesOf((measure) => runs.map((run) => figureOf(run, measure))),
    share,
    noise: median(runs.map((run) => run.noise)),
    generatorWasTheLimit: median(runs.map((run) => run.share.generator + run.share.redis)) > LIMIT_SHARE,
    whole: runs.every((run) => run.whole),
  };
}

/** For each measure the median of `ours / theirs`, run by run: what disturbs the machine disturbs both of a pair. */
export function ratiosOf(ours: readonly Figures[], theirs: readonly Figures[]): Values {
  return valuesOf((measure) =>
    ours.map((run, at) => {
      const other = theirs[at];
      const ourValue = figureOf(run, measure);
      const theirValue = other === undefined ? undefined : figureOf(other, measure);
      const comparable = ourValue !== undefined && theirValue !== undefined && theirValue > 0;
      return comparable ? ourValue / theirValue : undefined;
    }),
  );
}

/** The middle one, or the mean of the two in the middle. NaN where there is none. */
export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

function valuesOf(collect: (measure: Measure) => readonly (number | undefined)[]): Values {
  const entries = NAMES.map((measure) => [measure, collect(measure).filter((value) => value !== undefined)] as const);
  return Object.fromEntries(
    entries.filter(([, numbers]) => numbers.length > 0).map(([measure, numbers]) => [measure, median(numbers)]),
  );
}
