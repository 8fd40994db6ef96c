/** The page about performance: its tables and drawings are made of saved figures. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { CASES } from '../../bench/cases.ts';
import { chart, gatewayPanels, peerPanels } from '../../bench/chart.ts';
import type { Figures, Load } from '../../bench/generator/spec.ts';
import { fillIn, gatewaySection, peersSection } from '../../bench/markdown.ts';
import type { Results, SubjectResult } from '../../bench/results.ts';
import { mediansOf, ratiosOf } from '../../bench/summary.ts';

const PAGE = readFileSync(new URL('../../docs/performance.md', import.meta.url), 'utf8');

const LOAD = CASES[0]?.load as Load;

describe('the page about performance', () => {
  test('has a row for each case', () => {
    for (const { name } of CASES) assert.ok(PAGE.includes(`\`${name}\``), name);
  });

  test('is filled in between its markers and nowhere else', () => {
    assert.equal(fillIn('a\n<!-- x -->\nold\n<!-- /x -->\nb', 'x', 'new'), 'a\n<!-- x -->\nnew\n<!-- /x -->\nb');
    assert.throws(() => fillIn('a', 'x', 'new'), /<!-- x -->/);
    for (const name of ['bench', 'bench:peers']) assert.match(fillIn(PAGE, name, 'new'), /-->\nnew\n<!--/);
  });

  test('says where, how often and beside what it was measured', () => {
    const text = gatewaySection({ file: 'gateway-x.json', results: results([subject('this', [run(1)])]) });
    assert.match(text, /Measured on 2026-01-02: CPU X, 2 CPUs, Node 24\.21\.0; server on one CPU/);
    assert.match(
      text.replace(/\s+/g, ' '),
      /medians of 1 run\. Others took at most 3 % of the CPUs, the load average before it 0\.5\./,
    );
    assert.match(text, /\(\.\.\/bench\/results\/gateway-x\.json\)/);
  });

  test('the gateway alone has a row for each case, and a line for what one case alone has', () => {
    const measured = { ...run(2), slow: { before: { p50: 1, p99: 2, max: 3 }, ratio: 1.25 } };
    const text = gatewaySection({ file: 'f.json', results: results([subject('this', [measured])]) });
    assert.match(text, /\| `saturated` \| 2\.00 \| 2 \| 2\.0 \| 2\.0 \| 2\.0 \| 90 % \| 80 % \|/);
    assert.match(text, /^- `saturated`: p99 with slow readers \/ without: 1\.25$/m);
  });

  test('others stand beside the gateway with how many times their figure it has', () => {
    const ours = [run(8)];
    const theirs = [{ ...run(2), whole: false }];
    const other = { ...subject('other', theirs), ratios: ratiosOf(ours, theirs) };
    const text = peersSection({ file: 'f.json', results: results([subject('sse-gateway', ours), other]) });
    assert.match(text, /^\| sse-gateway \| 8\.00 \| 8 \| .* \| yes \|$/m);
    assert.match(text, /^\| other \| 2\.00 \(4\.00\) \| 2 \(4\.00\) \| .* \| no \|$/m);
  });

  test('the drawing has a bar for each server and case, the longest as long as there is room', () => {
    const all = results([subject('sse-gateway', [run(8)]), subject('<other>', [run(2)])]);
    assert.deepEqual(
      peerPanels(all).map(({ bars }) => bars.map(({ name, text, ours }) => [name, text, ours])),
      [
        [
          ['sse-gateway', '8.00', true],
          ['<other>', '2.00', false],
        ],
      ],
    );
    const svg = chart([...peerPanels(all), ...gatewayPanels(all)]);
    assert.match(svg, /&lt;other&gt;/);
    const widths = [...svg.matchAll(/height="18" fill/g)].length;
    assert.equal(widths, 6);
    const [longest, other] = [...svg.matchAll(/width="([\d.]+)" height="18"/g)].map(([, width]) => Number(width));
    assert.equal(longest, Number(other) * 4);
  });
});

function results(subjects: readonly SubjectResult[]): Results {
  return {
    date: '2026-01-02T03:04:05.000Z',
    machine: { model: 'CPU X', cores: 2, node: 'v24.21.0' },
    loadAverage: 0.5,
    cpus: { server: 0, load: 1 },
    cases: [{ name: 'saturated', load: LOAD, subjects }],
  };
}

function subject(name: string, runs: readonly Figures[]): SubjectResult {
  return { name, medians: mediansOf(runs), runs };
}

/** A run in which every figure is `value`, deliveries in millions. */
function run(value: number): Figures {
  return {
    whole: true,
    faults: [],
    closed: 0,
    refused: 0,
    share: { server: 0.9, generator: 0.6, redis: 0.2 },
    noise: 0.03,
    flow: {
      published: value,
      deliveries: value,
      seconds: value,
      deliveriesPerCpuSecond: value * 1e6,
      messagesPerSecond: value,
      p50: value,
      p99: value,
      max: value,
    },
  };
}
