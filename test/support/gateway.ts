/** The gateway under test, as its users run it: a process with a command line, a config file and an address. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Child, type Exit, startChild } from './child.ts';
import type { Owner } from './owner.ts';
import { scratchFolder } from './scratch.ts';
import { openStream, type SseStream, type StreamOptions } from './sse-stream.ts';
import { waitFor } from './wait.ts';

/** The executable and its first arguments: the sources, or what SSE_GATEWAY_BIN names. */
export const COMMAND: readonly [string, ...string[]] =
  process.env['SSE_GATEWAY_BIN'] === undefined
    ? [process.execPath, fileURLToPath(new URL('../../bin/sse-gateway.ts', import.meta.url))]
    : [process.env['SSE_GATEWAY_BIN']];

/** How long a start may take on a busy machine, in milliseconds. */
const START_MS = 60_000;

/** How long an answer may take, in milliseconds: longer than a publish waits for a Redis that hangs. */
const ANSWER_MS = 60_000;

/** The state of a listening socket in the kernel's table. */
const LISTENING = '0A';

/** How a gateway is started. */
export interface GatewayOptions {
  /** Further arguments of `serve`. */
  readonly args?: readonly string[];
  /** The text of a config file. */
  readonly config?: string;
  /** A fixed port, for one that must come back at the same address; default: any. */
  readonly port?: number;
  /** Where the local key goes; default: a folder of its own. */
  readonly runtimeFolder?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** A running `serve`. */
export class Gateway {
  readonly url: string;
  readonly child: Child;
  readonly runtimeFolder: string;

  constructor(child: Child, url: string, runtimeFolder: string) {
    this.child = child;
    this.url = url;
    this.runtimeFolder = runtimeFolder;
  }

  get port(): number {
    return Number(new URL(this.url).port);
  }

  /** Opens a stream; `path` such as `/events/prices`. */
  stream(owner: Owner, path: string, options?: StreamOptions): SseStream {
    return openStream(owner, this.url + path, options);
  }

  /** `POST /events/{channel}`; `query` such as `?event=tick`. */
  post(channel: string, data: string | Uint8Array<ArrayBuffer>, query = '', init: RequestInit = {}): Promise<Response> {
    return this.get(`/events/${channel}${query}`, { method: 'POST', body: data, ...init });
  }

  /** Publishes and tells the position that the event got; for memory channels. */
  async publish(channel: string, data: string, query = ''): Promise<string> {
    const response = await this.post(channel, data, query);
    const text = await response.text();
    if (response.status !== 200) throw new Error(`publishing was refused: ${response.status} ${text}`);
    const answer: unknown = JSON.parse(text);
    if (typeof answer !== 'object' || answer === null || !('id' in answer)) throw new Error(`no id in ${text}`);
    return String(answer.id);
  }

  /** Any request; one that is not answered in time rejects. */
  get(path: string, init: RequestInit = {}): Promise<Response> {
    return fetch(this.url + path, { signal: AbortSignal.timeout(ANSWER_MS), ...init });
  }

  /** The status of `/readyz`. */
  async readiness(): Promise<number> {
    const response = await this.get('/readyz');
    await response.text();
    return response.status;
  }

  /** Settles when `/readyz` has that status. */
  async becomes(status: 200 | 503, deadlineMs?: number): Promise<void> {
    await waitFor(`/readyz to be ${status}`, async () => (await this.readiness()) === status, deadlineMs);
  }

  /** How many connections to its port the process holds; those to Redis and what the kernel keeps are not among them. */
  async connections(): Promise<number> {
    return (await this.#tcpTable()).filter(({ local, inode, state }) => {
      return Number.parseInt(local.split(':')[1] ?? '', 16) === this.port && inode !== '0' && state !== LISTENING;
    }).length;
  }

  /** How much memory the process has. */
  async residentBytes(): Promise<number> {
    const status = await readFile(`/proc/${this.child.pid}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
  }

  /** Whether the process still holds its end of a stream's connection, whatever the kernel does with what is left of it. */
  async holds(stream: SseStream): Promise<boolean> {
    const ends = [this.port, stream.port].map((port) => `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')}`);
    const table = await this.#tcpTable();
    return table.some(({ local, remote, inode }) => local === ends[0] && remote === ends[1] && inode !== '0');
  }

  /** The kernel's table of the network that the process is in; an inode of 0 belongs to no process. */
  async #tcpTable(): Promise<{ local: string; remote: string; state: string; inode: string }[]> {
    const table = await readFile(`/proc/${this.child.pid}/net/tcp`, 'utf8');
    const rows = table.trim().split('\n').slice(1);
    return rows.map((row) => {
      const [, local = '', remote = '', state = '', , , , , , inode = ''] = row.trim().split(/\s+/);
      return { local, remote, state, inode };
    });
  }

  /** SIGTERM; settles with how it ended. */
  terminate(deadlineMs?: number): Promise<Exit> {
    this.child.signal('SIGTERM');
    return this.child.ends(deadlineMs);
  }
}

/** Starts `serve` and waits for its address. Without options it is what a newcomer runs, on any free port. */
export async function startGateway(owner: Owner, options: GatewayOptions = {}): Promise<Gateway> {
  const folder = await scratchFolder(owner);
  const runtimeFolder = options.runtimeFolder ?? folder;
  const args = ['serve', '--listen', `127.0.0.1:${options.port ?? 0}`, ...(options.args ?? [])];
  if (options.config !== undefined) args.push('--config', await writeConfig(folder, options.config));
  const child = runCommand(owner, args, { runtimeFolder, env: options.env ?? {} });
  const [, url = ''] = await child.printed('stderr', /(http:\/\/127\.0\.0\.1:\d+)/, START_MS);
  return new Gateway(child, url, runtimeFolder);
}

/** Writes a config file into `folder` and tells its path. */
export async function writeConfig(folder: string, text: string): Promise<string> {
  const path = join(folder, 'sse-gateway.yaml');
  await writeFile(path, text);
  return path;
}

/** What a command runs with. */
export interface CommandOptions {
  /** Where local keys are looked for; default: nowhere that exists. */
  readonly runtimeFolder?: string;
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts any command of the product with an environment that holds nothing of the machine's. */
export function runCommand(owner: Owner, args: readonly string[], options: CommandOptions = {}): Child {
  const [command, ...first] = COMMAND;
  const runtime = options.runtimeFolder ?? '/nonexistent';
  const input = options.input === undefined ? {} : { input: options.input };
  return startChild(owner, command, [...first, ...args], { env: environment(runtime, options.env), ...input });
}

/** An environment that holds nothing of the machine's. */
export function environment(runtimeFolder: string, more: Readonly<Record<string, string>> = {}) {
  return { PATH: process.env['PATH'] ?? '', HOME: runtimeFolder, XDG_RUNTIME_DIR: runtimeFolder, ...more };
}
