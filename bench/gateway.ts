/** The gateway as a server under test: these sources, other ones, or an executable. */
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type Child, startChild } from '../test/support/child.ts';
import type { Owner } from '../test/support/owner.ts';
import { scratchFolder } from '../test/support/scratch.ts';
import { GATEWAY } from './generator/dialect.ts';
import { CHANNEL_TEMPLATE, FEED_TEMPLATE } from './generator/lines.ts';
import type { Load } from './generator/spec.ts';
import { type Command, type Placement, placed } from './machine.ts';
import { BenchUsageError } from './options.ts';
import { startRedis } from './redis.ts';
import { type Running, START_LIMIT, type Subject } from './subject.ts';

/** What `npm start` and the executable set. */
const HEAP_FLAGS = ['--max-semi-space-size=4', '--heap-growing-percent=50'] as const;

const ROOT = resolve(import.meta.dirname, '..');

/** The sources in `folder`, run by this Node with the flags of `npm start`. */
export function sources(name: string, folder: string = ROOT): GatewaySubject {
  return gateway(name, [process.execPath, ...HEAP_FLAGS, join(resolve(folder), 'bin/sse-gateway.ts')]);
}

/** A gateway with the command that comes before `serve`. */
export interface GatewaySubject extends Subject {
  readonly command: Command;
}

/** An executable of the gateway. Throws BenchUsageError where there is none. */
export function executable(name: string, file: string): GatewaySubject {
  if (!existsSync(file)) throw new BenchUsageError(`${file} does not exist`);
  return gateway(name, [resolve(file)]);
}

/** A gateway by its command. */
export function gateway(name: string, command: Command): GatewaySubject {
  return { name, command, start: (owner, load, placement) => startGateway(command, owner, load, placement) };
}

/** Starts `serve` on a free port; gives the process and the port once it listens. */
export async function serve(
  owner: Owner,
  command: Command,
  placement: Placement,
  args: readonly string[] = [],
): Promise<{ child: Child; port: number }> {
  const folder = await scratchFolder(owner);
  const [program, ...before] = placed(placement, 'server', command);
  const env = { XDG_RUNTIME_DIR: folder };
  const child = startChild(owner, program, [...before, 'serve', '--listen', '127.0.0.1:0', ...args], {
    env,
    cwd: folder,
  });
  const [, port] = await child.printed('stderr', LISTENING, START_LIMIT);
  return { child, port: Number(port) };
}

/** What says that it listens. */
const LISTENING = /http:\/\/127\.0\.0\.1:(\d+)/;

async function startGateway(command: Command, owner: Owner, load: Load, placement: Placement): Promise<Running> {
  const redis = load.via === 'redis' || load.via === 'stream' ? await startRedis(owner, placement) : undefined;
  const args = redis === undefined ? [] : ['--config', await writeConfig(owner, load, redis.port)];
  const { child, port } = await serve(owner, command, placement, args);
  return {
    port,
    ...(redis !== undefined && { redis }),
    dialect: GATEWAY,
    pids: () => [child.pid],
    ended: () => {
      const { exitCode, signalCode } = child.process;
      const end = exitCode ?? signalCode;
      return end === null ? undefined : `the gateway ended with ${end}: ${child.stderr.trim()}`;
    },
  };
}

/** All channels of a run are one template. */
async function writeConfig(owner: Owner, { via }: Load, redisPort: number): Promise<string> {
  const file = join(await scratchFolder(owner), 'bench.yaml');
  const feed = via === 'stream' ? 'stream' : 'pubsub';
  const lines = [
    `redis: redis://127.0.0.1:${redisPort}`,
    `channels: {"${CHANNEL_TEMPLATE}": {${feed}: "${FEED_TEMPLATE}"}}`,
    'allow: {subscribe: ["*"], admin: true}',
  ];
  await writeFile(file, `${lines.join('\n')}\n`);
  return file;
}
