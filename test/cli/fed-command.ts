/** A command of the product whose stdin a test writes piece by piece. */
import { spawnSync } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Child, startChild } from '../support/child.ts';
import type { Owner } from '../support/owner.ts';
import { scratchFolder } from '../support/scratch.ts';

/** A running command. */
export interface Fed {
  readonly child: Child;
  /** Settles when the command, or the pipe to it, has the text. */
  write(text: string): Promise<void>;
  /** Ends its stdin. */
  end(): void;
}

/** Starts a command with stdin open. */
export async function startFed(owner: Owner, args: readonly string[], runtimeFolder = '/nonexistent'): Promise<Fed> {
  const fifo = join(await scratchFolder(owner), 'stdin');
  spawnSync('mkfifo', [fifo]);
  const bin = fileURLToPath(new URL('../../bin/sse-gateway.ts', import.meta.url));
  const command =
    process.env['SSE_GATEWAY_BIN'] === undefined ? [process.execPath, bin] : [process.env['SSE_GATEWAY_BIN']];
  const env = { PATH: process.env['PATH'] ?? '', HOME: runtimeFolder, XDG_RUNTIME_DIR: runtimeFolder };
  const child = startChild(owner, '/bin/sh', ['-c', 'exec "$@" <"$0"', fifo, ...command, ...args], { env });
  const input = createWriteStream(fifo);
  input.on('error', () => undefined); // the command may end before it has read everything
  owner.after(() => void input.destroy());
  return {
    child,
    write: (text) => new Promise((resolve) => void input.write(text, () => resolve())),
    end: () => void input.end(),
  };
}
