/** The generator: opens the streams, publishes, measures, and prints its figures as JSON. Its one argument is the spec. */
import { measureBehind } from './behind.ts';
import { measureIdle } from './idle.ts';
import { measureLoad } from './measure.ts';
import { measureSlow } from './slow.ts';
import type { Figures, Load, Spec } from './spec.ts';

const MEASURES: Readonly<Record<Exclude<Load['kind'], 'start'>, (spec: Spec) => Promise<Figures>>> = {
  flow: measureLoad,
  idle: measureIdle,
  slow: measureSlow,
  behind: measureBehind,
};

try {
  const spec = JSON.parse(process.argv[2] ?? '') as Spec;
  if (spec.load.kind === 'start') throw new Error('a start needs no generator');
  console.log(JSON.stringify(await MEASURES[spec.load.kind](spec)));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1); // its connections would keep it
}
