/** A Redis with a replica, watched by three Sentinels, all of a test's own: fail-overs of every sort on demand. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SentinelAddress } from '../../src/config/redis-url.ts';
import { type Child, startChild } from './child.ts';
import type { Owner } from './owner.ts';
import { type RedisServer, redisNotStarted } from './redis.ts';
import { connectRedis, type Reply, type RespClient } from './resp.ts';
import { freePort, scratchFolder } from './scratch.ts';
import { waitFor } from './wait.ts';

/** What the Sentinels call the primary. */
const NAME = 'mymaster';
/** The user that Sentinels and replicas come as, so that they can be shut out while everybody else goes on. */
const WATCHER = 'watcher';
/** The user of everybody else; who gives no name may do nothing. */
const USER = 'app';
const PASSWORD = 'pw';

/**
 * How long a fail-over may take, in milliseconds. Sentinels that were held up for two seconds themselves do nothing for
 * half a minute (TILT), and an election that nobody wins is tried again after ten seconds.
 */
const FAIL_OVER_MS = 90_000;

/** How long a primary may be silent before it is taken for dead, in milliseconds: one that is only held up must not be. */
const DOWN_AFTER_MS = 3000;

/** One Sentinel. */
export class SentinelServer {
  readonly port: number;
  readonly client: RespClient;
  readonly #child: Child;

  constructor(port: number, child: Child, client: RespClient) {
    this.port = port;
    this.#child = child;
    this.client = client;
  }

  /** `kill -9`. */
  kill(): Promise<void> {
    return this.#child.kill();
  }

  /** SIGSTOP: it still accepts TCP connections and answers nothing. */
  freeze(): void {
    this.#child.signal('SIGSTOP');
  }

  /** SIGCONT after `freeze`. */
  thaw(): void {
    this.#child.signal('SIGCONT');
  }

  /** The port of the primary, as this one says. */
  async named(): Promise<number> {
    const reply = await this.client.command('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', NAME);
    return Array.isArray(reply) ? Number(reply[1]) : 0;
  }

  /** What it knows of the primary, such as `num-slaves`. */
  async state(): Promise<ReadonlyMap<string, string>> {
    return toMap(await this.client.command('SENTINEL', 'MASTER', NAME));
  }
}

/** The servers and the Sentinels. */
export class Watched {
  readonly servers: readonly [RedisServer, RedisServer];
  readonly sentinels: readonly SentinelServer[];
  readonly #owner: Owner;

  constructor(owner: Owner, servers: readonly [RedisServer, RedisServer], sentinels: readonly SentinelServer[]) {
    this.#owner = owner;
    this.servers = servers;
    this.sentinels = sentinels;
  }

  /** For a source. Another object each time: links that are given the same one share what they ask. */
  get address(): SentinelAddress {
    const nodes = this.sentinels.map(({ port }) => ({ host: '127.0.0.1', port }));
    return { sentinel: { name: NAME, nodes }, db: 0, tls: false, username: USER, password: PASSWORD };
  }

  /** `sentinel: {...}` for a configuration file. */
  get yaml(): string {
    const nodes = this.sentinels.map(({ port }) => `"127.0.0.1:${port}"`).join(', ');
    return `{name: ${NAME}, nodes: [${nodes}], username: ${USER}, password: ${PASSWORD}}`;
  }

  /** A connection of its own, with all rights. A server that is promoted or demoted closes it. */
  client(server: RedisServer, owner: Owner = this.#owner): RespClient {
    const client = server.client(owner);
    client.command('AUTH', USER, PASSWORD).catch(() => undefined); // what is asked next fails as well
    return client;
  }

  /** The server that the first Sentinel which answers names as the primary. */
  async primary(): Promise<RedisServer> {
    const port = await Promise.any(this.sentinels.map((sentinel) => sentinel.named()));
    return this.servers.find((server) => server.port === port) ?? this.servers[0];
  }

  /** The server that is not the primary. */
  async replica(): Promise<RedisServer> {
    const primary = await this.primary();
    return this.servers.find((server) => server !== primary) ?? this.servers[1];
  }

  /** SENTINEL FAILOVER: the replica is promoted, and the old primary follows it. Settles with the new primary. */
  async failOver(): Promise<RedisServer> {
    const replica = await this.replica();
    await waitFor(
      'a fail-over to be begun',
      () =>
        Promise.any(this.sentinels.map(({ client }) => client.command('SENTINEL', 'FAILOVER', NAME))).then(
          () => true,
          () => false, // one is running, or no replica is good enough yet
        ),
      FAIL_OVER_MS,
    );
    await this.promoted(replica);
    return replica;
  }

  /** Settles when a server is the primary: it says so itself, and a Sentinel names it. */
  async promoted(server: RedisServer): Promise<void> {
    const what = `the server on port ${server.port} to be promoted`;
    const isPrimary = async () =>
      (await this.#ask(server, 'ROLE')).startsWith('master') && (await this.primary()) === server;
    await waitFor(what, isPrimary, FAIL_OVER_MS);
  }

  /** Cuts a server off from the Sentinels and from replication: it stays up and takes writes from everybody else. */
  async isolate(server: RedisServer): Promise<void> {
    await this.client(server).pipeline([
      ['ACL', 'SETUSER', WATCHER, 'off'],
      ['CLIENT', 'KILL', 'USER', WATCHER],
    ]);
  }

  /** Ends `isolate`: the Sentinels make it a replica of the primary. */
  async rejoin(server: RedisServer): Promise<void> {
    await this.client(server).pipeline([
      ['ACL', 'SETUSER', WATCHER, 'on'],
      // A Sentinel that was refused meanwhile keeps that connection, and never logs in on it again.
      ['CLIENT', 'KILL', 'USER', 'default'],
    ]);
  }

  /** Settles when a server is a replica that has all that the primary has. */
  async inSync(server: RedisServer): Promise<void> {
    const what = `the server on port ${server.port} to be a replica in sync`;
    const isInSync = async () => IN_SYNC.test(await this.#ask(server, 'INFO', 'replication'));
    await waitFor(what, isInSync, FAIL_OVER_MS);
  }

  /** The answer as text; empty where there is none, such as from a server that is just promoted. */
  async #ask(server: RedisServer, ...command: string[]): Promise<string> {
    const client = this.client(server);
    try {
      return String(await client.command(...command));
    } catch {
      return ''; // it closes all connections then, and is asked again
    } finally {
      client.close();
    }
  }
}

const IN_SYNC = /role:slave[\s\S]*master_link_status:up/;

/** Starts a primary, a replica and three Sentinels that know each other; `settings` are for both servers. */
export async function startWatched(owner: Owner, settings: readonly string[] = []): Promise<Watched> {
  const shared = [
    ...[WATCHER, USER].flatMap((user) => ['--user', user, 'on', `>${PASSWORD}`, '~*', '&*', '+@all']),
    ...['--user', 'default', 'off', '--masteruser', WATCHER, '--masterauth', PASSWORD],
    ...['--repl-diskless-sync-delay', '0', '--repl-ping-replica-period', '1'],
    ...settings,
  ];
  const first = await redisNotStarted(owner, shared);
  const second = await redisNotStarted(owner, [...shared, '--replicaof', '127.0.0.1', `${first.port}`]);
  await first.start();
  await second.start();
  const sentinels = await Promise.all([1, 2, 3].map(() => startSentinel(owner, first.port)));
  const watched = new Watched(owner, [first, second], sentinels);
  await watched.inSync(second);
  for (const sentinel of sentinels) {
    await waitFor(
      'the Sentinels to know each other and the replica',
      async () => {
        const state = await sentinel.state();
        return state.get('num-other-sentinels') === '2' && state.get('num-slaves') === '1';
      },
      FAIL_OVER_MS,
    );
  }
  return watched;
}

async function startSentinel(owner: Owner, primary: number): Promise<SentinelServer> {
  const [port, folder] = [await freePort(owner), await scratchFolder(owner)];
  const file = join(folder, 'sentinel.conf');
  const lines = [
    `port ${port}`,
    'bind 127.0.0.1',
    `dir ${folder}`,
    `sentinel monitor ${NAME} 127.0.0.1 ${primary} 2`,
    `sentinel down-after-milliseconds ${NAME} ${DOWN_AFTER_MS}`,
    `sentinel failover-timeout ${NAME} 5000`,
    `sentinel auth-user ${NAME} ${WATCHER}`,
    `sentinel auth-pass ${NAME} ${PASSWORD}`,
  ];
  await writeFile(file, `${lines.join('\n')}\n`);
  const env = { PATH: process.env['PATH'] ?? '' };
  const child = startChild(owner, 'redis-server', [file, '--sentinel'], { env });
  await child.printed('stdout', /\+monitor master/);
  return new SentinelServer(port, child, connectRedis(owner, port));
}

function toMap(reply: Reply): ReadonlyMap<string, string> {
  const parts = Array.isArray(reply) ? reply.map(String) : [];
  const map = new Map<string, string>();
  for (let i = 0; i + 1 < parts.length; i += 2) map.set(parts[i] ?? '', parts[i + 1] ?? '');
  return map;
}
