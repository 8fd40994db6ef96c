/** Events on the wire: whatever a publisher sends, a parser by the standard reads exactly what the standard says. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createParser } from 'eventsource-parser';
import fc from 'fast-check';
import {
  dataOf,
  encodeEvent,
  encodeNotice,
  encodeRetry,
  HEARTBEAT,
  measure,
  type WireEvent,
  withId,
  writeEvent,
} from '../../src/sse/encode.ts';
import { unframe } from '../../src/sse/framing.ts';
import { cursorTexts, eventTypes, payloads } from '../support/arbitrary.ts';

/** What a client was given: events as `[type, data, id]`, and all else. */
interface Read {
  readonly events: (readonly [type: string, data: string, id: string | undefined])[];
  readonly retries: number[];
  readonly comments: string[];
  readonly errors: unknown[];
}

/** Reads frames with a parser that is not ours, in pieces of `size` bytes. */
function read(frames: Buffer, size = frames.length): Read {
  const found: Read = { events: [], retries: [], comments: [], errors: [] };
  const parser = createParser({
    onEvent: ({ event, data, id }) => found.events.push([event ?? 'message', data, id]),
    onRetry: (ms) => found.retries.push(ms),
    onComment: (comment) => found.comments.push(comment),
    onError: (error) => found.errors.push(error),
  });
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  const bytes = unframe(frames);
  for (let at = 0; at < bytes.length; at += size) {
    parser.feed(decoder.decode(bytes.subarray(at, at + size), { stream: true }));
  }
  return found;
}

/** What the standards make of bytes: U+FFFD for what is no UTF-8, one line end for each of CR, LF and CRLF. */
function asRead(data: Buffer): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(data).replace(/\r\n?/g, '\n');
}

const events: fc.Arbitrary<WireEvent> = fc.record({
  type: fc.option(eventTypes(), { nil: undefined }),
  data: payloads(),
  id: fc.option(cursorTexts(), { nil: undefined }),
});

describe('an event', () => {
  test('is read by a parser as the standard says, whatever is in it and however it is cut', () => {
    fc.assert(
      fc.property(events, fc.integer({ min: 1, max: 50 }), (event, size) => {
        const { events: found, errors, comments } = read(encodeEvent(event), size);
        const type = event.type === undefined || event.type === '' ? 'message' : event.type;
        assert.deepEqual(found, [[type, asRead(event.data), event.id]]);
        assert.deepEqual([errors, comments], [[], []]);
      }),
      { numRuns: 500 },
    );
  });

  test('does not touch the events before and after it', () => {
    fc.assert(
      fc.property(fc.array(events, { maxLength: 6 }), (several) => {
        const alone = several.flatMap((event) => read(encodeEvent(event)).events);
        assert.deepEqual(read(Buffer.concat(several.map(encodeEvent))).events, alone);
      }),
    );
  });

  test('has its fields in the order event, data, id: nobody takes the id of one that is half received', () => {
    const text = unframe(encodeEvent({ type: 'tick', data: Buffer.from('a\r\nb\rc\n'), id: 'k3-1' })).toString();
    assert.equal(text, 'event: tick\ndata: a\ndata: b\ndata: c\ndata: \nid: k3-1\n\n');
  });

  test('of the type message leaves the type out, and one without data is still dispatched', () => {
    const text = unframe(encodeEvent({ type: 'message', data: Buffer.alloc(0) })).toString();
    assert.equal(text, 'data: \n\n');
    assert.deepEqual(read(encodeEvent({ data: Buffer.alloc(0) })).events, [['message', '', undefined]]);
  });

  test('keeps what only looks like a line end, and every byte of valid text', () => {
    const data = '\uFEFF\u2028\u2029\u0085\u0000\v\f \u{1F600}';
    assert.deepEqual(read(encodeEvent({ data: Buffer.from(data) })).events, [['message', data, undefined]]);
    assert.ok(unframe(encodeEvent({ data: Buffer.from(data) })).includes(Buffer.from(data)));
  });

  test('of 1 MiB is whole, also where every byte of it ends a line', () => {
    for (const byte of ['x', '\n', '\r', '\xff']) {
      const data = Buffer.alloc(2 ** 20, byte, 'latin1');
      assert.equal(read(encodeEvent({ data })).events[0]?.[1], asRead(data));
    }
  });
});

describe('the measure of an event', () => {
  test('is what is written, no byte before and none behind', () => {
    fc.assert(
      fc.property(events, fc.nat(64), (event, offset) => {
        const measured = measure(event);
        const buffer = Buffer.alloc(offset + measured.size + 8, 0xaa);
        assert.equal(writeEvent(measured, buffer, offset), offset + measured.size);
        assert.deepEqual(buffer.subarray(offset, offset + measured.size), encodeEvent(event));
        assert.equal(unframe(encodeEvent(event)).length, measured.payloadSize);
        const around = Buffer.concat([buffer.subarray(0, offset), buffer.subarray(offset + measured.size)]);
        assert.ok(around.every((byte) => byte === 0xaa));
      }),
    );
  });
});

describe('another id', () => {
  test('replaces the id and nothing else, whatever the data looks like', () => {
    fc.assert(
      fc.property(
        payloads(),
        fc.option(eventTypes(), { nil: undefined }),
        cursorTexts(),
        cursorTexts(),
        (data, type, first, second) => {
          const changed = withId(encodeEvent({ type, data, id: first }), second);
          assert.deepEqual(changed, encodeEvent({ type, data, id: second }));
        },
      ),
    );
    const data = Buffer.from('a\nid: 7\n\nid: 8');
    assert.deepEqual(withId(encodeEvent({ data, id: 'k3-1' }), 'k3-2'), encodeEvent({ data, id: 'k3-2' }));
  });
});

describe('the data of an encoded event', () => {
  test('is what a client reads', () => {
    fc.assert(fc.property(events, (event) => assert.equal(dataOf(encodeEvent(event)), asRead(event.data))));
  });
});

describe("the gateway's own bytes", () => {
  test('a heartbeat is a comment in one line: no event, and no blank line', () => {
    assert.equal(unframe(HEARTBEAT).toString(), ':\n');
    assert.deepEqual(read(HEARTBEAT), { events: [], retries: [], comments: [''], errors: [] });
  });

  test('a heartbeat between events changes none of them', () => {
    const event = encodeEvent({ data: Buffer.from('x'), id: 'k3-1' });
    const found = read(Buffer.concat([HEARTBEAT, event, HEARTBEAT, event, HEARTBEAT]));
    assert.deepEqual(found.events, read(Buffer.concat([event, event])).events);
  });

  test('a retry is a whole number of milliseconds and no event', () => {
    assert.deepEqual(read(encodeRetry(1999.6)), { events: [], retries: [2000], comments: [''], errors: [] });
  });

  test('a notice is an event with JSON as its data', () => {
    const data = { channel: 'a"b', lost: null, after: '\u2028\r\n' };
    const [[type, text, id] = []] = read(encodeNotice('gateway.gap', data, 'k3-1')).events;
    assert.deepEqual([type, JSON.parse(text ?? ''), id], ['gateway.gap', data, 'k3-1']);
    assert.equal(read(encodeNotice('gateway.gap', data)).events[0]?.[2], undefined);
  });
});
