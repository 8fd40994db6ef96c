/** A Redis of its own for one run. */
import { type Child, startChild } from '../test/support/child.ts';
import type { Owner } from '../test/support/owner.ts';
import { findExecutable } from '../test/support/prerequisites.ts';
import { freePort, scratchFolder } from '../test/support/scratch.ts';
import { type Placement, placed } from './machine.ts';
import { START_LIMIT } from './subject.ts';

/** What is told where there is no Redis. */
export const NO_REDIS = 'redis-server is not on PATH';

/** As many clients as any case needs: by default Redis takes fewer. */
const MAX_CLIENTS = 16_000;

/** Starts it on the CPU of the load, without any file of its own. */
export async function startRedis(owner: Owner, placement: Placement): Promise<{ port: number; pid: number }> {
  const redis = findExecutable('redis-server');
  if (redis === undefined) throw new Error(NO_REDIS);
  const port = await freePort();
  const folder = await scratchFolder(owner);
  const settings = ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--dir', folder];
  const command = [redis, ...settings, '--maxclients', `${MAX_CLIENTS}`] as const;
  const [program, ...args] = placed(placement, 'load', command);
  const child: Child = startChild(owner, program, args);
  await child.printed('stdout', /Ready to accept connections/, START_LIMIT);
  return { port, pid: child.pid };
}
