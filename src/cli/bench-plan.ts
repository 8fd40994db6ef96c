/** What `bench` is to do, read from its flags. */
import { channelNameProblem } from '../config/names.ts';
import { UsageError } from '../errors.ts';
import { SMALLEST_PAYLOAD } from '../load/payload.ts';
import type { CommandEnd } from './exit.ts';
import type { BenchFlags } from './flags.ts';

/** The load, and the names of its channels. */
export interface BenchPlan {
  readonly connections: number;
  readonly channels: readonly string[];
  readonly publishers: number;
  /** Events a second. */
  readonly rate: number;
  /** Bytes. */
  readonly size: number;
  /** Milliseconds. */
  readonly duration: number;
}

/** The largest event that is sent, in bytes: more than any gateway takes by default. */
const LARGEST_PAYLOAD = 64 * 1024 * 1024;

/** The number of an event, and what the ledger counts, has 31 bits. */
const MOST_EVENTS = 2 ** 31;

/** More publishing connections than one process can make use of. */
const MOST_PUBLISHERS = 1000;

/** More connections than any process has descriptors for. */
const MOST_CONNECTIONS = 1_000_000;

/** `run` tells the channels of one bench from those of others. Throws `UsageError`. */
export function planOf(flags: BenchFlags, run: string): BenchPlan {
  const { connections, publishers, rate, size, duration, channels } = flags;
  if (size < SMALLEST_PAYLOAD || size > LARGEST_PAYLOAD)
    throw new UsageError(`--size is from ${SMALLEST_PAYLOAD} bytes, for the number and time in it, to 64MiB`);
  if (connections > MOST_CONNECTIONS) throw new UsageError(`--connections is at most ${MOST_CONNECTIONS}`);
  if (publishers > MOST_PUBLISHERS) throw new UsageError(`--publishers is at most ${MOST_PUBLISHERS}`);
  if (channels > connections)
    throw new UsageError(`--channels ${channels} are more than --connections ${connections}: some had no listener`);
  if ((rate * duration) / 1000 > MOST_EVENTS) throw new UsageError('--rate and --duration make more than 2^31 events');
  return { connections, channels: namesOf(flags, run), publishers, rate, size, duration };
}

/** Files that are open beside the connections: libraries, pipes, what Node keeps. */
const OTHER_FILES = 64;

/** The end of a bench that the limit of open files has no room for; undefined where it has. */
export function shortOfFiles(
  { connections, publishers }: BenchPlan,
  limit: number | undefined,
): CommandEnd | undefined {
  const wanted = connections + publishers + OTHER_FILES;
  if (limit === undefined || wanted <= limit) return undefined;
  return {
    exit: 'failed',
    message: `${connections} connections need ${wanted} open files, and this process may have ${limit}; nothing was started`,
    hint: `raise the limit (\`ulimit -n ${wanted}\`), or give --connections ${Math.max(1, limit - publishers - OTHER_FILES)} at most`,
  };
}

function namesOf({ channel, channels }: BenchFlags, run: string): readonly string[] {
  const base = channel ?? `bench-${run}`;
  const names = channels === 1 ? [base] : Array.from({ length: channels }, (_, at) => `${base}-${at + 1}`);
  const problem = channelNameProblem(names.at(-1) ?? base);
  if (problem !== undefined) throw new UsageError(`"${names.at(-1)}" is not a channel name: ${problem}`);
  return names;
}
