/** Finds the Sentinels of a source, with passwords from secret files where they stand there. */
import type { SourceConfig } from './config.ts';
import type { Draft } from './draft.ts';
import type { Path } from './node.ts';
import { describeHostPort } from './redis-url.ts';
import type { RawSentinel } from './source-schema.ts';

/** The address at `path`; undefined where something is wrong with it, which is noted. */
export function sentinelAddressOf(
  draft: Draft,
  path: Path,
  raw: RawSentinel,
): Pick<SourceConfig, 'redis' | 'file' | 'passwordFiles'> | undefined {
  const { name, nodes = [], username, db, tls } = raw;
  noteMissing(draft, path, raw);
  noteTwice(draft, path, raw);
  const servers = passwordOf(draft, path, raw, 'password');
  const sentinels = passwordOf(draft, path, raw, 'sentinel_password');
  if (name === undefined || nodes.length === 0 || servers === undefined || sentinels === undefined) return undefined;
  const sentinel = { name, nodes, ...sentinels.login };
  const redis = { sentinel, db, tls, ...(username !== undefined && { username }), ...servers.login };
  return { redis, file: undefined, passwordFiles: { password: servers.file, sentinel_password: sentinels.file } };
}

function noteMissing(draft: Draft, path: Path, { name, nodes }: RawSentinel): void {
  const lacks = (key: string, value: unknown): boolean => value === undefined && !draft.problems.touch([...path, key]);
  const noName = lacks('name', name);
  const noNodes = lacks('nodes', nodes?.[0]);
  if (noName) draft.note(path, 'has no name', 'add what the Sentinels call the primary, such as name: mymaster');
  if (noNodes) draft.note(path, 'has no nodes', 'add nodes: ["127.0.0.1:26379", ...]');
}

function noteTwice(draft: Draft, path: Path, { nodes = [] }: RawSentinel): void {
  const seen = new Set<string>();
  for (const [index, node] of nodes.entries()) {
    const text = describeHostPort(node).toLowerCase();
    if (seen.has(text)) draft.note([...path, 'nodes', String(index)], `${text} stands there already`, 'take it out');
    seen.add(text);
  }
}

type PasswordKey = 'password' | 'sentinel_password';

interface Login {
  readonly login: { readonly password?: string };
  /** The absolute path of the file that it was read from. */
  readonly file: string | undefined;
}

function passwordOf(draft: Draft, path: Path, raw: RawSentinel, key: PasswordKey): Login | undefined {
  const fileKey = `${key}_file` as const;
  const file = raw[fileKey];
  const password = raw[key];
  if (file === undefined) return { login: password === undefined ? {} : { password }, file: undefined };
  if (draft.written([...path, key]) !== undefined) {
    draft.note([...path, fileKey], `${key} says it already`, `keep either ${key} or ${fileKey}`);
    return undefined;
  }
  const read = draft.secret(file);
  if (read.value === undefined) {
    draft.noteValue([...path, fileKey], read);
    return undefined;
  }
  if (read.value.exposed) {
    const found = draft.foundAt([...path, fileKey]);
    const hint = 'run chmod o-r on it';
    draft.warn([...path, fileKey], `${found}, a file with a password that every user of this machine may read`, hint);
  }
  return { login: { password: read.value.text }, file: read.value.file };
}
