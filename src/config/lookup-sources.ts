/** Finds the sources of a configuration, with addresses from secret files where they stand there. */
import type { SourceConfig } from './config.ts';
import type { Draft } from './draft.ts';
import { sentinelAddressOf } from './lookup-sentinel.ts';
import type { Path } from './node.ts';
import { showPath } from './problems.ts';
import { parseRedisUrl } from './redis-url.ts';
import type { RawSource } from './source-schema.ts';

/** Sources by name. */
export type Sources = ReadonlyMap<string, SourceConfig>;

/** All sources by name: the `redis:` of the top level and those under `sources`. */
export function sourcesOf(draft: Draft): Sources {
  const sources = new Map<string, SourceConfig>();
  const shorthand = addressOf(draft, [], draft.raw);
  if (shorthand !== undefined) sources.set('redis', { name: 'redis', prefix: '', ...shorthand });
  for (const [name, source] of draft.raw.sources ?? []) {
    const path = ['sources', name];
    const twice = ['redis', 'redis_file'].find((key) => name === 'redis' && draft.written([key]) !== undefined);
    if (twice !== undefined) {
      draft.note(path, `the key ${twice}: at the top level is the source of this name already`, 'keep one of them');
      continue;
    }
    const address = addressOf(draft, path, source);
    if (address !== undefined) sources.set(name, { name, prefix: source.prefix, ...address });
    else if (!draft.problems.touch(path))
      draft.note(path, 'has no address', `write ${showPath([name])}: {redis: redis://127.0.0.1:6379}`);
  }
  return sources;
}

type Address = Pick<SourceConfig, 'redis' | 'file' | 'passwordFiles'>;

function addressOf(
  draft: Draft,
  path: Path,
  keys: Pick<RawSource, 'redis' | 'redis_file' | 'sentinel'>,
): Address | undefined {
  const { redis, redis_file: file, sentinel } = keys;
  if (sentinel !== undefined) {
    const other = ['redis', 'redis_file'].find((key) => draft.written([...path, key]) !== undefined);
    if (other === undefined) return sentinelAddressOf(draft, [...path, 'sentinel'], sentinel);
    const hint = `keep either ${other} or sentinel`;
    draft.note([...path, 'sentinel'], `${other} says the address already`, hint);
    return undefined;
  }
  if (file === undefined) return redis && { redis, file };
  const both = draft.written([...path, 'redis']) !== undefined;
  if (both) draft.note([...path, 'redis_file'], 'redis says the address already', 'keep either redis or redis_file');
  return both ? undefined : addressFromFile(draft, [...path, 'redis_file'], file);
}

function addressFromFile(draft: Draft, path: Path, file: string): Address | undefined {
  const read = draft.secret(file);
  if (read.value === undefined) {
    draft.noteValue(path, read);
    return undefined;
  }
  const { text, exposed } = read.value;
  const address = parseRedisUrl(text);
  if (address.value === undefined) {
    draft.note(path, `the file does not hold a Redis URL: ${address.problem ?? 'it cannot be read'}`, address.hint);
    return undefined;
  }
  if (exposed && address.value.password !== undefined) {
    const hint = 'run chmod o-r on it';
    draft.warn(path, `${draft.foundAt(path)}, a file with a password that every user of this machine may read`, hint);
  }
  return { redis: address.value, file: read.value.file };
}
