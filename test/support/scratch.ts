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
  owner.after(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }));
  return folder;
}

/** Below what the kernel gives to outgoing connections, any of which could take the port before it is listened on. */
const FIRST_PORT = 15_000;
const PORTS = 17_000;
const PORT_TRIES = 100;

/** A port on 127.0.0.1 that nobody listens on now; for those who must come back on the same one. */
export async function freePort(): Promise<number> {
  for (let tries = PORT_TRIES; tries > 0; tries -= 1) {
    const port = FIRST_PORT + randomInt(PORTS);
    if (await isFree(port)) return port;
  }
  throw new Error(`no port from ${FIRST_PORT} on is free`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.on('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
