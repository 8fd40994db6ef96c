/** The machine that is measured on: its name, and which CPU who gets. */
import { availableParallelism, cpus } from 'node:os';
import { findExecutable } from '../test/support/prerequisites.ts';
import { allowedCpus } from './generator/proc.ts';

/** A machine as it stands above a table of figures. */
export interface Machine {
  /** Such as `AMD EPYC`. */
  readonly model: string;
  readonly cores: number;
  readonly node: string;
}

/** Who runs where. Without two CPUs or `taskset` all run anywhere. */
export interface Placement {
  /** The CPU of the server, and the one of the generator and Redis. */
  readonly cpus?: readonly [server: number, load: number];
  /** What to say where nothing is pinned. */
  readonly problem?: string;
  readonly taskset?: string;
}

/** A program and its arguments. */
export type Command = readonly [string, ...string[]];

/** This machine. */
export function thisMachine(): Machine {
  return {
    model: cpus()[0]?.model.trim() ?? 'unknown CPU',
    cores: availableParallelism(),
    node: process.version,
  };
}

/** The first two CPUs that this process may use. */
export function choosePlacement(): Placement {
  const [server, load] = allowedCpus();
  const taskset = findExecutable('taskset');
  if (server === undefined || load === undefined) return { problem: 'there is only one CPU' };
  if (taskset === undefined) return { problem: 'there is no `taskset` (package util-linux)' };
  return { cpus: [server, load], taskset };
}

/** The command, bound to the CPU of the server or of the load where there is one. */
export function placed(placement: Placement, where: 'server' | 'load', command: Command): Command {
  const { cpus: pair, taskset } = placement;
  if (pair === undefined || taskset === undefined) return command;
  return [taskset, '-c', `${pair[where === 'server' ? 0 : 1]}`, ...command];
}
