/** Temporary folders and free ports: what a test needs of the machine without meeting another test. */
import { randomInt } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Owner } from './owner.ts';

/** An empty folder of its own, removed with its owner. */
export async function scratchFolder(owner: Owner): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sse-gateway-test-'));
  owner.after(() => rm(folder, { recursive: true, force: true, maxRetries: 10 }));
  return folder;
}

/**
 * Below what kernels give to outgoing connections (Linux from 32768 on, gVisor from 16000 on), any of which could take
 * the port before it is listened on.
 */
const FIRST_PORT = 10_000;
const PORTS = 6000;
const PORT_TRIES = 100;

/**
 * A port on 127.0.0.1 that nobody listens on now; for those who must come back on the same one. Also while nobody
 * listens on it, it is given to nobody else in any test file until its owner ends; default: until this process does.
 */
export async function freePort(owner?: Owner): Promise<number> {
  for (let tries = PORT_TRIES; tries > 0; tries -= 1) {
    const port = FIRST_PORT + randomInt(PORTS);
    const release = await reserve(port);
    if (release === undefined) continue;
    if (await isFree(port)) {
      owner?.after(release);
      return port;
    }
    release();
  }
  throw new Error(`no port from ${FIRST_PORT} on is free`);
}

/** Takes a name that only one process can have, and that is gone with it: a unix socket without a file. */
function reserve(port: number): Promise<(() => void) | undefined> {
  return new Promise((resolve) => {
    const name = createServer((socket) => void socket.destroy());
    name.on('error', () => resolve(undefined));
    name.listen(`\0sse-gateway-test-port-${port}`, () => resolve(() => void name.close())).unref();
  });
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.on('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
