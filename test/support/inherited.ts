/** Gateways that inherit the socket they serve on, as systemd hands it over. */
import { renameSync } from 'node:fs';
import { createServer, type ListenOptions } from 'node:net';
import { type Child, startChild } from './child.ts';
import { COMMAND, environment, Gateway, writeConfig } from './gateway.ts';
import type { Owner } from './owner.ts';
import { scratchFolder } from './scratch.ts';

/** A shell keeps the socket until it is told to become the gateway: LISTEN_PID has to be the process that serves. */
const SHELL = 'read -r go; LISTEN_PID=$$; export LISTEN_PID; exec "$@"';

/** What waiting gateways are started with. */
export interface InheritedOptions {
  readonly config?: string;
  /** Further arguments of `serve`. */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Instead of the socket: what stands at descriptor 3. */
  readonly descriptor?: number;
}

/** A gateway-to-be. While it waits it keeps the socket open, as systemd does. */
export interface Waiting {
  readonly child: Child;
  readonly runtimeFolder: string;
  /** Becomes the gateway; settles when it listens. */
  start(): Promise<Gateway>;
}

/** Listens at `where` (`port` 0 for any) and hands the socket to `count` processes; tells the port. */
export async function inherit(
  owner: Owner,
  where: ListenOptions,
  count: number,
  options: InheritedOptions = {},
): Promise<{ readonly port: number; readonly waiting: readonly Waiting[] }> {
  const folder = await scratchFolder(owner);
  const file = options.config === undefined ? [] : ['--config', await writeConfig(folder, options.config)];
  const command = [...COMMAND, 'serve', ...file, ...(options.args ?? [])];
  const server = createServer();
  await new Promise<void>((resolve) => void server.listen(where, resolve));
  const address = server.address();
  const descriptor = options.descriptor ?? Reflect.get(Reflect.get(server, '_handle'), 'fd');
  const env = environment(folder, { LISTEN_FDS: '1', LISTEN_FDNAMES: 'http', ...options.env });
  const waiting = Array.from({ length: count }, (): Waiting => {
    const given = { env, descriptors: [descriptor], interactive: true };
    const child = startChild(owner, '/bin/sh', ['-c', SHELL, 'sh', ...command], given);
    const start = async () => {
      child.say('go\n');
      const [, url = ''] = await child.printed('stderr', /listening on ((?:http|unix):[^\s"]+)/, START_MS);
      return new Gateway(child, url, folder);
    };
    return { child, runtimeFolder: folder, start };
  });
  // Node takes the file of its socket away when it closes; by another name it stays.
  const { path } = where;
  if (path !== undefined) renameSync(path, `${path}.kept`);
  await new Promise<void>((resolve) => void server.close(() => resolve()));
  if (path !== undefined) renameSync(`${path}.kept`, path);
  return { port: typeof address === 'object' && address !== null ? address.port : 0, waiting };
}

/** How long a start may take on a busy machine, in milliseconds. */
const START_MS = 60_000;
