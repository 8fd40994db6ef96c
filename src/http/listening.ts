/** Where the server listens, how it comes to, and how it stops to without losing who is just connecting. */
import { once } from 'node:events';
import { existsSync, lstatSync } from 'node:fs';
import type { AddressInfo, Server } from 'node:net';
import { dirname } from 'node:path';
import { describeListen, type Listen } from '../config/listen.ts';
import { ListenError } from '../errors.ts';
import { removeStaleSocket } from './stale-socket.ts';

/** What is listened on. */
export interface Listening {
  /** The address, also that of an inherited socket. */
  readonly listen: Listen;
  /** The descriptor of a socket that somebody else has opened, in place of one of our own. */
  readonly inherited: number | undefined;
  /** Others of the same user may listen on the port at the same time. */
  readonly reusePort: boolean;
}

const BACKLOG = 4096;

/** Listens; gives the URL, without a slash at its end. Throws ListenError. */
export async function startListening(server: Server, listening: Listening): Promise<string> {
  const { listen, inherited, reusePort } = listening;
  if (inherited === undefined && listen.kind === 'unix') await removeStaleSocket(listen.path);
  try {
    server.listen({ ...placeOf(listen, inherited, reusePort), backlog: BACKLOG });
    await once(server, 'listening');
  } catch (error) {
    throw listenError(listening, error as NodeJS.ErrnoException);
  }
  return urlOf(listen, server.address());
}

/**
 * Turns of the event loop without a newcomer after which the kernel's queue is taken to be empty. Two could be enough; in
 * five the loop has also done what the last ones asked for, and the moment between looking and closing is short.
 */
const QUIET_TURNS = 5;
/** A port that is never quiet is left all the same. */
const MOST_TURNS = 256;

/**
 * Takes who waits in the kernel's queue, then takes no more. Where a port is shared by `reusePort` each listener has a
 * queue of its own, and closing it resets whoever is still in it: so it closes right after it was seen empty.
 */
export async function stopListening(server: Server): Promise<void> {
  let quiet = 0;
  const taken = (): void => {
    quiet = 0;
  };
  server.on('connection', taken).on('drop', taken);
  for (let turn = 0; quiet < QUIET_TURNS && turn < MOST_TURNS; turn++) {
    quiet += 1;
    await new Promise((resolve) => setImmediate(resolve));
  }
  server.off('connection', taken).off('drop', taken);
  server.close();
}

function placeOf(listen: Listen, inherited: number | undefined, reusePort: boolean) {
  if (inherited !== undefined) return { fd: inherited };
  return listen.kind === 'unix' ? { path: listen.path } : { host: listen.host, port: listen.port, reusePort };
}

function listenError({ listen, inherited, reusePort }: Listening, error: NodeJS.ErrnoException): ListenError {
  const where = listen.kind === 'unix' ? listen.path : describeListen(listen);
  const taken = reusePort
    ? 'something else listens there already, and does not share the port (server.reuse_port) or runs as another user'
    : 'something else listens there already';
  const reasons: Record<string, string> = {
    EADDRINUSE: taken,
    EACCES: 'this user may not listen there',
    EADDRNOTAVAIL: 'this machine does not have that address',
    ENOTFOUND: 'that name has no address',
    ENOTSUP: 'this system cannot share a port (server.reuse_port)',
  };
  const reason = (listen.kind === 'unix' ? pathProblem(listen.path) : undefined) ?? reasons[error.code ?? ''];
  const hint = 'choose another address with --listen, such as --listen 127.0.0.1:8081';
  return new ListenError(`cannot listen on ${where}: ${reason ?? error.message}`, {
    cause: error,
    ...(inherited === undefined && { hint }),
  });
}

/** What the error of the system does not tell apart. */
function pathProblem(path: string): string | undefined {
  if (!existsSync(dirname(path))) return `there is no folder ${dirname(path)}`;
  const file = lstatSync(path, { throwIfNoEntry: false });
  return file === undefined || file.isSocket() ? undefined : 'a file that is no socket is there already';
}

function urlOf(listen: Listen, address: AddressInfo | string | null): string {
  if (listen.kind === 'unix') return `unix:${listen.path}`;
  const port = typeof address === 'object' && address !== null ? address.port : listen.port;
  return `http://${describeListen({ ...listen, port })}`;
}
