/** Templates match names, and their variables make feeds. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { refused } from '../../src/config/parsed.ts';
import { expand, matchTemplate, parseFeed, parseTemplate, type Template } from '../../src/config/template.ts';
import { cpuTimeOf } from '../support/cpu-time.ts';
import { namesLike, templates } from './arbitrary.ts';

describe('a template', () => {
  test('gives its variables one segment each', () => {
    assert.deepEqual(match('chat.{room}', 'chat.lobby'), { room: 'lobby' });
    assert.deepEqual(match('{app}:{user}.inbox', 'shop:42.inbox'), { app: 'shop', user: '42' });
    for (const name of ['chat.', 'chat', 'chat.a.b', 'chat.a:b', 'xchat.a', 'chat.a b', 'chat.*']) {
      assert.equal(match('chat.{room}', name), undefined, name);
    }
  });

  test('gives its last variable everything that is left, if it has a star', () => {
    assert.deepEqual(match('logs.{path*}', 'logs.a.b:c'), { path: 'a.b:c' });
    assert.deepEqual(match('{app}.{path*}.raw', 'shop.a.b.raw'), { app: 'shop', path: 'a.b' });
    assert.equal(match('logs.{path*}', 'logs.'), undefined);
    assert.equal(match('{app}.{path*}.raw', 'shop.raw'), undefined);
  });

  test('gives the first of two variables in a segment as little as it can', () => {
    assert.deepEqual(match('{a}-{b}', 'x-y-z'), { a: 'x', b: 'y-z' });
    assert.deepEqual(match('{a}-{b}', '-y-z'), { a: '-y', b: 'z' });
    assert.deepEqual(match('game-{id}-player-{n}', 'game-1-player-2'), { id: '1', n: '2' });
  });

  test('never lets a variable reach the names of Redis that begin with __', () => {
    assert.equal(match('{name*}', '__keyspace@0__:x'), undefined);
    assert.equal(match('_{name*}', '__keyspace@0__:x'), undefined);
    assert.deepEqual(match('__keyspace@0__:{key}', '__keyspace@0__:x'), { key: 'x' });
    assert.deepEqual(match('{name}', '_x'), { name: '_x' });
  });

  test('matches as the regular expression does that it stands for', () => {
    fc.assert(
      fc.property(
        templates().chain((text) => fc.tuple(fc.constant(text), namesLike(text))),
        ([text, name]) => {
          const expected = toRegExp(template(text)).exec(name)?.groups;
          const reserved = name.startsWith('__') && !text.startsWith('__');
          assert.deepEqual(match(text, name), expected && !reserved ? { ...expected } : undefined);
        },
      ),
      { numRuns: 3000 },
    );
  });

  test('takes time in proportion to the name, whatever it is', async () => {
    const text = Array.from({ length: 40 }, (_, index) => `{v${index}}-`)
      .join('')
      .slice(0, -1);
    const took = await cpuTimeOf(() => {
      for (let round = 0; round < 1000; round += 1) match(text, `${'a-'.repeat(127)}.`);
    });
    assert.ok(took < 3000, `${took} ms`);
  });

  test('is refused where it cannot be told what belongs to which variable', () => {
    for (const text of [
      '{a}{b}',
      '{a*}{b}',
      '{a*}.{b}',
      '{a}.{a}',
      'x{',
      '}x',
      '{}',
      '{1a}',
      '{a b}',
      '{a**}',
      'a/{b}',
      '',
    ]) {
      assert.ok(refused(parseTemplate(text)), text);
    }
  });
});

describe('a feed', () => {
  test('has the variables of its channel in it', () => {
    assert.equal(feedOf('chat.{room}', 'app:{room}:{room}', 'chat.lobby'), 'app:lobby:lobby');
    assert.equal(feedOf('logs.{path*}', 'logs:{path}', 'logs.a.b'), 'logs:a.b');
    assert.equal(feedOf('logs.{path*}', 'logs.{path*}', 'logs.a.b'), 'logs.a.b');
  });

  test('is refused without one of them, or with one that the name lacks', () => {
    for (const text of ['chat', 'chat:{other}', '{room}{other}', '{', '{room', '']) {
      assert.ok(refused(parseFeed(text, ['room'])), text);
    }
    assert.ok(!refused(parseFeed('', [])));
    assert.ok(refused(parseFeed('{room}', [])));
  });

  test('that is the template itself is the name again', () => {
    fc.assert(
      fc.property(
        templates().chain((text) => fc.tuple(fc.constant(text), namesLike(text))),
        ([text, name]) => {
          if (match(text, name) !== undefined) assert.equal(feedOf(text, text, name), name);
        },
      ),
    );
  });
});

function template(text: string): Template {
  const parsed = parseTemplate(text);
  if (refused(parsed)) assert.fail(`${text}: ${parsed.problem}`);
  return parsed.value;
}

function match(text: string, name: string): Record<string, string> | undefined {
  const variables = matchTemplate(template(text), name);
  return variables && Object.fromEntries(variables);
}

function feedOf(text: string, feed: string, name: string): string {
  const parsed = parseFeed(feed, template(text).variables);
  const variables = matchTemplate(template(text), name);
  if (refused(parsed) || variables === undefined) assert.fail(`${text} and ${feed} for ${name}`);
  return expand(parsed.value, variables);
}

function toRegExp({ parts }: Template): RegExp {
  const source = parts.map((part) => {
    if ('literal' in part) return part.literal.replaceAll(/[.:_-]/g, '[$&]');
    return part.rest ? `(?<${part.variable}>.+)` : `(?<${part.variable}>[^.:]+?)`;
  });
  return new RegExp(`^${source.join('')}$`);
}
