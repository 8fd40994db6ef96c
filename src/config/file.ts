/** Reads a file whole: bounded, never waiting for a pipe, with a sentence for everything that is no plain file. */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Parsed } from './parsed.ts';

/** What a file holds, and who may read it (`mode` as in stat(2)). */
export interface PlainFile {
  readonly bytes: Buffer;
  readonly mode: number;
}

/** The file, cut after `most` bytes and one. What keeps it from being read is a sentence after its name. */
export async function readPlainFile(path: string, most: number): Promise<Parsed<PlainFile>> {
  try {
    // Without O_NONBLOCK a named pipe that nobody writes to would hold the start for ever.
    const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const about = await handle.stat();
      if (about.isDirectory()) return { problem: 'is a directory, not a file' };
      if (about.isFIFO()) return { problem: IS_PIPE };
      if (!about.isFile()) return { problem: 'is a socket or a device, not a file' };
      const bytes = await collect(handle.createReadStream({ autoClose: false, end: most }));
      return { value: { bytes, mode: about.mode } };
    } finally {
      await handle.close();
    }
  } catch (error) {
    return { problem: readingProblem(error) };
  }
}

/** What is said of a named pipe. */
export const IS_PIPE = 'is a pipe, not a file';

/** What kept a file from being read, as a sentence after its name. */
export function readingProblem(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
  return REASONS[code] ?? `cannot be read (${code})`;
}

/** Everything that a stream gives. */
export async function collect(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'there is no such file: a part of the path is not a directory',
  EISDIR: 'is a directory, not a file',
  EACCES: 'this user may not read it',
  EPERM: 'this user may not read it',
  ELOOP: 'is a symbolic link that leads back to itself',
  ENAMETOOLONG: 'the name is too long',
  ENXIO: 'is a socket or a device, not a file',
};
