/** Each mistake is explained so that it can be mended without looking elsewhere. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { GOOD, MISTAKES } from './mistakes.ts';
import { KEPT_MISTAKES } from './mistakes-kept.ts';
import { load, problemsOf } from './support.ts';

describe('a configuration with one mistake', () => {
  test('is accepted without the mistake', async () => {
    assert.equal((await load(GOOD)).channels.all.length, 4);
  });

  for (const { what, edits, said } of [...MISTAKES, ...KEPT_MISTAKES]) {
    test(`is refused with the place and the remedy: ${what}`, async () => {
      assert.deepEqual(await problemsOf(withEdits(edits), { HEARTBEAT: 'a secret' }), said);
    });
  }
});

function withEdits(edits: readonly (readonly [string, string])[]): string {
  let text = GOOD;
  for (const [from, to] of edits) {
    assert.ok(text.includes(from), `${from} is a part of the file`);
    text = text.replace(from, () => to);
  }
  return text;
}
