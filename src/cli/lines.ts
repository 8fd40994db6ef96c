/** The lines of a stream, however long it is: only the piece that is at hand is in memory. */
import { TooLargeError } from '../errors.ts';

/** More than any gateway takes as one event, in bytes. */
export const MAX_LINE_BYTES = 64 * 1024 * 1024;

const LF = 10;
const CR = 13;

/**
 * Yields the lines that each piece completes, without LF or CRLF at their end; what stands behind the last line end is
 * a line where it is not empty. Throws `TooLargeError` at a line beyond `MAX_LINE_BYTES`.
 */
export async function* readLines(input: AsyncIterable<Buffer>): AsyncGenerator<readonly Buffer[], void, void> {
  let begun: Buffer[] = [];
  let bytes = 0;
  let count = 0;
  for await (const piece of input) {
    const lines: Buffer[] = [];
    let start = 0;
    for (let end = piece.indexOf(LF); end >= 0; end = piece.indexOf(LF, start)) {
      lines.push(whole(begun, piece.subarray(start, end)));
      begun = [];
      bytes = 0;
      start = end + 1;
    }
    count += lines.length;
    if (lines.length > 0) yield lines;
    if (start < piece.length) begun.push(piece.subarray(start));
    bytes += piece.length - start;
    if (bytes > MAX_LINE_BYTES) throw new TooLargeError(`line ${count + 1} is longer than 64 MiB`);
  }
  if (bytes > 0) yield [whole(begun, Buffer.alloc(0))];
}

function whole(begun: readonly Buffer[], rest: Buffer): Buffer {
  const line = begun.length === 0 ? rest : Buffer.concat([...begun, rest]);
  return line.at(-1) === CR ? line.subarray(0, -1) : line;
}
