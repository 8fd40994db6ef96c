/** A gateway that a shell starts, with limits or redirections of its own. */
import { startChild } from './child.ts';
import { COMMAND, environment, Gateway, writeConfig } from './gateway.ts';
import type { Owner } from './owner.ts';
import { freePort, scratchFolder } from './scratch.ts';
import { waitFor } from './wait.ts';

/** How long a start may take on a busy machine, in milliseconds. */
const START_MS = 60_000;

/** What the shell is told, and the gateway. */
export interface ShellGatewayOptions {
  /** A shell command in which `"$@"` is the gateway, such as `ulimit -n 200; exec "$@"`. */
  readonly shell: string;
  readonly config: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts `serve` by `sh -c`; settles once it answers, since what it says may go anywhere. */
export async function startByShell(owner: Owner, { shell, config, env }: ShellGatewayOptions): Promise<Gateway> {
  const folder = await scratchFolder(owner);
  const port = await freePort(owner);
  const args = ['serve', '--listen', `127.0.0.1:${port}`, '--config', await writeConfig(folder, config)];
  const child = startChild(owner, 'sh', ['-c', shell, 'sh', ...COMMAND, ...args], { env: environment(folder, env) });
  const gateway = new Gateway(child, `http://127.0.0.1:${port}`, folder);
  const answers = async () => (await gateway.get('/healthz').catch(() => undefined))?.status === 200;
  await waitFor('/healthz to answer', answers, START_MS);
  return gateway;
}
