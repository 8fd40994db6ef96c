/** A redis-server of a test's own on a loopback port, which can be killed, stopped and brought back. */
import { type Child, startChild } from './child.ts';
import type { Owner } from './owner.ts';
import { connectRedis, type Reply, type RespClient } from './resp.ts';
import { freePort, scratchFolder } from './scratch.ts';

/** A Redis without persistence: what was in it is gone when it is killed. */
export class RedisServer {
  readonly port: number;
  readonly #owner: Owner;
  readonly #folder: string;
  readonly #settings: readonly string[];
  #child: Child | undefined;

  constructor(owner: Owner, port: number, folder: string, settings: readonly string[]) {
    this.#owner = owner;
    this.port = port;
    this.#folder = folder;
    this.#settings = settings;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Starts it, or starts it again on the same port; settles when it takes commands. */
  async start(): Promise<void> {
    const args = [
      '--port',
      `${this.port}`,
      '--bind',
      '127.0.0.1',
      '--dir',
      this.#folder,
      '--save',
      '',
      ...this.#settings,
    ];
    this.#child = startChild(this.#owner, 'redis-server', args, { env: { PATH: process.env['PATH'] ?? '' } });
    await this.#child.printed('stdout', /Ready to accept connections/);
  }

  /** `kill -9`. */
  async kill(): Promise<void> {
    await this.#running().kill();
  }

  /** SIGSTOP: it still accepts TCP connections and answers nothing. */
  freeze(): void {
    this.#running().signal('SIGSTOP');
  }

  /** SIGCONT after `freeze`. */
  thaw(): void {
    this.#running().signal('SIGCONT');
  }

  /** A connection of its own. */
  client(owner: Owner = this.#owner): RespClient {
    return connectRedis(owner, this.port);
  }

  #running(): Child {
    if (this.#child === undefined) throw new Error('this redis-server was not started');
    return this.#child;
  }
}

/** Starts a Redis; `settings` are further command line options. */
export async function startRedis(owner: Owner, settings: readonly string[] = []): Promise<RedisServer> {
  const server = await redisNotStarted(owner, settings);
  await server.start();
  return server;
}

/** A Redis that is down for now: its port is known, `start` brings it up. */
export async function redisNotStarted(owner: Owner, settings: readonly string[] = []): Promise<RedisServer> {
  return new RedisServer(owner, await freePort(owner), await scratchFolder(owner), settings);
}

/** How many connections hear `channel` by its exact name. */
export async function subscribersOf(client: RespClient, channel: string): Promise<number> {
  const reply = await client.command('PUBSUB', 'NUMSUB', channel);
  return Array.isArray(reply) ? Number(reply[1]) : 0;
}

/** The channels that somebody hears. */
export async function channelsHeard(client: RespClient): Promise<Reply[]> {
  const reply = await client.command('PUBSUB', 'CHANNELS');
  return Array.isArray(reply) ? reply : [];
}

/** How many connections are in pub/sub mode. */
export async function subscriberConnections(client: RespClient): Promise<number> {
  return (await clientLines(client, 'pubsub')).length;
}

/** How many ordinary connections there are, the asking one among them. */
export async function ordinaryConnections(client: RespClient): Promise<number> {
  return (await clientLines(client, 'normal')).length;
}

async function clientLines(client: RespClient, type: string): Promise<string[]> {
  const reply = await client.command('CLIENT', 'LIST', 'TYPE', type);
  return String(reply)
    .split('\n')
    .filter((line) => line !== '');
}
