/** The ledger of the bench: what is lost, doubled or out of order is told, with the publisher it came from. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Ledger } from '../../src/load/ledger.ts';

const everybody = (): boolean => true;

describe('the ledger', () => {
  test('has nothing to say where each stream has all of each publisher in order', () => {
    const ledger = recorded([0, 1, 3, 2, 5, 4]);
    assert.equal(ledger.delivered, 6);
    assert.deepEqual(ledger.faults([3, 3], everybody), []);
  });

  test('what never came is missing, in the middle and at the end', () => {
    const ledger = recorded([0, 6, 1]);
    assert.equal(ledger.delivered, 3);
    assert.deepEqual(ledger.faults([5, 1], everybody), [{ publisher: 0, missing: 3, duplicated: 0, outOfOrder: 0 }]);
  });

  test('what comes after a later one is out of order and not missing', () => {
    const ledger = recorded([0, 8, 4, 2, 6]);
    assert.equal(ledger.delivered, 5);
    assert.deepEqual(ledger.faults([5, 0], everybody), [{ publisher: 0, missing: 0, duplicated: 0, outOfOrder: 3 }]);
  });

  test('what comes twice is duplicated, in order or late', () => {
    const ledger = recorded([1, 1, 5, 3, 3]);
    assert.equal(ledger.delivered, 3);
    assert.deepEqual(ledger.faults([0, 3], everybody), [{ publisher: 1, missing: 0, duplicated: 2, outOfOrder: 1 }]);
  });

  test('a stream misses nothing of a publisher that it does not follow', () => {
    const ledger = new Ledger(2, 2);
    ledger.record(0, 0);
    ledger.record(1, 1);
    assert.deepEqual(
      ledger.faults([1, 1], (stream, publisher) => stream === publisher),
      [],
    );
    assert.equal(ledger.faults([1, 1], everybody).length, 2);
  });
});

/** One stream of two publishers: the even numbers are those of the first. */
function recorded(numbers: readonly number[]): Ledger {
  const ledger = new Ledger(1, 2);
  for (const number of numbers) ledger.record(0, number);
  return ledger;
}
