/** Secrets that stand in files of their own: read once, trimmed, and never repeated in a message. */
import { isUtf8 } from 'node:buffer';
import { dirname, resolve } from 'node:path';
import { readPlainFile } from './file.ts';
import type { Parsed } from './parsed.ts';
import type { RawConfig } from './schema.ts';

/** What a secret file holds. */
export interface Secret {
  /** The absolute path. */
  readonly file: string;
  /** Without the line end that editors put at the end of a file. */
  readonly text: string;
  /** True where every user of the machine may read it. */
  readonly exposed: boolean;
}

/** The files that a configuration names, by the path as it is written there. */
export type SecretFiles = ReadonlyMap<string, Parsed<Secret>>;

/** Reads the files of the `*_file` keys. Relative paths begin in the folder of the configuration `file`. */
export async function readSecretFiles(raw: RawConfig, file: string): Promise<SecretFiles> {
  const ofSources = [...(raw.sources?.values() ?? [])].flatMap(({ redis_file: url, sentinel }) => [
    ...[url, sentinel?.password_file, sentinel?.sentinel_password_file],
  ]);
  const paths = [raw.redis_file, ...ofSources].filter((path) => path !== undefined);
  const secrets = new Map<string, Parsed<Secret>>();
  for (const path of new Set(paths)) secrets.set(path, await readSecretFile(resolve(dirname(file), path)));
  return secrets;
}

/** Longer than any password, certificate or key. */
const MAX_SECRET_BYTES = 64 * 1024;
const OTHERS_MAY_READ = 0o004;

async function readSecretFile(path: string): Promise<Parsed<Secret>> {
  const read = await readPlainFile(path, MAX_SECRET_BYTES);
  if (read.value === undefined) return read;
  const { bytes, mode } = read.value;
  if (bytes.length > MAX_SECRET_BYTES) return { problem: 'is larger than 64 KiB, so it is hardly a secret' };
  if (!isUtf8(bytes)) return { problem: 'is no UTF-8 text', hint: 'save it as UTF-8' };
  const text = bytes.toString().replace(/\r?\n$/, '');
  if (text === '') return { problem: 'is empty', hint: 'write the secret into it' };
  return { value: { file: path, text, exposed: (mode & OTHERS_MAY_READ) !== 0 && !HANDED_OVER.test(path) } };
}

/** Containers are handed secrets here, readable to all inside, with no say of their own. */
const HANDED_OVER = /^(?:\/var)?\/run\/secrets\//;
