/** An entry of a stream becomes an event, and an event an entry that reads back as the same. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { USUAL_FIELDS } from '../../src/channel/entry-fields.ts';
import { composeEntry, type Reading, readEntry } from '../../src/channel/reading.ts';
import { fieldProblem, type Message } from '../../src/event.ts';

const TEXT: Reading = { format: 'text', encode: 'none', typeOf: undefined, fields: USUAL_FIELDS };
const ENVELOPE: Reading = { ...TEXT, format: 'envelope' };
const OWN: Reading = { ...TEXT, fields: { data: 'body', event: 'kind', id: 'ref', end: 'done' } };

/** What is read from fields that are written as text. */
function read(fields: readonly string[], reading = TEXT) {
  const { message, blemishes } = readEntry(reading, bytes(fields), 'chat:lobby');
  const { data, ...rest } = message;
  return { ...(data !== undefined && { data: data.toString() }), ...rest, ...(blemishes.length > 0 && { blemishes }) };
}

function bytes(fields: readonly (string | Buffer)[]): Buffer[] {
  return fields.map((field) => Buffer.from(field));
}

describe('an entry', () => {
  test('has data, type, id and end in fields of their own', () => {
    assert.deepEqual(read(['data', 'hello']), { data: 'hello' });
    assert.deepEqual(read(['event', 'tick', 'data', '', 'id', 'order-1', 'user', 'x']), {
      data: '',
      type: 'tick',
      id: 'order-1',
    });
    assert.deepEqual(read(['data', 'bye', 'end', 'true']), { data: 'bye', end: true });
  });

  test('has them in the fields that the channel names', () => {
    assert.deepEqual(read(['body', 'a', 'kind', 'b', 'ref', 'c', 'done', '1'], OWN), {
      ...{ data: 'a', type: 'b', id: 'c', end: true },
    });
    assert.deepEqual(read(['data', 'a', 'event', 'b'], OWN), { data: '{"data":"a","event":"b"}' });
  });

  test('passes bytes on as they are', () => {
    const data = Buffer.from([0, 255, 13, 10]);
    assert.deepEqual(readEntry(TEXT, [Buffer.from('data'), data], 's').message.data, data);
  });

  test('without a data field is sent whole, in its order, every value a string', () => {
    assert.deepEqual(read(['user', 'ann', '2', 'b"', '1', 'é\n']), { data: '{"user":"ann","2":"b\\"","1":"é\\n"}' });
    assert.deepEqual(read(['event', 'tick', 'n', '5', 'end', 'false']), {
      data: '{"event":"tick","n":"5","end":"false"}',
      type: 'tick',
    });
    assert.deepEqual(read(['__proto__', 'x']), { data: '{"__proto__":"x"}' });
    assert.deepEqual(read(['event', 'tick']), { data: '{"event":"tick"}', type: 'tick' });
  });

  test('without a data field has U+FFFD for what is no UTF-8', () => {
    const { message } = readEntry(TEXT, [Buffer.from('a'), Buffer.from([255])], 's');
    assert.equal(message.data?.toString(), '{"a":"\uFFFD"}');
  });

  test('takes the last of a repeated field', () => {
    assert.deepEqual(read(['data', 'a', 'data', 'b']), { data: 'b' });
    assert.deepEqual(read(['n', '1', 'm', '2', 'n', '3']), { data: '{"n":"3","m":"2"}' });
  });

  test('ends the channel where its end is true or 1, and nowhere else', () => {
    for (const end of ['true', '1']) assert.deepEqual(read(['data', 'a', 'end', end]), { data: 'a', end: true });
    for (const end of ['', '0', 'false', 'TRUE', ' true', '"true"', '1.0', 'yes'])
      assert.deepEqual(read(['data', 'a', 'end', end]), { data: 'a' });
  });

  test('with nothing but an end carries no data', () => {
    assert.deepEqual(read(['end', 'true']), { end: true });
    assert.deepEqual(read(['end', '1', 'event', 'done', 'id', '7']), { type: 'done', id: '7', end: true });
    assert.deepEqual(read(['end', '1', 'reason', 'x']), { data: '{"end":"1","reason":"x"}', end: true });
  });

  test('leaves out types and ids that do not fit the wire', () => {
    assert.deepEqual(read(['data', 'a', 'event', 'gateway.end', 'id', 'a\nb']), {
      ...{ data: 'a', blemishes: ['type-left-out', 'id-left-out'] },
    });
    assert.deepEqual(read(['data', 'a', 'event', 'x'.repeat(256)]), { data: 'a', blemishes: ['type-left-out'] });
    assert.deepEqual(read(['data', 'a', 'event', '', 'id', '']), { data: 'a' });
  });

  test('may hold an envelope, over which its own fields win', () => {
    const envelope = JSON.stringify({ data: { n: 1 }, event: 'inner', id: 'i' });
    assert.deepEqual(read(['data', envelope], ENVELOPE), { data: '{"n":1}', type: 'inner', id: 'i' });
    assert.deepEqual(read(['data', envelope, 'event', 'outer', 'end', '1'], ENVELOPE), {
      ...{ data: '{"n":1}', type: 'outer', id: 'i', end: true },
    });
    assert.deepEqual(read(['data', 'plain', 'event', 'tick'], ENVELOPE), {
      ...{ data: 'plain', type: 'tick', blemishes: ['not-an-envelope'] },
    });
    assert.deepEqual(read(['data', '{"end":true}'], ENVELOPE), { end: true });
    assert.deepEqual(read(['a', 'b'], ENVELOPE), { data: '{"a":"b"}' });
  });

  test("gets the channel's type and encoding, as every message does", () => {
    const reading: Reading = { ...TEXT, encode: 'base64', typeOf: (from) => `of ${from}` };
    assert.deepEqual(read(['data', 'hello'], reading), { data: 'aGVsbG8=', type: 'of chat:lobby' });
    assert.deepEqual(read(['data', 'a', 'event', 'own'], reading), { data: 'YQ==', type: 'own' });
    assert.equal(readEntry(reading, bytes(['data', 'hello']), 's').data?.length, 5);
  });

  test('of any fields is read, without a blemish that is not its own', () => {
    const field = fc.oneof(fc.constantFrom('data', 'event', 'id', 'end', '1', 'true').map(Buffer.from), anyBytes());
    const entries = fc.array(fc.tuple(field, field), { maxLength: 6 });
    fc.assert(
      fc.property(entries, fc.constantFrom(TEXT, ENVELOPE, OWN), (pairs, reading) => {
        const { message } = readEntry(reading, pairs.flat(), 's');
        assert.ok(message.data !== undefined || message.end === true);
        for (const name of ['type', 'id'] as const) assert.equal(fieldProblem(name, message[name] ?? ''), undefined);
      }),
    );
  });
});

describe('a published event', () => {
  test('becomes an entry that is read as the same event', () => {
    fc.assert(
      fc.property(messages(), fc.constantFrom(TEXT, OWN, ENVELOPE), (message, reading) => {
        const given = reading.format === 'text' ? message : asText(message);
        const { message: back, blemishes } = readEntry(reading, bytes(composeEntry(reading, given)), 's');
        assert.deepEqual(back, given);
        assert.deepEqual(blemishes, []);
      }),
    );
  });

  test('without data is an empty event, and an end alone has no data field', () => {
    assert.deepEqual(composeEntry(TEXT, {}), ['data', Buffer.alloc(0)]);
    assert.deepEqual(composeEntry(TEXT, { end: true }), ['end', 'true']);
    assert.deepEqual(composeEntry(OWN, { data: Buffer.from('x'), type: 't', id: 'i', end: true }), [
      ...['body', Buffer.from('x'), 'kind', 't', 'ref', 'i', 'done', 'true'],
    ]);
  });
});

function anyBytes(): fc.Arbitrary<Buffer> {
  return fc.uint8Array({ maxLength: 12 }).map((array) => Buffer.from(array));
}

/** Events as HTTP lets them in. */
function messages(): fc.Arbitrary<Message> {
  const text = (name: 'type' | 'id') =>
    fc.string({ minLength: 1, unit: 'grapheme' }).filter((value) => fieldProblem(name, value) === undefined);
  const fields = fc.record({ type: text('type'), id: text('id') }, { requiredKeys: [] });
  const withData = fc.record({ data: anyBytes(), end: fc.constant(true) }, { requiredKeys: ['data'] });
  return fc
    .tuple(fields, fc.oneof(withData, fc.constant({ end: true })))
    .map(([some, rest]): Message => ({ ...some, ...rest }));
}

/** An envelope is text. */
function asText(message: Message): Message {
  return message.data === undefined ? message : { ...message, data: Buffer.from(message.data.toString()) };
}
