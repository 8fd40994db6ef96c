/** Watches from outside how much memory a process has. */
import { readFileSync } from 'node:fs';
import type { Owner } from './owner.ts';

/** How often it is looked, in milliseconds. */
const EVERY_MS = 50;

/** The most and the last that a process was seen to have, in bytes. */
export class MemoryWatch {
  most = 0;
  readonly #pid: number;
  readonly #timer: NodeJS.Timeout;

  constructor(owner: Owner, pid: number) {
    this.#pid = pid;
    this.#timer = setInterval(() => this.now(), EVERY_MS);
    owner.after(() => void this.stop());
  }

  /** What it has now. */
  now(): number {
    const bytes = residentBytes(this.#pid);
    this.most = Math.max(this.most, bytes);
    return bytes;
  }

  /** The most it had. */
  stop(): number {
    clearInterval(this.#timer);
    return this.most;
  }
}

function residentBytes(pid: number): number {
  try {
    return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024;
  } catch {
    return 0; // it has ended
  }
}
