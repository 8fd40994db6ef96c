/** Streams and pub/sub through every fault in its short form: what clients saw is judged by what Redis held. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FAULTS, runTrial } from './checker/faults.ts';
import { describeFindings } from './checker/finding.ts';

/** How many trials run at a time: most of a trial is waiting. */
const CONCURRENCY = 4;

/** A fault takes seconds; what must come afterwards has all the time that a busy machine may need for it. */
const TRIAL = { timeout: 300_000 };

/** Another one each run finds more; a failure names it. */
const SEED = Number(process.env['CHECKER_SEED'] ?? 1);

describe('every client sees each event once and in order, or a gap at its place, while', {
  concurrency: CONCURRENCY,
}, () => {
  for (const fault of FAULTS) {
    test(fault.name, TRIAL, async (t) => {
      const { findings, startedAt, events } = await runTrial(t, { seed: SEED, faults: [fault], length: 'short' });
      assert.ok(events > 100, `only ${events} events were seen`);
      assert.equal(findings.length, 0, `with the seed ${SEED}:\n${describeFindings(findings, startedAt)}`);
    });
  }
});
