/** Events as Server-Sent Events write them (WHATWG HTML, section 9.2), each encoded once as one frame. */
import { isUtf8 } from 'node:buffer';
import { beginFrame, endFrame, frame, frameOverhead, payloads } from './framing.ts';

/** An event for the wire. `type` absent means `message`; `id` absent leaves the client's id as it is. */
export interface WireEvent {
  readonly type?: string | undefined;
  readonly data: Buffer;
  readonly id?: string | undefined;
}

/** An event that was measured: what it takes and what to write. */
export interface Measured {
  /** Bytes of the whole frame. */
  readonly size: number;
  readonly payloadSize: number;
  readonly type: string | undefined;
  /** Valid UTF-8. */
  readonly data: Buffer;
  readonly id: string | undefined;
}

/** A comment that keeps the connection alive: never an event, never a blank line. */
export const HEARTBEAT = frame(Buffer.from(':\n', 'latin1'));

const CR = 13;
const LF = 10;
const DATA = Buffer.from('data: ', 'latin1');
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/**
 * Measures an event. Each of CR, LF and CRLF in the data ends a line; invalid UTF-8 becomes U+FFFD as the Encoding
 * standard says. Type and id must be free of line ends and NUL (see `fieldProblem`).
 */
export function measure(event: WireEvent): Measured {
  const data = isUtf8(event.data) ? event.data : Buffer.from(decoder.decode(event.data));
  const type = event.type === undefined || event.type === 'message' ? undefined : event.type;
  const fields =
    (type === undefined ? 0 : 8 + Buffer.byteLength(type)) +
    (event.id === undefined ? 0 : 5 + Buffer.byteLength(event.id));
  const payloadSize = fields + linesSize(data) + 1;
  return { size: payloadSize + frameOverhead(payloadSize), payloadSize, type, data, id: event.id };
}

/** Writes a measured event as one frame at `offset`; gives the offset behind it, which is `offset + size`. */
export function writeEvent(event: Measured, buffer: Buffer, offset: number): number {
  let at = beginFrame(buffer, offset, event.payloadSize);
  if (event.type !== undefined) at += buffer.write(`event: ${event.type}\n`, at);
  at = writeLines(event.data, buffer, at);
  at += buffer.write(event.id === undefined ? '\n' : `id: ${event.id}\n\n`, at);
  return endFrame(buffer, at);
}

/** One event as a frame of its own. */
export function encodeEvent(event: WireEvent): Buffer {
  const measured = measure(event);
  const buffer = Buffer.allocUnsafe(measured.size);
  writeEvent(measured, buffer, 0);
  return buffer;
}

/** One of the gateway's own events, its data as JSON, as a frame. */
export function encodeNotice(type: `gateway.${string}`, data: object, id?: string): Buffer {
  return encodeEvent({ type, data: Buffer.from(JSON.stringify(data)), id });
}

/** The time in milliseconds after which a client comes back, as a frame. */
export function encodeRetry(ms: number): Buffer {
  return frame(Buffer.from(`retry: ${Math.round(ms)}\n:\n`, 'latin1'));
}

/** The data of an event as a client reads it: its lines with LF between. `encoded` is one frame. */
export function dataOf(encoded: Buffer): string {
  const [payload = encoded] = payloads(encoded);
  const lines = payload.toString().split('\n');
  return lines.flatMap((line) => (line.startsWith('data: ') ? [line.slice(6)] : [])).join('\n');
}

/** The same event with another id, or with one where it has none. `encoded` is one frame. */
export function withId(encoded: Buffer, id: string): Buffer {
  const [payload = encoded] = payloads(encoded);
  const found = payload.lastIndexOf('\nid: ');
  const idStart = found === -1 ? payload.length - 1 : found + 1;
  return frame(Buffer.concat([payload.subarray(0, idStart), Buffer.from(`id: ${id}\n\n`)]));
}

/** Bytes that the `data:` lines take: 7 and the line, each. */
function linesSize(data: Buffer): number {
  let lines = 1;
  let dropped = 0;
  if (data.includes(LF) || data.includes(CR)) {
    for (let i = 0; i < data.length; i++) {
      const byte = data[i];
      if (byte !== LF && byte !== CR) continue;
      lines += 1;
      dropped += 1;
      if (byte === CR && data[i + 1] === LF) {
        dropped += 1;
        i += 1;
      }
    }
  }
  return data.length - dropped + lines * 7;
}

function writeLines(data: Buffer, buffer: Buffer, offset: number): number {
  let at = offset;
  let start = 0;
  let nextLf = data.indexOf(LF);
  let nextCr = data.indexOf(CR);
  for (;;) {
    const end = firstOf(nextLf, nextCr, data.length);
    at += DATA.copy(buffer, at);
    at += data.copy(buffer, at, start, end);
    buffer[at] = LF;
    at += 1;
    if (end === data.length) return at;
    start = data[end] === CR && data[end + 1] === LF ? end + 2 : end + 1;
    if (nextLf >= 0 && nextLf < start) nextLf = data.indexOf(LF, start);
    if (nextCr >= 0 && nextCr < start) nextCr = data.indexOf(CR, start);
  }
}

function firstOf(lf: number, cr: number, otherwise: number): number {
  if (lf < 0) return cr < 0 ? otherwise : cr;
  return cr < 0 || lf < cr ? lf : cr;
}
