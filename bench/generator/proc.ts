/** What Linux tells about processes and CPUs in /proc. */
import { readdirSync, readFileSync } from 'node:fs';

/** Ticks per second of all times in /proc, on every architecture that Node runs on. */
const TICKS = 100;

/** CPU time that a process has taken in all of its threads, user and system, in seconds. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name in parentheses may hold anything; behind it stands the third field.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
}

/** Memory of a process, what it shares counted in proportion, in bytes. */
export function proportionalBytes(pid: number): number {
  const kilobytes = /^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1];
  return Number(kilobytes) * 1024;
}

/** How long the CPUs have worked for anybody, together, in seconds. */
export function busySeconds(cpus: readonly number[]): number {
  const lines = readFileSync('/proc/stat', 'utf8').split('\n');
  const busy = cpus.map((cpu) => {
    const fields = lines.find((line) => line.startsWith(`cpu${cpu} `))?.split(' ') ?? [];
    const [user = 0, nice = 0, system = 0, , , interrupts = 0, softInterrupts = 0, stolen = 0] = fields
      .slice(1)
      .map(Number);
    return user + nice + system + interrupts + softInterrupts + stolen;
  });
  return busy.reduce((sum, ticks) => sum + ticks, 0) / TICKS;
}

/** The CPUs that this process may use. */
export function allowedCpus(): number[] {
  const list = /^Cpus_allowed_list:\s+(\S+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '';
  return list.split(',').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, at) => first + at);
  });
}

/** A process and all that were started by it or by those. */
export function withDescendants(pid: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    const parent = parentOf(Number(name));
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const all = [pid];
  for (const one of all) all.push(...(children.get(one) ?? [])); // grows while it is walked through
  return all;
}

function parentOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return undefined; // it has ended since
  }
}
