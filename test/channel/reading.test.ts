/** How a channel reads: its default type where none is brought, and data that must be exact. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type Reading, readPayload } from '../../src/channel/reading.ts';
import { payloads } from '../support/arbitrary.ts';

const reading = (more: Partial<Reading>): Reading => ({ format: 'text', encode: 'none', typeOf: undefined, ...more });

describe('data', () => {
  test('in base64 is exact, and so is text as a JSON string', () => {
    fc.assert(
      fc.property(payloads(), (payload) => {
        const inBase64 = readPayload(reading({ encode: 'base64' }), payload, 'a').message.data;
        assert.deepEqual(Buffer.from(String(inBase64), 'base64'), payload);
        const asJson = readPayload(reading({ encode: 'json' }), payload, 'a').message.data;
        assert.equal(JSON.parse(String(asJson)), payload.toString());
        for (const encoded of [inBase64, asJson]) assert.doesNotMatch(String(encoded), /[\r\n]/);
      }),
    );
  });

  test('of an envelope is encoded, not the envelope; what it was before is told', () => {
    const payload = Buffer.from('{"data":"a\\nb","event":"tick"}');
    const { message, data } = readPayload(reading({ format: 'envelope', encode: 'json' }), payload, 'a');
    assert.deepEqual([message.data?.toString(), message.type, data?.toString()], ['"a\\nb"', 'tick', 'a\nb']);
  });

  test('that is not there is not made up', () => {
    const { message, data } = readPayload(
      reading({ format: 'envelope', encode: 'base64' }),
      Buffer.from('{"end":1}'),
      'a',
    );
    assert.deepEqual([message, data], [{ end: true }, undefined]);
  });
});

describe('the type of a message', () => {
  const typed = (typeOf: (from: string) => string, payload: string, from = 'sensor:1') =>
    readPayload(reading({ format: 'envelope', typeOf }), Buffer.from(payload), from).message.type;

  test('is its own, or else made from the name that it was published under', () => {
    assert.equal(
      typed((from) => from, '{"data":1,"event":"own"}'),
      'own',
    );
    assert.equal(
      typed((from) => `t-${from}`, '{"data":1}'),
      't-sensor:1',
    );
  });

  test('is left out where what is made from the name cannot be one', () => {
    for (const from of ['', 'a\nb', 'gateway.open', 'x'.repeat(256)])
      assert.equal(
        typed((name) => name, '1', from),
        undefined,
      );
  });
});
