/** Members of a JSON object and elements of an array as they were written, whatever the layout. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { jsonElements, jsonMembers } from '../../src/channel/json-members.ts';

/** JSON texts of a value, laid out in some way. */
const laidOut = (value: fc.Arbitrary<unknown>): fc.Arbitrary<string> =>
  fc
    .tuple(value, fc.constantFrom(undefined, 1, '\t', ' \r\n'))
    .map(([given, space]) => ` ${JSON.stringify(given, null, space)}\n`);

/** Texts that are JSON, nearly JSON, or nothing of the kind. */
const texts = fc.oneof(
  fc.json(),
  fc.string({ unit: fc.constantFrom(...'{}[]",:\\1 \n', 'true', 'a', '\u00e9') }),
  fc.tuple(fc.json(), fc.nat(40)).map(([json, length]) => json.slice(0, length)),
);

describe('the members of an object', () => {
  test('are those that JSON.parse finds, each in the very text that was sent', () => {
    fc.assert(
      fc.property(laidOut(fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue())), (text) => {
        const parsed: Record<string, unknown> = JSON.parse(text);
        const members = jsonMembers(text);
        assert.ok(members !== undefined);
        assert.deepEqual([...members.keys()].sort(), Object.keys(parsed).sort());
        for (const [name, json] of members) {
          assert.deepEqual(JSON.parse(json), parsed[name]);
          assert.ok(text.includes(json));
          assert.equal(json, json.trim());
        }
      }),
    );
  });

  test('keep numbers that no number can hold, spaces and escapes', () => {
    const text = '{"a": 9007199254740993 , "b":[ 1,\t2 ], "c" : "\\u00e9\\/", "d":1.0e+2,"e":{"f" :null}}';
    assert.deepEqual(Object.fromEntries(jsonMembers(text) ?? []), {
      a: '9007199254740993',
      b: '[ 1,\t2 ]',
      c: '"\\u00e9\\/"',
      d: '1.0e+2',
      e: '{"f" :null}',
    });
  });

  test('are told once for a name that is repeated, by its last value, also where it is escaped', () => {
    assert.deepEqual(
      [...(jsonMembers('{"a":1,"\\u0061":2,"__proto__":3}') ?? [])],
      [
        ['a', '2'],
        ['__proto__', '3'],
      ],
    );
  });

  test('are none where the text is no object, and never an error', () => {
    fc.assert(
      fc.property(texts, (text) => {
        const members = jsonMembers(text);
        const value = parsedOrNothing(text);
        const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
        assert.equal(members !== undefined, isObject, text);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('the elements of an array', () => {
  test('are those that JSON.parse finds, each in the very text that was sent', () => {
    fc.assert(
      fc.property(laidOut(fc.array(fc.jsonValue())), (text) => {
        const parsed: unknown[] = JSON.parse(text);
        const elements = jsonElements(text, 100);
        assert.deepEqual(
          elements?.map((json) => JSON.parse(json)),
          parsed,
        );
      }),
    );
  });

  test('are no more than one beyond the most, however many there are', () => {
    assert.equal(jsonElements(JSON.stringify(Array(50).fill(0)), 50)?.length, 50);
    assert.equal(jsonElements(JSON.stringify(Array(51).fill(0)), 50)?.length, 51);
    assert.equal(jsonElements(JSON.stringify(Array(5000).fill(0)), 50)?.length, 51);
  });

  test('of a text that is no array are none, or one of them is no JSON; never an error', () => {
    fc.assert(
      fc.property(texts, (text) => {
        const elements = jsonElements(text, 1000);
        const value = parsedOrNothing(text);
        if (Array.isArray(value)) assert.equal(elements?.length, value.length);
        else assert.ok(elements === undefined || elements.some((json) => parsedOrNothing(json) === undefined), text);
      }),
      { numRuns: 2000 },
    );
  });
});

function parsedOrNothing(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // no JSON value is undefined
  }
}
