/** What is said of the lines where publishing stopped early. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Sent } from '../../src/cli/destination.ts';
import { describeLines } from '../../src/cli/line-report.ts';

const STATES: Readonly<Record<string, Sent>> = {
  p: { kind: 'published', answer: {} },
  r: { kind: 'failed', end: { exit: 'failed', message: 'no' } },
  u: { kind: 'failed', end: { exit: 'outcome-unknown', message: 'lost' } },
};

describe('the report of lines', () => {
  // p: published, r: refused, u: unknown
  const cases: readonly (readonly [before: number, sent: string, said: string])[] = [
    [0, '', 'no line is acknowledged'],
    [7, '', 'acknowledged up to line 7'],
    [0, 'r', 'no line is acknowledged'],
    [500, 'ppr', 'acknowledged up to line 502'],
    [500, 'uu', 'acknowledged up to line 500; lines 501 to 502 may or may not have been published'],
    [0, 'pru', 'acknowledged up to line 1; line 3 may or may not have been published'],
    [0, 'prp', 'acknowledged up to line 1, and line 3'],
    [0, 'prppup', 'acknowledged up to line 1, and lines 3 to 4 and 6; line 5 may or may not have been published'],
    [0, 'rprprprprprprp', 'acknowledged: lines 2, 4, 6, 8, 10 and 2 more'],
  ];
  for (const [before, sent, said] of cases) {
    test(`is of ${before} and then "${sent}"`, () => {
      const outcomes = [...sent].flatMap((letter) => STATES[letter] ?? []);
      assert.equal(describeLines(before, outcomes), said);
    });
  }
});
