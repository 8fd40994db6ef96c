/** Reads the configuration file: bounded, never waiting for a pipe, with a sentence for everything that is no text file. */
import { isUtf8 } from 'node:buffer';
import { createReadStream } from 'node:fs';
import type { ConfigError } from '../errors.ts';
import { collect, IS_PIPE, readingProblem, readPlainFile } from './file.ts';
import { showCharacter } from './names.ts';
import type { Place } from './node.ts';
import { Problems } from './problems.ts';

/** The largest file: 10,000 channels with their options fit. */
const MAX_FILE_BYTES = 1024 * 1024;

/** The name that messages give to the standard input. */
export const STDIN_NAME = '<stdin>';

/** The text of the file, or of the standard input for `-`; without a byte order mark. Throws `ConfigError`. */
export async function readConfigText(file: string): Promise<string> {
  return file === '-' ? decode(await readStdin(), STDIN_NAME) : decode(await readFile(file), file);
}

/** The bytes as text. Throws `ConfigError` with the place where they are none. */
export function decode(bytes: Buffer, name: string): string {
  if (bytes.length > MAX_FILE_BYTES) throw failure(name, 'is larger than 1 MiB, so it is hardly a configuration');
  const [first, second] = bytes;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) {
    throw failure(name, 'is written in UTF-16', 'save it as UTF-8');
  }
  const control = bytes.findIndex((byte, index) => isForeign(byte, bytes[index + 1]));
  if (control >= 0) {
    const what = showCharacter(String.fromCharCode(bytes[control] ?? 0));
    const hint = bytes[control] === 0 ? 'save the file as UTF-8 text' : 'take it out';
    throw failure(name, `${what} is not allowed here`, hint, placeOf(bytes, control));
  }
  if (!isUtf8(bytes))
    throw failure(name, 'this is not UTF-8', 'save the file as UTF-8', placeOf(bytes, firstBadByte(bytes)));
  return bytes.toString('utf8').replace(/^\uFEFF/, '');
}

async function readFile(file: string): Promise<Buffer> {
  const read = await readPlainFile(file, MAX_FILE_BYTES);
  if (read.value !== undefined) return read.value.bytes;
  const hint = read.problem === IS_PIPE ? 'to read from a pipe use - and the standard input' : undefined;
  throw failure(file, read.problem ?? 'cannot be read', hint);
}

async function readStdin(): Promise<Buffer> {
  try {
    return await collect(createReadStream('', { fd: 0, autoClose: false, end: MAX_FILE_BYTES }));
  } catch (error) {
    throw failure(STDIN_NAME, readingProblem(error));
  }
}

function isForeign(byte: number, next: number | undefined): boolean {
  if (byte === 0x0d) return next !== 0x0a;
  return byte === 0x7f || (byte < 0x20 && byte !== 0x09 && byte !== 0x0a);
}

/** Where decoding and encoding again first gives something else. */
function firstBadByte(bytes: Buffer): number {
  const again = Buffer.from(bytes.toString('utf8'));
  const index = bytes.findIndex((byte, at) => byte !== again[at]);
  return index < 0 ? bytes.length : index;
}

function placeOf(bytes: Buffer, index: number): Place {
  const before = bytes.toString('utf8', 0, index).split('\n');
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}

function failure(name: string, message: string, hint?: string, place?: Place): ConfigError {
  const problems = new Problems(name);
  problems.add(place, [], message, hint);
  return problems.toError();
}
