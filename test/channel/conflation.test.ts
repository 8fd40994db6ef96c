/** Which events of a conflated channel replace each other. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type Conflation, conflationKey, SHARED_KEY } from '../../src/channel/conflation.ts';

const BY_SYMBOL: Conflation = { key: 'symbol' };

describe('events of a conflated channel', () => {
  test('all replace each other where no key is given', () => {
    for (const data of ['1', '{"symbol":"A"}', '{"symbol":"B"}', '']) {
      assert.equal(conflationKey(true, Buffer.from(data)), SHARED_KEY);
    }
  });

  test('replace each other by the value of their member', () => {
    assert.equal(keyOf('{"symbol":"A","price":1}'), keyOf('{ "price": 2, "symbol" : "A" }'));
    assert.notEqual(keyOf('{"symbol":"A"}'), keyOf('{"symbol":"B"}'));
  });

  test('are told apart by anything that JSON can say, as it is written', () => {
    const values = ['1', '1.0', '1e0', '"1"', 'null', '"null"', 'true', '"true"', '""', '"#"', '[1]', '[ 1]', '{}'];
    const large = ['9007199254740992', '9007199254740993'];
    const keys = [...values, ...large].map((value) => keyOf(`{"symbol":${value}}`));
    assert.equal(new Set([...keys, SHARED_KEY]).size, values.length + large.length + 1);
  });

  test('have the same key where one string is only escaped in another way', () => {
    assert.equal(keyOf('{"symbol":"\\u00e9\\/\\n"}'), keyOf('{"\\u0073ymbol":"é/\\u000A"}'));
    assert.notEqual(keyOf('{"symbol":"\\ud800"}'), keyOf('{"symbol":"\\ud801"}'));
  });

  test('share one key where they have none of their own', () => {
    const without = [
      '',
      '42',
      '"symbol"',
      '["symbol"]',
      '{"Symbol":"A"}',
      'null',
      '{"symbol":"A"',
      '\ufeff{"symbol":"A"}',
    ];
    const broken = ['{"symbol":A}', '{"symbol":"A","price":01}', '{"symbol":"A"}}', '{"data":{"symbol":"A"}}'];
    for (const data of [...without, ...broken]) assert.equal(keyOf(data), SHARED_KEY, data);
    assert.equal(conflationKey(BY_SYMBOL, undefined), SHARED_KEY);
    assert.equal(conflationKey(BY_SYMBOL, Buffer.from([0x7b, 0xff])), SHARED_KEY);
  });

  test('take the last of a repeated member, as every parser does', () => {
    assert.equal(keyOf('{"symbol":"A","symbol":"B"}'), keyOf('{"symbol":"B"}'));
  });

  test('are found by a member of a member, unless a member has the whole name', () => {
    assert.equal(keyOf('{"quote":{"of":{"symbol":"A"}}}', 'quote.of.symbol'), keyOf('{"symbol":"A"}'));
    assert.equal(keyOf('{"quote":{"of.symbol":"A"}}', 'quote.of.symbol'), keyOf('{"symbol":"A"}'));
    assert.equal(keyOf('{"quote.symbol":"A","quote":{"symbol":"B"}}', 'quote.symbol'), keyOf('{"symbol":"A"}'));
    for (const data of ['{"quote":"symbol"}', '{"quote":["symbol"]}', '{"symbol":"A"}', '{"quote":{}}']) {
      assert.equal(keyOf(data, 'quote.symbol'), SHARED_KEY, data);
    }
  });

  test('have keys of a bounded length, still told apart', () => {
    const long = ['a', 'b'].map((last) => keyOf(JSON.stringify({ symbol: 'x'.repeat(100_000) + last })));
    for (const key of long) assert.ok(key.length < 100);
    assert.notEqual(long[0], long[1]);
  });

  test('keep their keys in objects of many members, up to a limit', () => {
    const wide = (count: number) =>
      JSON.stringify({
        symbol: 'A',
        ...Object.fromEntries(Array.from({ length: count - 1 }, (_, at) => [`m${at}`, at])),
      });
    assert.equal(keyOf(wide(1024)), keyOf('{"symbol":"A"}'));
    assert.equal(keyOf(wide(1025)), SHARED_KEY);
  });

  test('have the same key exactly where the member says the same', () => {
    const value = fc.oneof(fc.string({ unit: 'binary', maxLength: 3 }), fc.integer(), fc.boolean(), fc.constant(null));
    const rest = fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 5 });
    fc.assert(
      fc.property(value, value, rest, rest, fc.constantFrom(0, 2), (one, other, before, after, space) => {
        const first = keyOf(JSON.stringify({ symbol: one, ...omitSymbol(after) }));
        const second = keyOf(JSON.stringify({ ...omitSymbol(before), symbol: other }, null, space));
        assert.equal(first === second, Object.is(one, other) || (one === 0 && other === 0));
      }),
    );
  });

  test('have a key whatever was published, and never an error', () => {
    const data = fc.oneof(
      fc.uint8Array().map((bytes) => Buffer.from(bytes)),
      fc.string({ unit: fc.constantFrom(...'{}[]",:\\1 .', 'symbol', '"symbol":') }).map((text) => Buffer.from(text)),
      fc.json().map((text) => Buffer.from(text)),
    );
    fc.assert(
      fc.property(data, fc.constantFrom('symbol', 'a.b', '.', ''), (bytes, key) => {
        const found = conflationKey({ key }, bytes);
        assert.equal(found, conflationKey({ key }, Buffer.from(bytes)));
      }),
      { numRuns: 1000 },
    );
  });
});

function keyOf(data: string, key = 'symbol'): string {
  return conflationKey({ key }, Buffer.from(data));
}

function omitSymbol(members: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(members).filter(([name]) => name !== 'symbol'));
}
