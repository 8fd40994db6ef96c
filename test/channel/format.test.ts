/** Formats: what a payload means, and that nothing a publisher sends is ever dropped or breaks the wire. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type Blemish, compose, decode } from '../../src/channel/format.ts';
import { fieldProblem } from '../../src/event.ts';
import { eventTypes, payloads } from '../support/arbitrary.ts';

/** A message with its data as text, so that it can be compared. */
function read(payload: string): {
  data?: string;
  type?: string;
  id?: string;
  end?: boolean;
  blemishes: readonly Blemish[];
} {
  const { message, blemishes } = decode('envelope', Buffer.from(payload));
  const { data, ...rest } = message;
  return { ...(data !== undefined && { data: data.toString() }), ...rest, blemishes };
}

describe('text', () => {
  test('is the data, to the byte', () => {
    fc.assert(
      fc.property(payloads(), (data) => {
        assert.deepEqual(decode('text', data), { message: { data }, blemishes: [] });
        assert.deepEqual(compose('text', { data }), data);
      }),
    );
  });
});

describe('an envelope', () => {
  const TABLE: readonly (readonly [payload: string, meaning: Partial<ReturnType<typeof read>>])[] = [
    ['{"data":"plain"}', { data: 'plain' }],
    ['{"data":""}', { data: '' }],
    ['{"data":"a\\nb"}', { data: 'a\nb' }],
    ['{"data":{"b": 1,  "a":[ ]}}', { data: '{"b": 1,  "a":[ ]}' }],
    ['{"data":9007199254740993}', { data: '9007199254740993' }],
    ['{"data":null}', { data: 'null' }],
    ['{"data":false}', { data: 'false' }],
    ['{"data":"x","event":"tick","id":"7"}', { data: 'x', type: 'tick', id: '7' }],
    ['{"data":"x","type":"greeting","id":42,"retry":3000}', { data: 'x', type: 'greeting', id: '42' }],
    ['{"data":"x","event":"a","type":"b"}', { data: 'x', type: 'a' }],
    ['{"data":"x","event":null,"id":null}', { data: 'x' }],
    ['{"data":"x","event":"","id":""}', { data: 'x' }],
    ['{"data":"x","id":0}', { data: 'x', id: '0' }],
    ['{"data":"x","end":true}', { data: 'x', end: true }],
    ['{"data":"x","end":1}', { data: 'x', end: true }],
    ['{"data":"x","end":"1"}', { data: 'x', end: true }],
    ['{"data":"x","end":"true"}', { data: 'x', end: true }],
    ['{"data":"x","end":false}', { data: 'x' }],
    ['{"data":"x","end":0}', { data: 'x' }],
    ['{"data":"x","end":"yes"}', { data: 'x' }],
    ['{"end":true}', { end: true }],
    [' {"data" : "x"} \n', { data: 'x' }],
  ];

  test('has data, event or type, id and end; a string is the data itself, anything else its own text', () => {
    for (const [payload, meaning] of TABLE) assert.deepEqual(read(payload), { ...meaning, blemishes: [] }, payload);
  });

  test('that is none is itself the data, which is counted', () => {
    for (const payload of [
      '',
      'plain',
      '42',
      '"data"',
      '[{"data":1}]',
      '{"data":',
      '{}',
      '{"event":"a"}',
      '{"end":false}',
      '\uFEFF{"data":1}',
    ]) {
      assert.deepEqual(read(payload), { data: payload, blemishes: ['not-an-envelope'] }, payload);
    }
    const bytes = Buffer.from([0xff, 0x7b]);
    assert.deepEqual(decode('envelope', bytes).message.data, bytes);
  });

  test('leaves a type or id out that the wire cannot carry, which is counted, and keeps the rest', () => {
    const table = [
      ['{"data":"x","event":"a\\nb"}', ['type-left-out']],
      ['{"data":"x","event":"gateway.open"}', ['type-left-out']],
      ['{"data":"x","event":{}}', ['type-left-out']],
      ['{"data":"x","event":true}', ['type-left-out']],
      [`{"data":"x","event":"${'x'.repeat(256)}"}`, ['type-left-out']],
      ['{"data":"x","id":"a\\u0000"}', ['id-left-out']],
      ['{"data":"x","id":[1]}', ['id-left-out']],
      ['{"data":"x","event":"\\r","id":"\\r"}', ['type-left-out', 'id-left-out']],
    ] as const;
    for (const [payload, blemishes] of table) assert.deepEqual(read(payload), { data: 'x', blemishes }, payload);
  });

  test('comes back from what it was composed to', () => {
    const field = eventTypes().filter((text) => text !== '' && fieldProblem('type', text) === undefined);
    const message = fc.record(
      {
        data: fc.string({ unit: 'binary' }).map((text) => Buffer.from(text)),
        type: field,
        id: field,
        end: fc.constant(true),
      },
      { requiredKeys: ['data'], noNullPrototype: true },
    );
    fc.assert(
      fc.property(message, (given) => {
        assert.deepEqual(decode('envelope', compose('envelope', given)), { message: given, blemishes: [] });
      }),
    );
  });

  test('of any bytes is a message that the wire can carry', () => {
    const near = fc
      .tuple(fc.constantFrom('data', 'event', 'type', 'id', 'end'), fc.json(), fc.json())
      .map(([name, json, data]) => Buffer.from(`{"data":${data},"${name}":${json}}`));
    fc.assert(
      fc.property(fc.oneof(payloads(), near), (payload) => {
        const { data, type, id, end } = decode('envelope', payload).message;
        assert.ok(data !== undefined || end === true);
        for (const [name, value] of [
          ['type', type],
          ['id', id],
        ] as const) {
          if (value !== undefined) assert.equal(fieldProblem(name, value), undefined);
        }
      }),
    );
  });
});
