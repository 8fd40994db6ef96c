/** Problems are worded so that they can be printed anywhere. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { nearest } from '../../src/config/nearest.ts';
import { Problems, quote, showPath } from '../../src/config/problems.ts';
import { cpuTimeOf } from '../support/cpu-time.ts';
import { problemsOf, REDIS } from './support.ts';

describe('a quoted text', () => {
  test('is cut to 60 characters and shows what cannot be seen', () => {
    assert.equal(quote('x'.repeat(100)), `"${'x'.repeat(60)}..."`);
    assert.equal(quote('a\x1b[31m\n\u202e\u200b\x7f\u0085"'), '"a\\u001b[31m\\n\\u202e\\u200b\\u007f\\u0085\\""');
  });

  test('hides user and password of a URL, whatever they are made of', () => {
    assert.equal(quote('redis://u:p@h'), '"redis://***@h"');
    assert.equal(quote('redis://u:p@s/w://x#@h'), '"redis://***@h"');
    assert.equal(quote('a@b'), '"a@b"');
  });

  test('takes time in proportion to its length', async () => {
    const took = await cpuTimeOf(() => {
      for (const unit of ['://', '@://', '{', '${', '"', '\x1b']) quote(unit.repeat(500_000));
    });
    assert.ok(took < 10_000, `${took} ms`);
  });
});

describe('a problem', () => {
  test('can be printed on a terminal, hint and all', async () => {
    const values = ['/\\e[31mx', 'a\\u202eb:80', 'unix:\\e]0;x\\a'].map((value) => `server: {listen: "${value}"}\n`);
    const keys = [
      '"\\e[31m": 1\n',
      'log: {"\\u202e": 1}\n',
      'channels: {"\\e[2J*": {}}\n',
      'allow: {subscribe: ["{\\e}"]}\n',
    ];
    for (const text of [...values, ...keys]) {
      assert.doesNotMatch((await problemsOf(REDIS + text)).join(''), /[\p{Cc}\u202e]/u, text);
    }
  });

  test('is short, however long the text it is about', async () => {
    const long = 'x'.repeat(100_000);
    for (const text of [
      `server: {listen: /${long}}\n`,
      `allow: {subscribe: ["{${long}}"]}\n`,
      `channels: {a: {source: ${long}}}\n`,
      `"${long}": 1\n`,
    ]) {
      for (const line of await problemsOf(REDIS + text)) assert.ok(line.length < 1500, `${line.length}`);
    }
  });

  test('touches what is inside and around it', () => {
    const problems = new Problems('c.yaml');
    problems.add({ line: 1, column: 1 }, ['server', 'drain'], 'wrong');
    for (const path of [[], ['server'], ['server', 'drain'], ['server', 'drain', 'retry']])
      assert.ok(problems.touch(path), path.join('.'));
    for (const path of [['server', 'retry'], ['log'], ['server', 'drain2']])
      assert.ok(!problems.touch(path), path.join('.'));
  });

  test('has a path with quotes around what is no plain word', () => {
    assert.equal(showPath(['channels', 'chat.{room}', 'history', 'age']), 'channels."chat.{room}".history.age');
  });
});

describe('the nearest word', () => {
  test('is a slip of one letter in three away, swaps counted once', () => {
    const words = ['listen', 'base_path', 'hosts', 'heartbeat', 'retry'];
    assert.deepEqual(
      ['lisen', 'LISTEN', 'listne', 'retyr', 'heart_beat', 'host', 'port', 'x', '', 'lis', 'x'.repeat(10_000)].map(
        (word) => nearest(word, words),
      ),
      [
        'listen',
        'listen',
        'listen',
        'retry',
        'heartbeat',
        'hosts',
        undefined,
        undefined,
        undefined,
        undefined,
        undefined,
      ],
    );
  });
});
