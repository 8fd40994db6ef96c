/** The body of a request, whole and bounded. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { TooLargeError } from '../errors.ts';
import { RequestRefused } from './problem.ts';

/** Reads a body of at most `limit` bytes. `what` names the limit. Throws TooLargeError, or RequestRefused where it is encoded. */
export async function readBody(
  request: IncomingMessage,
  response: ServerResponse,
  limit: { bytes: number; what: string },
): Promise<Buffer> {
  const encoding = request.headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') {
    throw new RequestRefused(415, 'encoded-body', 'send the body as it is, without Content-Encoding');
  }
  const tooLarge = (): TooLargeError =>
    new TooLargeError(`the body is larger than ${limit.bytes} bytes, which is ${limit.what}`);
  if (Number(request.headers['content-length'] ?? 0) > limit.bytes) throw tooLarge();
  if (request.headers.expect !== undefined) response.writeContinue();
  const pieces: Buffer[] = [];
  let size = 0;
  // Leaving the loop must not destroy the request, and its socket with it, before the answer is written.
  for await (const piece of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    size += piece.length;
    if (size > limit.bytes) throw tooLarge();
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

/** Answers with JSON. */
export function answerJson(response: ServerResponse, status: number, answer: object): void {
  const body = `${JSON.stringify(answer)}\n`;
  response.writeHead(status, {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
  });
  response.end(body);
}
