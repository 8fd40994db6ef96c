/** What may be the name of a channel. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { channelNameProblem, isChannelName } from '../../src/config/names.ts';

describe('a channel name', () => {
  test('has letters, digits and the ten allowed signs', () => {
    for (const name of ['a', 'Prices', '0', 'a.b:c', '_-~|+=@', '__keyspace@0__:x', 'x'.repeat(255)]) {
      assert.ok(isChannelName(name), name);
      assert.equal(channelNameProblem(name), undefined, name);
    }
  });

  test('has nothing else, in particular nothing that Redis reads as a pattern', () => {
    const bad = [
      '',
      'a b',
      'a*',
      'a?',
      '[a]',
      '{a}',
      'a\\',
      'a/b',
      'a\n',
      'a\0',
      'é',
      '\u200b',
      '😀',
      '\ud800',
      'a,b',
      'a#',
      '%61',
    ];
    for (const name of [...bad, 'x'.repeat(256)]) {
      assert.ok(!isChannelName(name), JSON.stringify(name));
      assert.equal(typeof channelNameProblem(name), 'string', JSON.stringify(name));
    }
  });

  test('is explained without printing what cannot be seen', () => {
    assert.match(channelNameProblem('a\u202eb') ?? '', /the character U\+202E/);
    assert.match(channelNameProblem('a\x1b[31m') ?? '', /the character U\+001B/);
    assert.match(channelNameProblem('x'.repeat(300)) ?? '', /at most 255 characters, this one has 300/);
  });
});
