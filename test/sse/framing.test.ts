/** Frames: each is one whole HTTP chunk, side by side they are a chunked body, and without framing their payloads. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { frame, frameOverhead, LAST_CHUNK, payloads, unframe } from '../../src/sse/framing.ts';
import { ResponseReader } from '../support/http-reader.ts';

/** A reader of responses that is not ours and takes nothing amiss: the chunks of a body and whether it ended. */
function chunksOf(body: Buffer): { chunks: Buffer[]; ended: boolean } {
  const chunks: Buffer[] = [];
  let piece: Buffer[] = [];
  let ended = false;
  const reader = new ResponseReader({
    head: () => undefined,
    body: (bytes) => void piece.push(bytes),
    chunkEnd: () => {
      chunks.push(Buffer.concat(piece));
      piece = [];
    },
    end: () => {
      ended = true;
    },
  });
  reader.push(Buffer.from('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n'));
  reader.push(body);
  return { chunks, ended };
}

/** Payloads, some with what frames are made of in them. None is empty: an empty chunk would end the body. */
const bodies = fc.array(
  fc.oneof(
    fc.uint8Array({ minLength: 1, maxLength: 600 }).map((bytes) => Buffer.from(bytes)),
    fc.constantFrom('\r\n', '0\r\n\r\n', '5\r\nabcde\r\n', '\n', ':\n').map((text) => Buffer.from(text)),
  ),
  { maxLength: 12 },
);

describe('frames', () => {
  test('side by side are the chunks of a body, one for each payload', () => {
    fc.assert(
      fc.property(bodies, (given) => {
        const body = Buffer.concat([...given.map(frame), LAST_CHUNK]);
        assert.deepEqual(chunksOf(body), { chunks: given, ended: true });
      }),
    );
  });

  test('without their framing are their payloads', () => {
    fc.assert(
      fc.property(bodies, (given) => {
        const frames = Buffer.concat(given.map(frame));
        assert.deepEqual(payloads(frames), given);
        assert.deepEqual(unframe(frames), Buffer.concat(given));
      }),
    );
  });

  test('cost what their overhead says, at every number of digits', () => {
    const sizes = [0, 1, 4, 7, 10, 16, 20].flatMap((power) => [2 ** power - 1, 2 ** power, 2 ** power + 1]);
    for (const size of sizes) {
      const whole = frame(Buffer.alloc(size, 'x'));
      assert.equal(whole.length, size + frameOverhead(size), `${size}`);
      assert.ok(whole.toString('latin1').startsWith(`${size.toString(16)}\r\n`), `${size}`);
    }
  });
});
