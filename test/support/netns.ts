/** A network of its own for a test: links that can be pulled, so that peers are gone without a word. */
import { execFileSync, spawnSync } from 'node:child_process';
import { type Child, startChild } from './child.ts';
import type { Owner } from './owner.ts';

const PATH = `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`;

/** Whether this machine lets a test have a network of its own. */
export function mayHaveNetwork(): boolean {
  return spawnSync('unshare', ['-rn', 'ip', 'link', 'set', 'lo', 'up'], { env: { PATH } }).status === 0;
}

/** A network with nothing but a loopback link. */
export class Network {
  readonly #holder: Child;

  constructor(holder: Child) {
    this.#holder = holder;
  }

  /** The command that runs `command` within it. */
  within(...command: readonly string[]): [string, string[]] {
    return ['nsenter', ['--preserve-credentials', '-U', '-n', '-t', `${this.#holder.pid}`, ...command]];
  }

  /** Pulls the link or plugs it in again: what is sent meanwhile is lost without a word to either side. */
  link(state: 'up' | 'down'): void {
    const [file, args] = this.within('ip', 'link', 'set', 'lo', state);
    execFileSync(file, args, { env: { PATH } });
  }
}

/** Makes a network that is gone with its owner. */
export async function makeNetwork(owner: Owner): Promise<Network> {
  const holder = startChild(owner, 'unshare', ['-rn', 'sh', '-c', 'ip link set lo up && echo up && exec sleep 600'], {
    env: { PATH },
  });
  await holder.printed('stdout', /up/);
  return new Network(holder);
}
