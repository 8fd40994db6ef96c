/** How an event looks: on a terminal, in a pipe, as JSON. */
import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { describe, test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import { eventFormat } from '../../src/cli/tail-format.ts';
import { jsonText, printable } from '../../src/cli/terminal.ts';

const terminal = Object.assign(new PassThrough(), { isTTY: true });
const pipe = new PassThrough();
const NOON = new Date(2026, 0, 2, 12, 0, 0, 7).getTime();

describe('an event', () => {
  test('stands on a terminal with time and type, its further lines below the first', () => {
    const text = eventFormat({ json: false, named: false, stream: terminal })(event('a\nb'), NOON);
    assert.equal(stripVTControlCharacters(text), '12:00:00.007  tick  a\n                    b\n');
  });

  test('says on a terminal on which of several channels it came', () => {
    const text = eventFormat({ json: false, named: true, stream: terminal })(event('a\nb'), NOON);
    assert.equal(stripVTControlCharacters(text), '12:00:00.007  news  tick  a\n                          b\n');
  });

  test('cannot steer the terminal', () => {
    const format = eventFormat({ json: false, named: true, stream: terminal });
    const text = stripVTControlCharacters(
      format({ ...event('\x1b[2Jx\u202e\r'), channel: 'n\x1bs', type: 'a\x07b' }, NOON),
    );
    assert.equal(text, '12:00:00.007  n\\x1bs  a\\x07b  \\x1b[2Jx\\u202e\\x0d\n');
  });

  test('goes into a pipe as it is', () => {
    const format = eventFormat({ json: false, named: false, stream: pipe });
    assert.equal(format(event('\x1b a\n\n'), NOON), '\x1b a\n\n\n');
  });

  test('goes into a pipe behind its channel, line by line, where there are several', () => {
    const format = eventFormat({ json: false, named: true, stream: pipe });
    assert.equal(format(event('a\n\nb'), NOON), 'news\ta\nnews\t\nnews\tb\n');
    assert.equal(format({ ...event('{}'), channel: undefined }, NOON), '-\t{}\n');
  });

  test('is one line of JSON whatever is in it', () => {
    for (const named of [true, false]) {
      const format = eventFormat({ json: true, named, stream: terminal });
      fc.assert(
        fc.property(fc.string({ unit: 'binary' }), (data) => {
          const line = format(event(data), NOON);
          assert.equal(line.indexOf('\n'), line.length - 1);
          assert.deepEqual(JSON.parse(line), {
            channel: 'news',
            event: 'tick',
            id: null,
            data,
            time: new Date(NOON).toISOString(),
          });
        }),
      );
    }
  });
});

describe('text for a terminal', () => {
  const steering = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u202a-\u202e\u2066-\u2069]/;

  test('has no control character in it but line ends and tabs', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        assert.doesNotMatch(printable(text), steering);
      }),
    );
    assert.equal(printable('grün 🎈\tx\n'), 'grün 🎈\tx\n');
  });

  test('has none as JSON either, and means the same', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        assert.doesNotMatch(jsonText({ text }), steering);
        assert.deepEqual(JSON.parse(jsonText({ text })), { text });
      }),
    );
    assert.equal(jsonText('\x9b\u202e'), '"\\u009b\\u202e"');
  });
});

function event(data: string) {
  return { channel: 'news', type: 'tick', data, lastEventId: '' };
}
