/** The gateway: every part built from the configuration in the order of the data, started in that order, stopped in reverse. */
import { randomBytes } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { type Credential, Policy } from './auth/policy.ts';
import type { Clock, LoopDelay, Random } from './clock.ts';
import { MEMORY_SOURCE } from './config/channels.ts';
import type { Config } from './config/config.ts';
import { isLoopback } from './config/listen.ts';
import { consolePage } from './embedded.ts';
import { Fanout } from './fanout/fanout.ts';
import { drain, Rounds } from './fanout/rounds.ts';
import type { Subscriber } from './fanout/subscriber.ts';
import { AddressLimit } from './http/address-limit.ts';
import { Batch } from './http/batch.ts';
import { capacityOf } from './http/capacity.ts';
import { ClientAddresses } from './http/client-address.ts';
import { Cors } from './http/cors.ts';
import { readGauges } from './http/gauges.ts';
import { Guard } from './http/guard.ts';
import { preparePage } from './http/page.ts';
import { Publish } from './http/publish.ts';
import { PublishRate } from './http/publish-rate.ts';
import { Routes } from './http/routes.ts';
import { type HttpOptions, HttpServer } from './http/server.ts';
import { Subscribe } from './http/subscribe.ts';
import type { Channel } from './hub/channel.ts';
import { Hub, type HubSettings } from './hub/hub.ts';
import { Keeping, type KeepingLimits } from './hub/keeping.ts';
import { followedAlways, planner } from './hub/planning.ts';
import type { Logger } from './logger.ts';
import { exposition } from './metrics/exposition.ts';
import { Metrics } from './metrics/metrics.ts';
import { epochFrom, Numbering } from './position.ts';
import { MemorySource } from './source/memory.ts';
import { RedisSource } from './source/redis-source.ts';
import type { Source } from './source/source.ts';
import { Pinned } from './sse/pinned.ts';

/** What a gateway is started with. */
export interface AppOptions {
  readonly config: Config;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly random: Random;
  /** The key that gives the same user on the same machine all rights; undefined for none. */
  readonly localKey: string | undefined;
  /** How many lines the log could not write; default 0. */
  readonly logLinesDropped?: () => number;
  /** How late the event loop was since the last call; default: not told. */
  readonly loopDelay?: () => LoopDelay;
  /** How many files the process may open; default: not known. */
  readonly descriptors?: number | undefined;
  /** The descriptor of a socket that listens at `server.listen` already; default: one of our own is opened. */
  readonly inherited?: number | undefined;
}

/** A gateway that listens. */
export interface App {
  /** Such as `http://127.0.0.1:8080`, without a slash at its end; `unix:/path` for a socket. */
  readonly url: string;
  readonly metrics: Metrics;
  /**
   * Goes by another configuration: connections that are not concerned stay. What is set when the process starts stays
   * as it was (`server.listen`, `server.reuse_port`).
   */
  reload(config: Config): void;
  /** Ends every stream so that its client comes back, then stops. `window`: milliseconds, instead of `server.drain.window`. */
  stop(window?: number): Promise<void>;
  /** Stops at once. */
  kill(): void;
}

/** Starts a gateway. Throws ListenError where its address cannot be listened on. */
export async function startApp(options: AppOptions): Promise<App> {
  const { clock, random } = options;
  let current = options;
  let stopping = false;
  const core = buildCore(options);
  const edge = new Edge(core, clock, () => (stopping ? current.config.server.drain : undefined));
  let parts = edge.parts(options);
  const { listen, reuse_port: reusePort } = options.config.server;
  const listening = { listen, inherited: options.inherited, reusePort };
  const http = new HttpServer({
    ...parts,
    listening,
    metrics: core.metrics,
    logger: options.logger,
    stopping: () => stopping,
  });

  const url = await http.start();
  core.hub.start();
  core.rounds.start();
  const kill = (): void => {
    for (const { outlet } of core.fanout.subscribers.keys()) outlet.destroy('drain');
    http.stop();
    core.rounds.stop();
    core.hub.stop();
  };
  const stop = async (window = current.config.server.drain.window): Promise<void> => {
    stopping = true;
    const deadline = clock.now() + window;
    const relieved = isShared(options);
    if (relieved) await http.leave();
    const { subscribers } = core.fanout;
    await drain({ subscribers, clock, random, window, retry: current.config.server.drain.retry, relieved });
    // Nobody comes from here on, and who has published until now is still answered.
    if (!relieved) await http.leave();
    await http.answered(clock, Math.max(0, deadline - clock.now()));
    kill();
  };
  const reload = (config: Config): void => {
    const before = current.config;
    current = { ...options, config };
    const replaced = reloadCore(core, before, current);
    parts = edge.parts(current);
    http.replace(parts);
    core.fanout.cut((subscriber) => {
      if (!parts.subscribe.mayStay(subscriber)) return { ending: 'not-allowed', after: 0 };
      const told = subscriber.channels.flatMap((channel) => replaced.get(channel) ?? []);
      return told.length > 0 ? { ending: 'reloaded', after: Math.max(...told) } : undefined;
    });
  };
  return { url, metrics: core.metrics, reload, stop, kill };
}

/** Whether others may listen where this gateway does. */
function isShared({ config, inherited }: AppOptions): boolean {
  return inherited !== undefined || config.server.reuse_port;
}

/** The parts from the sources to the subscribers. What depends on the configuration is changed by a reload. */
interface Core {
  readonly numbering: Numbering;
  readonly metrics: Metrics;
  readonly keeping: Keeping;
  readonly hub: Hub;
  readonly fanout: Fanout;
  sources: ReadonlyMap<string, Source>;
  rounds: Rounds;
}

function buildCore(options: AppOptions): Core {
  const { config, logger, clock, random } = options;
  const { limits, server } = config;
  const numbering = new Numbering(epochFrom(randomBytes(7)));
  const metrics = new Metrics();
  const sources = buildSources(options, new Map());
  const keeping = new Keeping(numbering, keepingLimits(config), clock, () => fanout.nudge());
  const hub = new Hub({ ...hubSettings(config, sources), keeping, clock, metrics });
  const fanout = new Fanout({
    numbering,
    clock,
    random,
    logger,
    metrics,
    maxEventSize: limits.event_size,
    maxConnectionAge: server.max_connection_age,
    settled: (all) => keeping.settle(all),
    release: (channel) => hub.release(channel),
  });
  const rounds = new Rounds({ subscribers: fanout.subscribers, clock, heartbeat: server.heartbeat });
  return { numbering, metrics, keeping, hub, fanout, sources, rounds };
}

/** Brings a running core to another configuration; gives the channels that read something else now, as the hub does. */
function reloadCore(core: Core, before: Config, options: AppOptions): ReadonlyMap<Channel, number> {
  const { config, clock } = options;
  const { limits, server } = config;
  const same = [...core.sources].filter(([name]) => isSameSource(before, config, name));
  core.sources = buildSources(options, new Map(same));
  core.keeping.limit(keepingLimits(config));
  core.fanout.limit({ maxEventSize: limits.event_size, maxConnectionAge: server.max_connection_age });
  if (server.heartbeat !== before.server.heartbeat) {
    core.rounds.stop();
    core.rounds = new Rounds({ subscribers: core.fanout.subscribers, clock, heartbeat: server.heartbeat });
    core.rounds.start();
  }
  return core.hub.reload(hubSettings(config, core.sources));
}

function keepingLimits({ limits }: Config): KeepingLimits {
  const { history_total: historyTotal, window, buffered_total: bufferedTotal } = limits;
  return { historyTotal, window, bufferedTotal };
}

function hubSettings({ channels, limits }: Config, sources: ReadonlyMap<string, Source>): HubSettings {
  const plan = planner(channels, sources);
  return {
    plan,
    sources: [...sources.values()],
    always: followedAlways(channels, plan),
    maxChannels: limits.channels,
    maxEventSize: limits.event_size,
  };
}

/** What a reload puts in the place of what answered before. */
type Parts = Pick<HttpOptions, 'basePath' | 'cors' | 'subscribe' | 'routes' | 'maxConnections'>;

/** Builds what answers requests, from a configuration; what is counted over all of them outlives each. */
class Edge {
  readonly #core: Core;
  readonly #stopping: () => Config['server']['drain'] | undefined;
  readonly #pinned = new Pinned(Number.POSITIVE_INFINITY);
  readonly #addressLimit = new AddressLimit(0, new ClientAddresses([]));
  readonly #publishRate: PublishRate;
  readonly #credentials = new WeakMap<Subscriber, Credential>();
  readonly #page = preparePage(consolePage());

  constructor(core: Core, clock: Clock, stopping: () => Config['server']['drain'] | undefined) {
    this.#core = core;
    this.#publishRate = new PublishRate(clock);
    this.#stopping = stopping;
  }

  parts(options: AppOptions): Parts {
    const { config, logger } = options;
    const { limits, server } = config;
    const { hub, numbering, metrics } = this.#core;
    const cors = new Cors(config.cors);
    const guard = new Guard({ policy: buildPolicy(options), cors, hosts: server.hosts, reach: reachOf(config) });
    const capacity = capacityOf(limits.connections, options.descriptors);
    this.#pinned.limit(limits.buffered_total);
    const addresses = new ClientAddresses(server.trusted_proxies);
    this.#addressLimit.limit(limits.connections_per_ip, addresses);
    this.#publishRate.limit(limits.publish_rate, addresses);
    const subscribe = this.#subscribe(options, { guard, cors, maxStreams: capacity.streams });
    const rate = this.#publishRate;
    const publish = new Publish({ guard, hub, numbering, metrics, rate, maxEventSize: limits.event_size });
    const batch = new Batch({ guard, publish, logger, maxEventSize: limits.event_size });
    const sources = [...this.#core.sources.values()];
    const status = { sources, stopping: () => this.#stopping() !== undefined };
    const text = (): string => this.#metrics(sources, options);
    const page = this.#page;
    const routes = new Routes({ guard, cors, subscribe, publish, batch, hub, numbering, status, page, metrics: text });
    return { basePath: server.base_path, cors, subscribe, routes, maxConnections: capacity.connections };
  }

  #subscribe({ config, clock, random }: AppOptions, edge: { guard: Guard; cors: Cors; maxStreams: number }): Subscribe {
    const { hub, fanout, numbering, metrics } = this.#core;
    const { limits, server } = config;
    return new Subscribe({
      ...edge,
      hub,
      fanout,
      opening: { fanout, numbering, clock, metrics },
      clock,
      random,
      retry: server.retry,
      clientStall: limits.client_stall,
      pinned: this.#pinned,
      maxChannels: limits.channels_per_connection,
      addressLimit: this.#addressLimit,
      credentials: this.#credentials,
      stopping: this.#stopping,
    });
  }

  #metrics(sources: readonly Source[], { logLinesDropped = () => 0, loopDelay }: AppOptions): string {
    const { hub, fanout, keeping, metrics } = this.#core;
    const { held } = keeping.context;
    const { subscribers } = fanout;
    const gauges = { hub, sources, subscribers, held, pinned: this.#pinned, logLinesDropped, loopDelay };
    return exposition(metrics, readGauges(gauges));
  }
}

/** Those of `running` stay as they are. */
function buildSources(
  { config, clock, random, logger }: AppOptions,
  running: ReadonlyMap<string, Source>,
): Map<string, Source> {
  const sources = new Map<string, Source>();
  const valueLimit = config.limits.event_size;
  for (const [name, { redis, prefix }] of config.sources) {
    const options = { name, address: redis, prefix, valueLimit, clock, random, logger };
    sources.set(name, running.get(name) ?? new RedisSource(options));
  }
  if (config.channels.all.some((channel) => channel.source === MEMORY_SOURCE)) {
    sources.set(MEMORY_SOURCE, running.get(MEMORY_SOURCE) ?? new MemorySource(MEMORY_SOURCE, () => clock.now()));
  }
  return sources;
}

/** What is in memory alone lives as long as the process. */
function isSameSource(before: Config, after: Config, name: string): boolean {
  if (name === MEMORY_SOURCE) return true;
  const same = isDeepStrictEqual(before.sources.get(name), after.sources.get(name));
  return same && before.limits.event_size === after.limits.event_size;
}

function buildPolicy({ config, localKey }: AppOptions): Policy {
  const loopback = isLoopback(config.server.listen);
  return new Policy({ allow: config.allow, localKey, openToAll: loopback && config.origin === 'none', loopback });
}

function reachOf(config: Config): 'loopback' | 'open' | 'unix' {
  if (config.server.listen.kind === 'unix') return 'unix';
  return isLoopback(config.server.listen) ? 'loopback' : 'open';
}
