/** The key of a running `serve`: a file that only the same user on the same machine can read. */
import { createHash, randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { isAbsolute, join } from 'node:path';

/** Whose keys. `home` and `uid` are undefined where the system knows none. */
export interface KeyOwner {
  /** Folders of this user that last until the machine stops, the best first: `$XDG_RUNTIME_DIR`, `/run/user/UID`. */
  readonly runtimeFolders: readonly string[];
  readonly home: string | undefined;
  readonly uid: number | undefined;
}

/** A key that was written, or why it was not. `remove` takes the file away if it is still ours; it never throws. */
export type WrittenKey =
  | { readonly kind: 'written'; readonly file: string; remove(): void }
  | { readonly kind: 'failed'; readonly reason: string };

/** A fresh key: 32 random bytes, as base64url. */
export function newLocalKey(): string {
  return randomBytes(32).toString('base64url');
}

/**
 * Writes `key` for the gateway at `authority` (`host:port` or `unix:/path`), readable by its owner alone.
 * It goes into the first of the runtime folders that exists, else below `~/.local/state`; never into a folder that is shared.
 * `sharer` is the process id of a gateway that shares its port with others: each of them has a file of its own.
 */
export function writeLocalKey(owner: KeyOwner, authority: string, key: string, sharer?: number): WrittenKey {
  let reason = 'there is no folder of this user to put it in';
  for (const place of placesOf(owner)) {
    try {
      makeFolder(place, owner);
      const file = join(place.folder, fileName(authority, sharer));
      replaceFile(file, key);
      return { kind: 'written', file, remove: () => removeIfOurs(file, key) };
    } catch (error) {
      reason = error instanceof Error ? error.message : String(error);
    }
  }
  return { kind: 'failed', reason };
}

/** The key of the gateway that runs at exactly this `authority`; undefined where there is none that can be trusted. */
export function readLocalKey(owner: KeyOwner, authority: string): string | undefined {
  let newest: { readonly key: string; readonly written: number } | undefined;
  for (const { folder } of placesOf(owner)) {
    for (const name of [fileName(authority), ...sharersIn(folder, authority).map(({ name }) => name)]) {
      const found = readPrivateFile(join(folder, name), owner);
      if (found !== undefined && (newest === undefined || found.written > newest.written)) newest = found;
    }
  }
  return newest?.key;
}

/**
 * The key of a gateway that shares the port of `authority` and runs, so that a newcomer takes the same: a command that
 * has read either file may be answered by either gateway. What gateways left that run no more is removed.
 */
export function keyOfSharer(
  owner: KeyOwner,
  authority: string,
  isRunning: (pid: number) => boolean,
): string | undefined {
  let shared: string | undefined;
  for (const { folder } of placesOf(owner)) {
    for (const { name, pid } of sharersIn(folder, authority)) {
      const file = join(folder, name);
      const key = readPrivateFile(file, owner)?.key;
      if (key === undefined) continue;
      if (isRunning(pid)) shared ??= key;
      else removeIfOurs(file, key);
    }
  }
  return shared;
}

/** A folder for keys. Its base is never made: where there is none, the system wants none. */
interface Place {
  readonly base: string;
  readonly folder: string;
}

function placesOf({ runtimeFolders, home }: KeyOwner): readonly Place[] {
  const places = runtimeFolders.map((base) => ({ base, folder: join(base, FOLDER) }));
  if (home !== undefined) places.push({ base: home, folder: join(home, '.local/state', FOLDER) });
  return places.filter(({ base }) => isAbsolute(base));
}

const FOLDER = 'sse-gateway';

function fileName(authority: string, sharer?: number): string {
  return `${stem(authority)}${sharer === undefined ? '' : `+${sharer}`}.key`;
}

function stem(authority: string): string {
  const name = encodeURIComponent(authority);
  // File names end at 255 bytes; a socket's path, encoded, can be longer.
  return name.length <= 200 ? name : createHash('sha256').update(authority).digest('hex');
}

/** The files of gateways that share a port. No encoded authority has a `+` in it. */
function sharersIn(folder: string, authority: string): { readonly name: string; readonly pid: number }[] {
  const before = `${stem(authority)}+`;
  return namesIn(folder).flatMap((name) => {
    const [, pid] = name.startsWith(before) ? (/^(\d{1,10})\.key$/.exec(name.slice(before.length)) ?? []) : [];
    return pid === undefined ? [] : [{ name, pid: Number(pid) }];
  });
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // no such folder, or not ours to read
  }
}

/** Under `sudo -E` the base is another user's: a folder of ours in it would lock its owner out. */
function makeFolder({ base, folder }: Place, owner: KeyOwner): void {
  if (!isOurs(lstatSync(base), owner)) throw new Error(`${base} belongs to another user`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const found = lstatSync(folder);
  if (!found.isDirectory()) throw new Error(`${folder} is no folder`);
  if (!isPrivate(found, owner))
    throw new Error(`${folder} is open to others: chmod 700 it, and its owner has to be you`);
}

/** The whole key or none: a reader never sees half of it, and a link that somebody put there is replaced, not followed. */
function replaceFile(file: string, key: string): void {
  const fresh = `${file}.${randomBytes(6).toString('hex')}`;
  const descriptor = openSync(
    fresh,
    constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW,
    0o600,
  );
  try {
    writeSync(descriptor, key);
    closeSync(descriptor);
    renameSync(fresh, file);
  } catch (error) {
    rmSync(fresh, { force: true });
    throw error;
  }
}

/** Another `serve` may have taken the address over meanwhile; then the file is its own. */
function removeIfOurs(file: string, key: string): void {
  try {
    if (readFileSync(file, 'utf8') === key) rmSync(file);
  } catch {
    // Gone already: nothing is left to do.
  }
}

function readPrivateFile(
  file: string,
  owner: KeyOwner,
): { readonly key: string; readonly written: number } | undefined {
  let descriptor: number;
  try {
    // Without O_NONBLOCK a FIFO of that name would hold the command up for ever.
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    return undefined; // no such key, or not for us
  }
  try {
    const found = fstatSync(descriptor);
    if (!found.isFile() || found.size > MAX_KEY_BYTES || !isPrivate(found, owner)) return undefined;
    const key = readFileSync(descriptor, 'utf8');
    return /^[A-Za-z0-9_-]{43}$/.test(key) ? { key, written: found.mtimeMs } : undefined;
  } finally {
    closeSync(descriptor);
  }
}

/** Far more than a key is long. */
const MAX_KEY_BYTES = 1024;

/** Ours, and nobody else may read or write it. */
function isPrivate(found: { readonly uid: number; readonly mode: number }, owner: KeyOwner): boolean {
  return isOurs(found, owner) && (found.mode & 0o077) === 0;
}

function isOurs({ uid }: { readonly uid: number }, owner: KeyOwner): boolean {
  return owner.uid === undefined || uid === owner.uid;
}
