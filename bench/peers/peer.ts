/** A server beside the gateway: what it needs, and how its processes are started, counted and ended. */
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { startChild } from '../../test/support/child.ts';
import type { Owner } from '../../test/support/owner.ts';
import type { Prerequisite } from '../../test/support/prerequisites.ts';
import { withDescendants } from '../generator/proc.ts';
import { type Command, type Placement, placed } from '../machine.ts';
import { type Running, START_LIMIT, type Subject } from '../subject.ts';

/** A server that is compared with the gateway. */
export interface Peer extends Subject {
  /** Debian's packages. */
  readonly needs: readonly Prerequisite[];
}

/** How often a port is tried until somebody listens, in milliseconds. */
const TRY_EVERY = 20;

/** The programs of Debian and nothing else; Python writes nothing beside its sources. */
const ENV = { PATH: '/usr/bin:/bin:/usr/sbin:/sbin', PYTHONDONTWRITEBYTECODE: '1' };

/** Starts a program on the CPU of the server (or of the load); its processes, however many, end with the owner. */
export function startServer(
  owner: Owner,
  placement: Placement,
  command: Command,
  where: 'server' | 'load' = 'server',
): Pick<Running, 'pids' | 'ended'> {
  const [program, ...args] = placed(placement, where, command);
  const child = startChild(owner, program, args, { env: ENV });
  const pids = (): readonly number[] => withDescendants(child.pid);
  const end = (): void => pids().forEach(kill);
  process.once('exit', end); // a parent that is killed leaves its workers behind
  owner.after(() => {
    end();
    process.off('exit', end);
  });
  return {
    pids,
    ended: () => {
      const { exitCode, signalCode } = child.process;
      const how = exitCode ?? signalCode;
      return how === null
        ? undefined
        : `${command[0]} ended with ${how}: ${child.stderr.trim() || child.stdout.trim()}`;
    },
  };
}

/** Settles when somebody listens on a port; rejects when the server has ended, or after a while. */
export async function untilListening(port: number, ended: Running['ended']): Promise<void> {
  for (const begin = performance.now(); performance.now() - begin < START_LIMIT; await delay(TRY_EVERY)) {
    if (await listens(port)) return;
    const problem = ended();
    if (problem !== undefined) throw new Error(problem);
  }
  throw new Error(`nobody listens on port ${port} after ${START_LIMIT} ms`);
}

/** The same, and until a request is answered: workers start after the listener, and they are what is measured. */
export async function untilAnswering(port: number, ended: Running['ended']): Promise<void> {
  await untilListening(port, ended);
  await (await fetch(`http://127.0.0.1:${port}/`)).arrayBuffer();
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself meanwhile.
  }
}
