/** How many events a gap stands for: a number while it is known, never a wrong one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Overtaken } from '../../src/channel/overtaken.ts';

test('what was overtaken is counted from any number that a reader stood at', () => {
  const overtaken = new Overtaken();
  for (const number of [3, 5, 9]) overtaken.add(number);
  assert.deepEqual(
    [0, 2, 3, 4, 5, 8, 9, 10].map((number) => overtaken.countAfter(number)),
    [3, 3, 2, 2, 1, 1, 0, 0],
  );
});

test('what all have passed is forgotten, and who would have stood before it is told no number', () => {
  const overtaken = new Overtaken();
  for (const number of [3, 5, 9]) overtaken.add(number);
  overtaken.passed(6);
  assert.deepEqual(
    [4, 5, 6, 9].map((number) => overtaken.countAfter(number)),
    [null, 1, 1, 0],
  );
  overtaken.passed(9);
  assert.equal(overtaken.empty, true);
});

test('a gap that was overtaken makes the number unknown for whoever stood before it', () => {
  const overtaken = new Overtaken();
  for (const number of [3, 5]) overtaken.add(number);
  overtaken.unknownAt(7);
  overtaken.add(9);
  assert.deepEqual(
    [0, 5, 6, 7, 8, 9].map((number) => overtaken.countAfter(number)),
    [null, null, null, 1, 1, 0],
  );
});

test('no more is remembered than has its place, and who is further behind is told no number', () => {
  const overtaken = new Overtaken();
  for (let number = 1; number <= 150_000; number += 1) overtaken.add(number);
  assert.equal(overtaken.countAfter(1), null);
  assert.equal(overtaken.countAfter(149_000), 1000);
});
