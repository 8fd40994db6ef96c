/** A pattern of `allow` can match a channel exactly where some name fits both. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { reachOf } from '../../src/config/reach.ts';
import { matchTemplate, parseTemplate } from '../../src/config/template.ts';
import { cpuTimeOf } from '../support/cpu-time.ts';
import { namesLike, templates } from './arbitrary.ts';

describe('a pattern of allow', () => {
  test('matches exact names and what templates give', () => {
    const { matches } = reachOf(['prices', 'chat.{room}', 'logs.{path*}']);
    for (const pattern of [
      '*',
      'prices',
      'p*',
      '*s',
      'p*r*s',
      'prices*',
      'chat.*',
      'chat.a',
      '*.a',
      'logs.a.b',
      'c*t.x*y',
    ])
      assert.ok(matches(pattern), pattern);
    for (const pattern of ['price', 'pricesx', 'chat.', 'chat', 'chat.a.b', 'x*', 'chat.*.*'])
      assert.ok(!matches(pattern), pattern);
  });

  test('is never said to match nothing where a name fits', () => {
    const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '.', ':', '-', '_', '*', '*'), maxLength: 8 });
    fc.assert(
      fc.property(
        templates().chain((template) => fc.tuple(fc.constant(template), namesLike(template))),
        pattern,
        ([template, name], text) => {
          const parsed = parseTemplate(template).value;
          if (parsed === undefined || matchTemplate(parsed, name) === undefined || !fits(text, name)) return;
          assert.ok(reachOf([template]).matches(text), `${text} and ${template} both match ${name}`);
        },
      ),
      { numRuns: 20_000 },
    );
  });

  test('is taken to match where there is too much to compare', async () => {
    const names = Array.from({ length: 2000 }, (_, index) => `${'a'.repeat(100)}${index}`);
    const { matches } = reachOf(names);
    const took = await cpuTimeOf(() => {
      for (let index = 0; index < 2000; index += 1) matches(`*${'a'.repeat(50)}*b${index}`);
    });
    assert.ok(took < 10_000, `${took} ms`);
    assert.ok(matches('nothing'));
  });
});

/** The same by a regular expression. */
function fits(pattern: string, name: string): boolean {
  const source = pattern.replaceAll(/[.:_-]/g, '[$&]').replaceAll('*', '.*');
  return new RegExp(`^${source}$`).test(name);
}
