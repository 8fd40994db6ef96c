/** One run of one case: starts the server under test, and the generator, and stops them. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Child, startChild } from '../test/support/child.ts';
import type { Owner } from '../test/support/owner.ts';
import { findExecutable } from '../test/support/prerequisites.ts';
import { serve } from './gateway.ts';
import { allowedCpus } from './generator/proc.ts';
import type { Figures, Load, Spec } from './generator/spec.ts';
import { type Command, type Placement, placed } from './machine.ts';
import { NO_REDIS } from './redis.ts';
import type { Subject } from './subject.ts';
import { median } from './summary.ts';

const GENERATOR = join(resolve(import.meta.dirname), 'generator/main.ts');

/** How long a generator may take beyond what its load says, in milliseconds. */
const EXTRA_LIMIT = 120_000;

/** Descriptors that a process needs beside its streams: the gateway keeps a reserve of its own. */
const RESERVE = 256;

/** Starts in one run. */
const STARTS = 5;

/** Why this machine cannot run a load; undefined where it can. */
export function obstacleTo({ via, streams, slow = 0 }: Load): string | undefined {
  if ((via === 'redis' || via === 'stream') && findExecutable('redis-server') === undefined) return NO_REDIS;
  const files = Number(/^Max open files\s+\d+\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]);
  const needed = streams + slow + RESERVE;
  return files < needed ? `it needs ${needed} open files, and the hard limit is ${files} (\`ulimit -Hn\`)` : undefined;
}

/** Runs it. Rejects where a process does not start or the generator fails. */
export async function runRound(subject: Subject, load: Load, placement: Placement): Promise<Figures> {
  const stops: (() => void | Promise<void>)[] = [];
  const owner: Owner = { after: (stop) => void stops.push(stop) };
  try {
    if (load.kind === 'start') return await timeStarts(owner, subject, placement);
    return await round(owner, subject, load, placement);
  } finally {
    for (const stop of stops.reverse()) await stop();
  }
}

async function round(owner: Owner, subject: Subject, load: Load, placement: Placement): Promise<Figures> {
  const server = await subject.start(owner, load, placement);
  const { port, publishPort, redis, dialect } = server;
  const spec: Spec = {
    load,
    port,
    ...(publishPort !== undefined && { publishPort }),
    ...(redis !== undefined && { redis }),
    pids: server.pids(),
    dialect,
    cpus: placement.cpus ?? allowedCpus(),
  };
  const command: Command = [process.execPath, GENERATOR, JSON.stringify(spec)];
  const [program, ...args] = placed(placement, 'load', command);
  return await figuresOf(startChild(owner, program, args), server.ended, load);
}

async function figuresOf(
  generator: Child,
  serverEnded: () => string | undefined,
  { warmUp, measured }: Load,
): Promise<Figures> {
  const exit = await generator.ends((warmUp.seconds + measured.seconds) * 1000 + EXTRA_LIMIT);
  if (exit.code === 0) return JSON.parse(generator.stdout) as Figures;
  throw new Error(serverEnded() ?? `the generator failed: ${generator.stderr.trim()}`);
}

/** From exec until it says that it listens: the median of a few starts. */
async function timeStarts(owner: Owner, { name, command }: Subject, placement: Placement): Promise<Figures> {
  if (command === undefined) throw new Error(`${name} is not executed`);
  const times: number[] = [];
  while (times.length < STARTS) {
    const begin = performance.now();
    const { child } = await serve(owner, command, placement);
    times.push(performance.now() - begin);
    await child.kill();
  }
  const share = { server: 0, generator: 0, redis: 0 };
  return { whole: true, faults: [], closed: 0, refused: 0, share, noise: 0, start: median(times) };
}
