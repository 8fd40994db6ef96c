/** A Redis pattern is well-formed, and no value of a variable can widen it. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { globProblem, isGlob } from '../../src/config/glob.ts';

describe('a Redis pattern', () => {
  test('has stars, question marks, classes and escapes', () => {
    for (const pattern of ['*', 'a?b', 'a[bc]', 'a[^b-z]*', 'a\\*b', '\\[', '\\\\*', '[[]', '{room}:*', 'a[b\\]]c']) {
      assert.equal(globProblem(pattern), undefined, pattern);
      assert.equal(isGlob(pattern), !['a\\*b', '\\['].includes(pattern), pattern);
    }
  });

  test('with an open class, an empty one, or an escape of nothing is refused', () => {
    assert.match(globProblem('a[b')?.problem ?? '', /a \[ is not closed/);
    assert.match(globProblem('a[b\\]')?.problem ?? '', /a \[ is not closed/);
    assert.match(globProblem('a[]b')?.problem ?? '', /nothing stands between/);
    assert.match(globProblem('a[^]b')?.problem ?? '', /nothing stands between/);
    assert.match(globProblem('a\\')?.problem ?? '', /stands before nothing/);
  });

  test('has its variables outside of classes, where a-z would be a range, and not after an escape', () => {
    for (const pattern of ['[{room}]', 'x[^{room}]*', '[a{room}', 'a\\{room}', '[\\{room}]', '[\\]{room}]']) {
      assert.notEqual(globProblem(pattern), undefined, pattern);
    }
  });
});
