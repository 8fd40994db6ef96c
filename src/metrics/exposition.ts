/** Metrics as Prometheus reads them (text exposition format 0.0.4). */
import { COUNTERS, type Counter, type Metrics } from './metrics.ts';

/** A value that goes up and down, read when it is asked for. Names are without the prefix of the product. */
export interface Gauge {
  readonly name: string;
  readonly help: string;
  readonly values: readonly GaugeValue[];
}

/** One value of a gauge, told apart from the others by its labels. */
export interface GaugeValue {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

const PREFIX = 'sse_gateway_';

/** The media type of the text. */
export const EXPOSITION_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** All counters and gauges as text. */
export function exposition(metrics: Metrics, gauges: readonly Gauge[]): string {
  const counters = Object.keys(COUNTERS) as Counter[];
  const counted = counters.map((name) =>
    family(`${name}_total`, 'counter', COUNTERS[name], [{ value: metrics.read(name) }]),
  );
  const gauged = gauges.map(({ name, help, values }) => family(name, 'gauge', help, values));
  return [...counted, ...gauged].join('');
}

function family(name: string, type: 'counter' | 'gauge', help: string, values: readonly GaugeValue[]): string {
  const samples = values.map(({ labels = {}, value }) => `${PREFIX}${name}${labelled(labels)} ${value}\n`);
  return `# HELP ${PREFIX}${name} ${help}\n# TYPE ${PREFIX}${name} ${type}\n${samples.join('')}`;
}

function labelled(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
