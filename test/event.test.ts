/** What may stand in the fields of an event beside its data. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { fieldProblem } from '../src/event.ts';

describe('a type or id', () => {
  test('is fine where the wire can carry it', () => {
    for (const value of ['tick', 'a b', 'gr\u00fcn', '\u2028', '\t', 'gatewayopen', 'Gateway.open', 'x'.repeat(255)]) {
      assert.equal(fieldProblem('type', value), undefined, value);
      assert.equal(fieldProblem('id', value), undefined, value);
    }
  });

  test('with a line end or NUL in it is refused with a sentence that names the field', () => {
    for (const value of ['\n', '\r', '\0', 'a\r\ndata: b', 'a\n\nevent: b']) {
      assert.match(fieldProblem('type', value) ?? '', /^the event type .*line end/);
      assert.match(fieldProblem('id', value) ?? '', /^the event id .*line end/);
    }
  });

  test('is bounded by its bytes, not its characters', () => {
    assert.equal(fieldProblem('type', '\u00fc'.repeat(127)), undefined);
    assert.match(fieldProblem('type', '\u00fc'.repeat(128)) ?? '', /longer than 255 bytes/);
    assert.match(fieldProblem('id', 'x'.repeat(256)) ?? '', /longer than 255 bytes/);
  });

  test("of the gateway's own is refused as a type and allowed as an id", () => {
    for (const value of ['gateway.open', 'gateway.', 'gateway.anything']) {
      assert.match(fieldProblem('type', value) ?? '', /gateway's own/);
      assert.equal(fieldProblem('id', value), undefined);
    }
  });

  test('that is fine never has what could end its line', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (value) => {
        if (fieldProblem('type', value) === undefined) assert.doesNotMatch(value, /[\r\n\0]|^gateway\./);
      }),
    );
  });
});
