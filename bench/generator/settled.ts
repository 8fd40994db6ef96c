/** The memory of the server under test, once it moves no more. */
import { setTimeout as delay } from 'node:timers/promises';
import { proportionalBytes } from './proc.ts';

/** Memory counts as settled when it has moved by less than this share within a second. */
const SETTLED = 0.003;

/** How many seconds it is given for that. */
const SETTLING = 20;

/** Proportional set size of all its processes, in bytes. */
export function bytesOf(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + proportionalBytes(pid), 0);
}

/** The same after it has settled. */
export async function settledBytes(pids: readonly number[]): Promise<number> {
  let bytes = bytesOf(pids);
  for (let second = 0; second < SETTLING; second++) {
    await delay(1000);
    const before = bytes;
    bytes = bytesOf(pids);
    if (Math.abs(bytes - before) < bytes * SETTLED) return bytes;
  }
  return bytes;
}
