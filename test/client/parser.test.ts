/** Streams from public suites, as a client has to understand them. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type StreamEvent, StreamParser } from '../../src/client/parser.ts';

interface Case {
  readonly name: string;
  readonly stream_b64: string;
  readonly chunks_b64?: readonly string[];
  readonly expect: readonly { readonly type: string; readonly data: string; readonly lastEventId: string }[];
  readonly expect_retry: number | null;
  readonly final_last_event_id: string;
}

for (const file of ['wpt-cases.json', 'eventsource-parser-cases.json']) {
  describe(`a stream of ${file}`, () => {
    for (const each of readCases(file)) {
      test(`is understood: ${each.name}`, () => {
        const bytes = Buffer.from(each.stream_b64, 'base64');
        const given = each.chunks_b64?.map((chunk) => Buffer.from(chunk, 'base64'));
        const single = Array.from(bytes, (_, index) => bytes.subarray(index, index + 1));
        for (const chunks of [[bytes], single, ...(given === undefined ? [] : [given])]) {
          const { events, retry, lastEventId } = parse(chunks);
          assert.deepEqual(events, each.expect);
          assert.equal(retry ?? null, each.expect_retry);
          assert.equal(lastEventId, each.final_last_event_id);
        }
      });
    }
  });
}

describe('the parser of a stream', () => {
  test('gives the same events however the bytes are split', () => {
    const stream = Buffer.from(
      '﻿id: a-1\r\ndata: grün 🎈\r\n\r\nevent: x\rdata: 1\rdata\rid\r\rretry: 20\n\ndata:z\n\n',
    );
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(stream.length), { maxLength: 12 }), (cuts) => {
        const places = [0, ...cuts.sort((a, b) => a - b), stream.length];
        const chunks = places.slice(1).map((end, index) => stream.subarray(places[index], end));
        assert.deepEqual(parse(chunks), parse([stream]));
      }),
    );
  });

  test('starts from the id that the connection was opened with', () => {
    const parser = new StreamParser('k-7');
    assert.deepEqual(parser.feed(Buffer.from('data: x\n\n')), [{ type: 'message', data: 'x', lastEventId: 'k-7' }]);
  });

  test('does not take an id that no header can carry', () => {
    const parser = new StreamParser('k-7');
    parser.feed(Buffer.from('id: a\x01b\ndata: x\n\n'));
    assert.equal(parser.lastEventId, 'k-7');
  });

  test('gives up on an event that is longer than any gateway sends', () => {
    const parser = new StreamParser();
    const piece = Buffer.from(`data: ${'x'.repeat(8 * 1024 * 1024)}\n`);
    for (let index = 0; index < 8; index += 1) parser.feed(piece);
    assert.equal(parser.overflowed, true);
    assert.deepEqual(parser.feed(Buffer.from('\n\ndata: x\n\n')), []);
  });
});

function parse(chunks: readonly Uint8Array[]): {
  events: StreamEvent[];
  retry: number | undefined;
  lastEventId: string;
} {
  const parser = new StreamParser();
  const events = chunks.flatMap((chunk) => [...parser.feed(chunk)]);
  return { events, retry: parser.retry, lastEventId: parser.lastEventId };
}

function readCases(file: string): readonly Case[] {
  const text = readFileSync(new URL(`cases/${file}`, import.meta.url), 'utf8');
  return (JSON.parse(text) as { cases: Case[] }).cases;
}
