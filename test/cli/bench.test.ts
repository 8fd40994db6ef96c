/** `bench` without a gateway: what its flags mean, when it was the limit itself, and how its figures read. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type BenchFigures, wasTheLimit } from '../../src/cli/bench-figures.ts';
import { planOf, shortOfFiles } from '../../src/cli/bench-plan.ts';
import { endOfBench, reportText } from '../../src/cli/bench-report.ts';
import type { BenchFlags } from '../../src/cli/flags.ts';

const FLAGS: BenchFlags = {
  connections: 1000,
  rate: 100,
  size: 128,
  channels: 1,
  publishers: 1,
  duration: 10_000,
  via: 'http',
};

describe('the plan of a bench', () => {
  test('its channels are named after the run, or after what was given', () => {
    assert.deepEqual(planOf(FLAGS, 'a1').channels, ['bench-a1']);
    assert.deepEqual(planOf({ ...FLAGS, channels: 2 }, 'a1').channels, ['bench-a1-1', 'bench-a1-2']);
    assert.deepEqual(planOf({ ...FLAGS, channel: 'prices' }, 'a1').channels, ['prices']);
    assert.deepEqual(planOf({ ...FLAGS, channel: 'chat.x', channels: 2 }, 'a1').channels, ['chat.x-1', 'chat.x-2']);
  });

  test('what cannot be is refused', () => {
    for (const [flags, problem] of [
      [{ size: 47 }, /--size is from 48/],
      [{ channels: 1001 }, /had no listener/],
      [{ publishers: 1001 }, /--publishers is at most/],
      [{ rate: 1e6, duration: 3_600_000 }, /more than 2\^31/],
      [{ channel: 'no name' }, /is not a channel name/],
    ] as const) {
      assert.throws(() => planOf({ ...FLAGS, ...flags }, 'a1'), problem);
    }
  });

  test('more connections than open files are refused with the number that fits', () => {
    const plan = planOf(FLAGS, 'a1');
    assert.equal(shortOfFiles(plan, undefined), undefined);
    assert.equal(shortOfFiles(plan, 1065), undefined);
    assert.match(shortOfFiles(plan, 1064)?.hint ?? '', /ulimit -n 1065.*--connections 999 at most/);
  });
});

describe('the limit', () => {
  const delay = { p50: 0, p99: 0, max: 0 };

  test('is this process where it took nearly all of a core', () => {
    assert.equal(wasTheLimit({ cpu: 0.95, delay }, 5), true);
    assert.equal(wasTheLimit({ cpu: 0.5, delay }, 5), false);
  });

  test('is this process where it was late by much of the latencies, unless it was hardly late', () => {
    assert.equal(wasTheLimit({ cpu: 0.5, delay: { ...delay, p99: 40 } }, 60), true);
    assert.equal(wasTheLimit({ cpu: 0.5, delay: { ...delay, p99: 40 } }, 600), false);
    assert.equal(wasTheLimit({ cpu: 0.5, delay: { ...delay, p99: 4 } }, 5), false);
  });
});

describe('the report of a bench', () => {
  test('shows the percentiles, and a bar for each range, the longest for the fullest', () => {
    const text = reportText(FIGURES);
    assert.match(text, /latency {6}p50 1\.50 ms, p90 1\.90 ms, p99 12\.3 ms, p99\.9 12\.3 ms, max 1,234 ms/);
    assert.match(text, /to 2 ms {3}90\.0 % {2}#{40}\n/);
    assert.match(text, /to 5 ms {4}0\.0 %\n/);
    assert.match(text, /to 10 ms {3}10\.0 % {2}#{4}\n/);
    assert.doesNotMatch(text, /note:/);
  });

  test('a run that was whole ends with 0, an interrupted one with 130', () => {
    assert.deepEqual(endOfBench(FIGURES), { exit: 'done' });
    assert.equal(endOfBench({ ...FIGURES, interrupted: true }).exit, 'interrupted');
  });

  test('whatever was wrong is named, and ends with 1', () => {
    const end = endOfBench({
      ...FIGURES,
      connections: { ...FIGURES.connections, failed: 2, closed_early: 1 },
      published: { ...FIGURES.published, refused: 1, problem: 'HTTP 429' },
      delivered: { ...FIGURES.delivered, missing: 3, duplicated: 4, out_of_order: 5, gaps: 1 },
    });
    assert.equal(end.exit, 'failed');
    assert.equal(
      end.message,
      '2 of 10 connections failed; 1 connection was closed early; 1 publish was refused: HTTP 429; 3 events are missing; 4 events came twice; 5 events came out of order',
    );
    assert.match(end.hint ?? '', /announced gaps/);
  });

  test('what may be missing because nobody knows whether it was published ends with 75', () => {
    const published = { ...FIGURES.published, unanswered: 1, problem: 'HTTP 504' };
    const unsure = { ...FIGURES, published, delivered: { ...FIGURES.delivered, missing: 10 } };
    assert.equal(endOfBench(unsure).exit, 'outcome-unknown');
    assert.equal(endOfBench({ ...unsure, delivered: { ...unsure.delivered, missing: 11 } }).exit, 'failed');
  });

  test('says where it was the limit itself, and where the rate was not kept', () => {
    const generator = { ...FIGURES.generator, cpu: 0.97, was_the_limit: true };
    const published = { ...FIGURES.published, per_second: 80 };
    const text = reportText({ ...FIGURES, generator, published });
    assert.match(text, /note: this command was the limit: it took 97 % of a core\..* second machine/);
    assert.match(text, /note: 100 events a second were asked for and 80 were published.*--publishers/);
  });

  test('text from outside cannot steer a terminal', () => {
    const published = { ...FIGURES.published, problem: '\x1b[2J' };
    assert.match(reportText({ ...FIGURES, published }), /\\x1b\[2J/);
  });
});

const FIGURES: BenchFigures = {
  url: 'http://127.0.0.1:8080',
  via: 'http',
  channels: 1,
  publishers: 1,
  rate: 100,
  size: 128,
  seconds: 10,
  interrupted: false,
  connections: { asked: 10, opened: 10, failed: 0, closed_early: 0, problems: {} },
  published: { sent: 1000, acknowledged: 1000, refused: 0, unanswered: 0, per_second: 100, problem: null },
  delivered: { events: 10_000, per_second: 1000, missing: 0, duplicated: 0, out_of_order: 0, gaps: 0 },
  latency_ms: { p50: 1.5, p90: 1.9, p99: 12.3, 'p99.9': 12.3, max: 1234 },
  histogram: [
    { from: 1, to: 2, count: 9000 },
    { from: 2, to: 5, count: 0 },
    { from: 5, to: 10, count: 1000 },
  ],
  generator: { cpu: 0.2, loop_delay_ms: { p50: 0, p99: 1, max: 2 }, was_the_limit: false },
};
