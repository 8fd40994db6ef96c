/** The tests' own judges of framing: what they let pass and what they must not. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ResponseReader } from './http-reader.ts';
import { NumberedReader, numberedPayload } from './numbered-reader.ts';
import { type ReceivedEvent, SseReader } from './sse-reader.ts';

const OPEN = 'event: gateway.open\ndata: {}\nid: e-1\n\n';

describe('the reader of event streams', () => {
  test('takes what the gateway may write, in pieces of any size', () => {
    const text = `retry: 2000\n:\nevent: gateway.gap\ndata: {}\n\n${OPEN}:\ndata: ü\ndata\nid: e-2\n\n:\n`;
    for (const size of [1, 2, 3, 7, 1_000]) {
      const { events, comments } = read(text, size);
      assert.deepEqual(events.at(-1), { type: 'message', data: 'ü\n', id: 'e-2' });
      assert.deepEqual([events.length, comments], [3, 3]);
    }
  });

  test('refuses everything that is not promised', () => {
    const broken = {
      'no id': 'data: x\n\n',
      'an empty id': 'data: x\nid:\n\n',
      'an id of other characters': 'data: x\nid: a b\n\n',
      'a gap without an id after gateway.open': `${OPEN}event: gateway.gap\ndata: {}\n\n`,
      'the id before the data': 'id: e-1\ndata: x\n\n',
      'the type after the data': 'data: x\nevent: y\nid: e-1\n\n',
      'no data': 'event: x\nid: e-1\n\n',
      'a heartbeat inside an event': 'data: x\n:\nid: e-1\n\n',
      'a comment that says something': ': hello\n',
      'a blank line by itself': `${OPEN}\n`,
      CR: 'data: x\r\nid: e-1\r\n\r\n',
      'another field': 'foo: bar\n',
      'a retry that is no number': 'retry: soon\n',
    };
    for (const [what, text] of Object.entries(broken)) assert.throws(() => read(text, 1_000), Error, what);
    assert.throws(() => new SseReader(silent).push(Buffer.from([0x64, 0xff, 0x0a])), Error, 'no UTF-8');
  });

  test('knows where a chunk may end', () => {
    const reader = new SseReader(silent);
    for (const [text, atBoundary] of [
      ['retry: 1\n:\n', true],
      ['data: x', false],
      ['\n', false],
      ['id: e-1\n', false],
      ['\n', true],
    ] as const) {
      reader.push(Buffer.from(text));
      assert.equal(reader.atBoundary, atBoundary, JSON.stringify(text));
    }
  });
});

describe('the reader of responses', () => {
  test('tells a response that is complete from one that was cut', () => {
    const chunked = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n';
    for (let length = 1; length <= chunked.length; length += 1) {
      assert.equal(respond(chunked.slice(0, length)).whole, length === chunked.length, `${length}`);
    }
    const plain = respond('HTTP/1.1 200 OK\r\n\r\nuntil the end');
    assert.deepEqual(plain, { body: 'until the end', ends: 1, whole: true });
  });

  test('refuses what is no chunk', () => {
    const head = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';
    for (const body of ['x\r\n', '3;a=b\r\nabc\r\n', '3\r\nabcd\r\n', '-1\r\n']) {
      assert.throws(() => respond(head + body), Error, JSON.stringify(body));
    }
  });
});

describe('the reader of numbered events', () => {
  const head = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';
  const greeting = chunk('retry: 1\n:\n') + chunk(OPEN);

  test('counts what is in order, in pieces of any size and chunks of one event or more', () => {
    const events = chunk(numbered(0)) + chunk(':\n') + chunk(numbered(1) + numbered(2));
    for (const size of [1, 5, 64, 10_000]) {
      const reader = numberedIn(head + greeting + events, size);
      assert.deepEqual([reader.next, reader.opened, reader.oddities], [3, true, []]);
    }
  });

  test('notes what is missing, doubled, or something else', () => {
    for (const odd of [numbered(1), numbered(0) + numbered(0), 'event: gateway.gap\ndata: {}\nid: e-9\n\n']) {
      assert.equal(numberedIn(head + greeting + chunk(odd), 10_000).oddities.length, 1, odd);
    }
    assert.equal(numberedIn('HTTP/1.1 503 Busy\r\n\r\n', 10_000).oddities.length, 1);
  });
});

const silent = { event: () => undefined, comment: () => undefined, retry: () => undefined };

function read(text: string, size: number) {
  const events: ReceivedEvent[] = [];
  let comments = 0;
  const reader = new SseReader({
    ...silent,
    event: (event) => void events.push(event),
    comment: () => {
      comments += 1;
    },
  });
  for (const piece of pieces(text, size)) reader.push(piece);
  return { events, comments };
}

function respond(text: string) {
  let body = '';
  let ends = 0;
  const reader = new ResponseReader({
    head: () => undefined,
    body: (bytes) => {
      body += bytes.toString();
    },
    chunkEnd: () => undefined,
    end: () => {
      ends += 1;
    },
  });
  reader.push(Buffer.from(text));
  return { whole: reader.close(), body, ends };
}

function numberedIn(text: string, size: number): NumberedReader {
  const reader = new NumberedReader(16);
  for (const piece of pieces(text, size)) reader.push(piece);
  return reader;
}

function numbered(index: number): string {
  return `data: ${numberedPayload(index, 16)}\nid: e-${index}\n\n`;
}

function chunk(text: string): string {
  return `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
}

function pieces(text: string, size: number): Buffer[] {
  const bytes = Buffer.from(text);
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
    bytes.subarray(index * size, (index + 1) * size),
  );
}
