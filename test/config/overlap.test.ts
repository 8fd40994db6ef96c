/** Templates that can match one name are found, with such a name. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { findOverlaps } from '../../src/config/overlap.ts';
import { refused } from '../../src/config/parsed.ts';
import { matchTemplate, parseTemplate, type Template } from '../../src/config/template.ts';
import { cpuTimeOf } from '../support/cpu-time.ts';
import { namesLike, templates } from './arbitrary.ts';

describe('two templates', () => {
  test('overlap where one name fits both', () => {
    assert.equal(example('chat.{room}', 'chat.{id}'), 'chat.x');
    assert.equal(example('{a}.x', 'y.{b}'), 'y.x');
    assert.equal(example('{path*}', 'chat.{room}'), 'chat.x');
    assert.equal(example('{a}-{b}', '{c}-z'), 'x-z');
    assert.equal(example('logs.{path*}', 'logs.{a}.{b}'), 'logs.x.x');
  });

  test('do not overlap where a fixed part differs', () => {
    for (const [a, b] of [
      ['chat.{room}', 'news.{room}'],
      ['{a}.in', '{a}.out'],
      ['chat.{room}', 'chat.{room}.log'],
      ['{a}', '{a}.{b}'],
      ['{a}.x.{b}', '{a}.y.{b}'],
      ['__a{b}', '{c}'],
      ['__a{b}', '_{c*}'],
      ['aa{b}', 'aa'],
    ] as const) {
      assert.equal(example(a, b), undefined, `${a} and ${b}`);
    }
  });

  test('have an example that both match', () => {
    fc.assert(
      fc.property(templates(), templates(), (a, b) => {
        const name = example(a, b);
        if (name === undefined) return;
        assert.ok(matchTemplate(template(a), name), `${a} matches ${name}`);
        assert.ok(matchTemplate(template(b), name), `${b} matches ${name}`);
      }),
      { numRuns: 3000 },
    );
  });

  test('without an example never match the same name', () => {
    fc.assert(
      fc.property(
        templates().chain((a) => fc.tuple(fc.constant(a), templates(), namesLike(a))),
        ([a, b, name]) => {
          const both = matchTemplate(template(a), name) && matchTemplate(template(b), name);
          if (both !== undefined) assert.notEqual(example(a, b), undefined, `${a} and ${b} both match ${name}`);
        },
      ),
      { numRuns: 10_000 },
    );
  });

  test('overlap only in names that are short enough to be names', () => {
    assert.equal(example(`${'a'.repeat(200)}{x}`, `{y}${'b'.repeat(200)}`), undefined);
  });
});

describe('many templates', () => {
  test('are compared in bounded time, or given up', async () => {
    const hard = Array.from({ length: 200 }, (_, index) => {
      const variables = Array.from({ length: 60 }, (_, variable) => `{v${variable}}-`).join('');
      return template(`{x}-${variables}n${index}.{y*}`);
    });
    const took = await cpuTimeOf(() => assert.equal(findOverlaps(hard).at(-1)?.example, undefined));
    assert.ok(took < 20_000, `${took} ms`);
  });
});

function template(text: string): Template {
  const parsed = parseTemplate(text);
  if (refused(parsed)) assert.fail(`${text}: ${parsed.problem}`);
  return parsed.value;
}

function example(a: string, b: string): string | undefined {
  return findOverlaps([template(a), template(b)])[0]?.example;
}
