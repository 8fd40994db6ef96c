/** What a fault happens to: one Redis, its gateways, those who write and those who read, and who keeps the truth. */
import { setTimeout as delay } from 'node:timers/promises';
import { type Gateway, startGateway } from '../../support/gateway.ts';
import { heard } from '../../support/heard.ts';
import type { Owner } from '../../support/owner.ts';
import { type Dice, dice } from '../../support/random.ts';
import { type RedisServer, startRedis } from '../../support/redis.ts';
import type { RespClient } from '../../support/resp.ts';
import { freePort } from '../../support/scratch.ts';
import { startWatched, type Watched } from '../../support/sentinel.ts';
import { waitFor } from '../../support/wait.ts';
import { type CheckedClient, type ClientOptions, type Habit, startClient } from './client.ts';
import type { Beginning } from './client-log.ts';
import type { Finding } from './finding.ts';
import { Journal } from './journal.ts';
import { judge } from './judgement.ts';
import { type Link, startLink } from './link.ts';
import { Producer, startProducer, writeLast } from './producers.ts';
import { startTruth, type TruthReader } from './truth-reader.ts';
import type { Excuse } from './verdict.ts';

/** The keys of the streams, and the channel that each is followed by. */
export const STREAMS: ReadonlyMap<string, string> = new Map([
  ['s:1', 's.1'],
  ['s:2', 's.2'],
  ['s:3', 's.3'],
]);

/** The pub/sub channel. */
export const PUBSUB = 'ps';

/** What is kept when Redis is killed: all that it acknowledged, or what was saved last. */
export type Persistence = 'always' | 'saved';

/** How a deployment is made. */
export interface DeploymentOptions {
  readonly seed: number;
  readonly persistence: Persistence;
  readonly gateways: number;
  readonly sentinel: boolean;
  /** Entries and messages a second, all producers together. */
  readonly rate: number;
  /** How long clients may take to the end after the last fault, in milliseconds. */
  readonly patienceMs: number;
}

/** A gateway, its wire to Redis, and whether it runs. */
interface Site {
  readonly link: Link;
  readonly port: number;
  gateway: Gateway | undefined;
}

/** All of it; made by `deploy`. */
export class Deployment {
  readonly journal = new Journal();
  readonly excuses: Excuse[] = [];
  readonly disturbances: { from: number; to: number }[] = [];
  /** What faults found wrong by themselves. */
  readonly oddities: Finding[] = [];
  readonly startedAt = performance.now();
  readonly clients: CheckedClient[] = [];
  readonly producers: Producer[] = [];
  readonly sites: Site[] = [];
  readonly dice: Dice;
  readonly owner: Owner;
  /** The one that counts now. */
  redis: RedisServer;
  /** The replica and the Sentinels, where there are any. */
  readonly watched: Watched | undefined;
  readonly truth: TruthReader;
  readonly options: DeploymentOptions;
  /** Writes what faults need; nobody else uses it. */
  readonly scribe: Producer;

  constructor(owner: Owner, redis: RedisServer, watched: Watched | undefined, options: DeploymentOptions) {
    this.owner = owner;
    this.redis = redis;
    this.watched = watched;
    this.options = options;
    this.dice = dice(options.seed);
    this.truth = startTruth(owner, [...STREAMS.keys()], this.connect, this.journal);
    this.scribe = this.#producer('scribe', 'xadd');
  }

  /** The addresses of the gateways that run. */
  readonly urls = (): string[] => this.sites.flatMap(({ gateway }) => (gateway === undefined ? [] : [gateway.url]));

  /** A connection to the Redis that counts now. */
  readonly connect = (): RespClient => this.watched?.client(this.redis) ?? this.redis.client(this.owner);

  async addSite(): Promise<void> {
    const link = await startLink(this.owner, () => this.redis.port);
    const site: Site = { link, port: await freePort(this.owner), gateway: undefined };
    this.sites.push(site);
    await this.startSite(site);
  }

  async startSite(site: Site): Promise<void> {
    site.gateway = await startGateway(this.owner, {
      port: site.port,
      config: configFor(
        this.watched === undefined ? `redis: redis://127.0.0.1:${site.link.port}` : `sentinel: ${this.watched.yaml}`,
      ),
    });
  }

  async killSite(site: Site): Promise<void> {
    const { gateway } = site;
    site.gateway = undefined;
    await gateway?.child.kill();
  }

  /** How many events all clients have received. */
  get seen(): number {
    return this.clients.reduce((sum, { received }) => sum + received.size, 0);
  }

  /** The first gateway. */
  get site(): Site {
    const [site] = this.sites;
    if (site === undefined) throw new Error('a deployment has a gateway');
    return site;
  }

  /** Adds a client of that habit, following streams by number and, where `pubsub`, the pub/sub channel as well. */
  addClient(habit: Habit, streams: readonly number[], more: Partial<Extra> = {}): CheckedClient {
    const { pubsub = false, beginning = { kind: 'live' }, channel = 's' } = more;
    const channels = new Map(streams.map((number): [string, string] => [`${channel}.${number}`, `s:${number}`]));
    if (pubsub) channels.set(PUBSUB, PUBSUB);
    const name = `${habit} ${this.clients.length} (${[...channels.keys()].join(' ')}, ${beginning.kind})`;
    const options: ClientOptions = {
      ...{ name, habit, channels, beginning, gateways: this.urls },
      dice: dice(this.options.seed * 1_000 + this.clients.length),
    };
    const client = startClient(this.owner, options);
    this.clients.push(client);
    return client;
  }

  /** Starts to write. */
  startWriting(): void {
    const each = 4_000 / this.options.rate;
    for (const [name, way] of [
      ['xadd-1', 'xadd'],
      ['xadd-2', 'xadd'],
      ['post-1', 'post'],
      ['publish-1', 'publish'],
    ] as const) {
      this.producers.push(startProducer(this.owner, this.#producer(name, way), each));
    }
  }

  async pauseWriting(): Promise<void> {
    await Promise.all(this.producers.map((producer) => producer.pause()));
  }

  resumeWriting(): void {
    for (const producer of [this.scribe, ...this.producers]) producer.resume();
  }

  /** Runs a fault; pub/sub may lose with a gap from its beginning until `afterMs` after its end. */
  async disturb(fault: () => Promise<void>, afterMs = 30_000): Promise<void> {
    const window = { from: performance.now(), to: Number.POSITIVE_INFINITY };
    this.disturbances.push(window);
    await fault();
    window.to = performance.now() + afterMs;
  }

  /** Settles when every client has an entry of each of its streams that is written now; false where some have not in time. */
  async reachesEverybody(patienceMs: number = this.options.patienceMs): Promise<boolean> {
    const written = await writeLast(this.scribe, STREAMS.keys());
    const isThere = ({ log, received }: CheckedClient) => {
      const feeds = new Set(log.channels.values());
      return written.every(({ stamp, key }) => !feeds.has(stamp.feed) || received.has(key));
    };
    return await waitFor('all', () => this.clients.every(isThere), patienceMs).catch(() => false);
  }

  /** Stops writing, lets everybody reach the end, and judges. */
  async verdict(): Promise<Finding[]> {
    await Promise.all(this.producers.map((producer) => producer.stop()));
    for (const client of this.clients) client.calmDown();
    const ended = performance.now();
    const reached = await this.reachesEverybody();
    await this.truth.catchUp();
    await delay(reached ? 100 : 0); // what comes twice comes now
    await Promise.all(this.clients.map((client) => client.stop()));
    const { journal, excuses, disturbances } = this;
    const logs = this.clients.map(({ log }) => log);
    const findings = judge({
      ...{ logs, journal, excuses, disturbances },
      histories: this.truth.histories,
      finished: true,
      forked: this.watched !== undefined,
    });
    if (!reached && findings.length === 0) {
      findings.push({ kind: 'stuck', who: 'somebody', channel: '', at: ended, detail: 'reached the end too late' });
    }
    return [...this.oddities, ...findings];
  }

  #producer(name: string, way: 'xadd' | 'post' | 'publish'): Producer {
    const setting = { connect: this.connect, gateways: this.urls, channels: STREAMS, pubsub: PUBSUB };
    return new Producer(name, way, { ...setting, journal: this.journal, dice: dice(this.options.seed + name.length) });
  }
}

/** What a client may differ in. */
interface Extra {
  readonly pubsub: boolean;
  readonly beginning: Beginning;
  /** `all` is configured with `replay: all`. */
  readonly channel: 's' | 'all';
}

/** Starts everything: writers that write and the usual clients, each with its stream open. */
export async function deploy(owner: Owner, options: DeploymentOptions): Promise<Deployment> {
  const settings = options.persistence === 'always' ? ['--appendonly', 'yes', '--appendfsync', 'always'] : [];
  const watched = options.sentinel ? await startWatched(owner, settings) : undefined;
  const redis = watched?.servers[0] ?? (await startRedis(owner, [...settings, '--enable-debug-command', 'yes']));
  const deployment = new Deployment(owner, redis, watched, options);
  await Promise.all(Array.from({ length: options.gateways }, () => deployment.addSite()));
  // Nothing is in the way yet, so nobody may be told of a gap: the gateways have to be there first.
  const all = [...STREAMS.values(), PUBSUB].map((channel) => `channel=${channel}`).join('&');
  for (const { gateway } of deployment.sites) {
    if (gateway !== undefined) (await heard(owner, gateway, `/events?${all}`)).cut();
  }
  deployment.startWriting();
  deployment.addClient('steady', [1]);
  deployment.addClient('steady', [1, 2], { pubsub: true });
  deployment.addClient('cut', [2]);
  deployment.addClient('cut', [3, 1, 2]);
  deployment.addClient('slow', [1], { pubsub: true });
  deployment.addClient('late', [3]);
  deployment.addClient('late', [2, 3], { beginning: { kind: 'start' } });
  if (options.gateways > 1) {
    deployment.addClient('hopping', [1]);
    deployment.addClient('hopping', [2, 3]);
  }
  const { clients } = deployment;
  const opened = () => clients.every(({ log }) => log.seen.some(({ kind }) => kind === 'open'));
  await waitFor('all clients to be open', opened, 60_000);
  return deployment;
}

function configFor(source: string): string {
  return `sources:
  main:
    ${source}
channels:
  s.{n}: {stream: "s:{n}", publish: {maxlen: 1000000}}
  all.{n}: {stream: "s:{n}", replay: all}
  ${PUBSUB}: {}
allow: {subscribe: ["*"], publish: ["*"]}
`;
}
