/** Clients by the thousand in a process of their own, in groups that can be dropped, come back, and stop reading. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { CrowdOrder, Group, GroupState } from './crowd-order.ts';
import type { Owner } from './owner.ts';
import { waitFor } from './wait.ts';

/** How many times the usual size tests of load have: `LOAD_SCALE=5` opens 10,000 clients where 2,000 are usual. */
export const SCALE = Number(process.env['LOAD_SCALE'] ?? 1);

/** How long connecting everybody may take on two busy cores, in milliseconds. */
const OPEN_MS = 60_000 * SCALE;

/** A process with groups of clients of one gateway. */
export class Crowd {
  readonly #child: ChildProcess;
  readonly #address: { readonly host: string; readonly port: number };
  readonly #waiting = new Map<string, (state: GroupState) => void>();

  /** `within`: the command that its process is started by, such as one that enters a network. */
  constructor(owner: Owner, url: string, within?: (...command: string[]) => [string, string[]]) {
    const { hostname, port } = new URL(url);
    this.#address = { host: hostname, port: Number(port) };
    const [execPath, execArgv] = within?.(process.execPath) ?? [process.execPath, []];
    const file = fileURLToPath(new URL('./crowd-child.ts', import.meta.url));
    this.#child = fork(file, { env: { PATH: process.env['PATH'] ?? '' }, execPath, execArgv });
    this.#child.on('message', ({ group, state }: { group: string; state: GroupState }) => {
      this.#waiting.get(group)?.(state);
    });
    owner.after(() => this.leave());
  }

  /** Opens a group; settles when each has its `gateway.open`. */
  async open(group: Group, deadlineMs: number = OPEN_MS): Promise<void> {
    this.begin(group);
    await this.until(group.name, 'to be open', ({ open }) => open === group.clients, deadlineMs);
  }

  /** Opens a group and waits for nothing. */
  begin(group: Group): void {
    this.#order({ kind: 'open', ...this.#address, group });
  }

  drop(...groups: string[]): void {
    for (const group of groups) this.#order({ kind: 'drop', group });
  }

  comeBack(...groups: string[]): void {
    for (const group of groups) this.#order({ kind: 'return', group });
  }

  pause(group: string): void {
    this.#order({ kind: 'pause', group });
  }

  resume(group: string): void {
    this.#order({ kind: 'resume', group });
  }

  measure(group: string): void {
    this.#order({ kind: 'measure', group });
  }

  /** How a group stands now. */
  state(group: string): Promise<GroupState> {
    return new Promise((resolve) => {
      this.#waiting.set(group, resolve);
      this.#order({ kind: 'tell', group });
    });
  }

  /** Settles with the state of a group once it is as wanted; `what` follows the name of the group in the complaint. */
  async until(
    group: string,
    what: string,
    isIt: (state: GroupState) => boolean,
    deadlineMs?: number,
  ): Promise<GroupState> {
    let last: GroupState | undefined;
    const said = () => JSON.stringify({ ...last, retries: last?.retries.length, endedAt: undefined });
    const probe = async () => {
      last = await this.state(group);
      return isIt(last) && last;
    };
    return await waitFor(() => `${group} ${what}: ${said()}`, probe, deadlineMs);
  }

  /** Ends the process, and every connection with it. */
  async leave(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGKILL');
    await once(this.#child, 'exit');
  }

  #order(order: CrowdOrder): void {
    this.#child.send(order);
  }
}
