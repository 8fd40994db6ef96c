/** What a gateway that was killed leaves behind: the file of a unix socket on which nobody listens any more. */
import { lstatSync, rmSync } from 'node:fs';
import { connect } from 'node:net';

/** Removes a socket's file where nobody answers behind it; leaves everything else alone. */
export async function removeStaleSocket(path: string): Promise<void> {
  const file = lstatSync(path, { throwIfNoEntry: false });
  if (file?.isSocket() === true && (await isDead(path))) rmSync(path, { force: true });
}

function isDead(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(false);
    });
    probe.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED'));
  });
}
