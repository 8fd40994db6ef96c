/** The line on a terminal that says how far a command is. */
import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { describe, test } from 'node:test';
import { Progress } from '../../src/cli/progress.ts';

describe('progress', () => {
  test('changes one line on a terminal, not more often than can be read', () => {
    const { stream, written } = output(true);
    let now = 0;
    const progress = new Progress(stream, () => now);
    for (; now <= 1000; now += 1) progress.show(`${now}`);
    assert.equal(written(), ['0', '200', '400', '600', '800', '1000'].map((text) => `\r\x1b[K${text}`).join(''));
    progress.clear();
    progress.clear();
    assert.equal(written(), '\r\x1b[K');
  });

  test('is not written anywhere else', () => {
    const { stream, written } = output(false);
    const progress = new Progress(stream, () => 0);
    progress.show('x');
    progress.clear();
    assert.equal(written(), '');
  });
});

function output(isTTY: boolean) {
  const stream = Object.assign(new PassThrough(), { isTTY });
  return { stream, written: () => String(stream.read() ?? '') };
}
