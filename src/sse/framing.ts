/**
 * The framing of a stream's bytes: this file alone decides where an HTTP chunk begins and ends.
 *
 * Invariant: what the gateway keeps and shares are *frames*. A frame is one whole HTTP chunk,
 * `hex-size CRLF payload CRLF`, whose payload is one whole SSE event or comment block. Any number of frames side by
 * side is again valid, so any range that begins and ends on a frame border may be written to any chunked response.
 * A plain (HTTP/1.0) response gets the payloads alone, made from frames by `unframe`. Nothing else is ever written
 * after the response head, and `LAST_CHUNK` is written once, by the end of a chunked response.
 */

/** Ends a chunked response. */
export const LAST_CHUNK = Buffer.from('0\r\n\r\n', 'latin1');

/** How the bytes of a response are framed: chunks for HTTP/1.1, none for HTTP/1.0. */
export type Form = 'chunked' | 'plain';

const CR = 13;
const LF = 10;

/** Bytes that the framing adds to a payload of `size` bytes. */
export function frameOverhead(size: number): number {
  return hexDigits(size) + 4;
}

/** Writes the head of a frame at `offset`; gives the offset of its payload. */
export function beginFrame(buffer: Buffer, offset: number, payloadSize: number): number {
  const at = offset + buffer.write(payloadSize.toString(16), offset, 'latin1');
  buffer[at] = CR;
  buffer[at + 1] = LF;
  return at + 2;
}

/** Writes the end of a frame at `offset`; gives the offset behind it. */
export function endFrame(buffer: Buffer, offset: number): number {
  buffer[offset] = CR;
  buffer[offset + 1] = LF;
  return offset + 2;
}

/** One frame around a payload. */
export function frame(payload: Buffer): Buffer {
  const whole = Buffer.allocUnsafe(payload.length + frameOverhead(payload.length));
  const at = beginFrame(whole, 0, payload.length);
  endFrame(whole, at + payload.copy(whole, at));
  return whole;
}

/** The payloads of whole frames, in order. */
export function payloads(frames: Buffer): Buffer[] {
  const found: Buffer[] = [];
  let at = 0;
  while (at < frames.length) {
    const lineEnd = frames.indexOf(CR, at);
    const size = Number.parseInt(frames.toString('latin1', at, lineEnd), 16);
    const start = lineEnd + 2;
    found.push(frames.subarray(start, start + size));
    at = start + size + 2;
  }
  return found;
}

/** The bytes of whole frames without their framing. */
export function unframe(frames: Buffer): Buffer {
  return Buffer.concat(payloads(frames));
}

function hexDigits(size: number): number {
  return size === 0 ? 1 : (35 - Math.clz32(size)) >> 2;
}
