/** Who may do what: every combination of a grant, an address and a credential, and patterns that match no more than they say. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type Allow, matchesPattern, Policy, type PolicyOptions, type Right } from '../../src/auth/policy.ts';
import { channelNames } from '../support/arbitrary.ts';

const RIGHTS: readonly Right[] = ['subscribe', 'publish', 'admin'];

function policy(allow: Allow, options: Partial<PolicyOptions> = {}): Policy {
  return new Policy({ allow, localKey: 'key', openToAll: false, loopback: false, ...options });
}

/** What nobody in particular may on the channel `a`: subscribe, publish, admin. */
function granted(allow: Allow, options: Partial<PolicyOptions> = {}): boolean[] {
  return RIGHTS.map((right) => policy(allow, options).decide(right, 'a', 'nobody') === 'allowed');
}

describe('what everybody may', () => {
  test('is everything without a config file on loopback', () => {
    assert.deepEqual(granted({}, { openToAll: true, loopback: true }), [true, true, true]);
  });

  test('is reading with a config file on loopback while that is undecided, and nothing elsewhere', () => {
    assert.deepEqual(granted({}, { loopback: true }), [true, false, false]);
    assert.deepEqual(granted({}), [false, false, false]);
  });

  test('is what is granted and no more, on every address', () => {
    for (const options of [{ loopback: true }, { loopback: false }]) {
      assert.deepEqual(granted({ subscribe: [] }, options), [false, false, false]);
      assert.deepEqual(granted({ subscribe: ['b'] }, options), [false, false, false]);
      assert.deepEqual(granted({ subscribe: ['b', 'a'], publish: ['a'] }, options), [true, true, false]);
      assert.deepEqual(granted({ subscribe: ['*'], admin: true }, options), [true, false, true]);
      assert.deepEqual(granted({ subscribe: ['*'], admin: false }, options), [true, false, false]);
    }
  });

  test('is decided for each right on its own: to grant one leaves the others as they were', () => {
    assert.deepEqual(granted({ publish: ['a'] }, { loopback: true }), [true, true, false]);
    assert.deepEqual(granted({ publish: [] }, { openToAll: true, loopback: true }), [true, false, true]);
  });

  test('is not asked about a channel only where it is granted over all of them', () => {
    const verdict = (allow: Allow): string => policy(allow).decide('admin', undefined, 'nobody');
    assert.equal(verdict({ admin: true }), 'allowed');
    assert.equal(verdict({ admin: ['*'] }), 'allowed');
    assert.equal(verdict({ admin: ['chat.*'] }), 'unauthenticated');
    assert.equal(verdict({ admin: [] }), 'unauthenticated');
  });
});

describe('the local key', () => {
  test('has all rights, over everything, whatever is granted to everybody', () => {
    const checked = policy({ subscribe: [], publish: [], admin: false });
    for (const right of RIGHTS) {
      assert.equal(checked.decide(right, 'a', 'local-key'), 'allowed');
      assert.equal(checked.decide(right, undefined, 'local-key'), 'allowed');
    }
  });

  test('is known by the whole of it alone, and by nothing where there is none', () => {
    const checked = policy({});
    assert.equal(checked.identify('key'), 'local-key');
    for (const token of [undefined, '', 'ke', 'keyy', 'KEY', 'key ', 'k\u0435y'])
      assert.equal(checked.identify(token), 'nobody');
    const without = policy({}, { localKey: undefined });
    for (const token of [undefined, '', 'undefined', 'key']) assert.equal(without.identify(token), 'nobody');
  });
});

describe('a pattern', () => {
  const TABLE: readonly (readonly [pattern: string, matches: readonly string[], others: readonly string[]])[] = [
    ['a', ['a'], ['', 'b', 'aa', 'A']],
    ['*', ['', 'a', 'a.b:c'], []],
    ['chat.*', ['chat.', 'chat.1', 'chat.1.2'], ['chat', 'xchat.1', 'Chat.1']],
    ['*.chat', ['.chat', 'a.chat'], ['chat', 'a.chats']],
    ['a*b', ['ab', 'axb', 'abb', 'a*b'], ['a', 'b', 'aba', 'ba']],
    ['a*a', ['aa', 'aba', 'aaa'], ['a']],
    ['a*b*c', ['abc', 'axbxc', 'abbc', 'abcbc'], ['acb', 'ac', 'abcd']],
    ['*a*', ['a', 'ba', 'ab', 'bab'], ['', 'b']],
    ['**', ['', 'a'], []],
    ['a.b', ['a.b'], ['axb']],
    ['a+', ['a+'], ['a', 'aa']],
    ['user.{sub}', ['user.{sub}'], ['user.1']],
  ];

  test('matches what it says and nothing else: a star is any run of characters, all else is itself', () => {
    for (const [pattern, matches, others] of TABLE) {
      for (const name of matches) assert.equal(matchesPattern(pattern, name), true, `${pattern} and "${name}"`);
      for (const name of others) assert.equal(matchesPattern(pattern, name), false, `${pattern} and "${name}"`);
    }
  });

  test('matches as the regular expression of the same meaning does', () => {
    const unit = fc.constantFrom('a', 'b', '.', '*');
    fc.assert(
      fc.property(
        fc.string({ unit, maxLength: 8 }),
        fc.string({ unit: fc.constantFrom('a', 'b', '.'), maxLength: 10 }),
        (pattern, name) => {
          const source = pattern.replace(/[.+]/g, '\\$&').replaceAll('*', '.*');
          assert.equal(matchesPattern(pattern, name), new RegExp(`^${source}$`, 's').test(name));
        },
      ),
      { numRuns: 2000 },
    );
  });

  test('that is a name matches that name alone', () => {
    fc.assert(
      fc.property(channelNames(), channelNames(), (pattern, name) => {
        assert.equal(matchesPattern(pattern, pattern), true);
        assert.equal(matchesPattern(pattern, name), pattern === name);
      }),
    );
  });
});
