/** The gateway's core without HTTP and Redis: real hub, logs and fan-out on a clock and sockets that a test controls. */
import { pino } from 'pino';
import type { Brought } from '../../src/channel/continuity.ts';
import type { HistoryLimits } from '../../src/channel/history.ts';
import { parseCursor } from '../../src/cursor.ts';
import type { Message } from '../../src/event.ts';
import { Fanout } from '../../src/fanout/fanout.ts';
import { openStream } from '../../src/fanout/opening.ts';
import type { Channel } from '../../src/hub/channel.ts';
import { Hub } from '../../src/hub/hub.ts';
import { Keeping, type KeepingLimits } from '../../src/hub/keeping.ts';
import type { Plan } from '../../src/hub/plan.ts';
import { Metrics } from '../../src/metrics/metrics.ts';
import { Numbering } from '../../src/position.ts';
import { MemorySource } from '../../src/source/memory.ts';
import type { Source } from '../../src/source/source.ts';
import { FakeClock } from '../client/fake-clock.ts';
import { Client, type ClientOptions } from './fake-client.ts';
import { UNBOUNDED } from './fake-socket.ts';

/** A logger that says nothing. */
export const silent = pino({ level: 'silent' });

/** How a core differs from one that keeps everything. */
export interface CoreOptions {
  /** Default: memory. */
  readonly source?: Source;
  readonly history?: Partial<HistoryLimits>;
  readonly limits?: Partial<KeepingLimits>;
  readonly maxChannels?: number;
  readonly maxEventSize?: number;
  readonly maxConnectionAge?: number;
  readonly clock?: FakeClock;
  /** Default: `here`. */
  readonly epoch?: string;
  /** How the channel of a name differs from a plain one. */
  readonly plan?: (name: string) => Partial<Plan>;
}

/** All parts from the source to the subscribers. Every name is a channel, except those that begin with `unknown`. */
export class Core {
  readonly clock: FakeClock;
  readonly numbering: Numbering;
  readonly metrics = new Metrics();
  readonly keeping: Keeping;
  readonly hub: Hub;
  readonly fanout: Fanout;
  readonly #followed = new Map<string, Channel>();

  constructor(options: CoreOptions = {}) {
    this.clock = options.clock ?? new FakeClock();
    this.numbering = new Numbering(options.epoch ?? 'here');
    const { clock } = this;
    const source = options.source ?? new MemorySource('memory', () => clock.now());
    const limits = { historyTotal: UNBOUNDED, window: UNBOUNDED, bufferedTotal: UNBOUNDED, ...options.limits };
    this.keeping = new Keeping(this.numbering, limits, clock, () => this.fanout.nudge());
    const plain = {
      source,
      reading: { format: 'text', encode: 'none', typeOf: undefined },
      replay: { kind: 'none' },
      publisherIds: false,
      history: { events: UNBOUNDED, age: UNBOUNDED, bytes: UNBOUNDED, ...options.history },
      conflate: false,
      maxRate: undefined,
      endAfter: 0,
      publish: { maxlen: 0, expire: 0 },
      shape: '',
      idempotency: 60_000,
      linger: 60_000,
      always: false,
    } as const;
    const kind = source instanceof MemorySource ? 'memory' : 'pubsub';
    const plan = (name: string): Plan => ({ ...plain, name, feed: { kind, name }, ...options.plan?.(name) });
    this.hub = new Hub({
      plan: (name) => (name.startsWith('unknown') ? undefined : plan(name)),
      sources: [source],
      keeping: this.keeping,
      clock,
      metrics: this.metrics,
      always: [],
      maxChannels: options.maxChannels ?? UNBOUNDED,
      maxEventSize: options.maxEventSize ?? UNBOUNDED,
    });
    this.fanout = new Fanout({
      numbering: this.numbering,
      clock,
      random: () => 0.5,
      logger: silent,
      metrics: this.metrics,
      maxEventSize: options.maxEventSize ?? UNBOUNDED,
      maxConnectionAge: options.maxConnectionAge ?? UNBOUNDED,
      settled: (all) => this.keeping.settle(all),
      release: (channel) => this.hub.release(channel),
    });
    this.hub.start();
  }

  plan(name: string): Plan {
    const plan = this.hub.plan(name);
    if (plan === undefined) throw new Error(`no channel is named ${name}`);
    return plan;
  }

  /** Follows a channel as a subscription does. */
  follow(name: string): Channel {
    const channel = this.hub.follow(this.plan(name));
    this.#followed.set(name, channel);
    return channel;
  }

  /** The channel that was followed last by that name. */
  channel(name: string): Channel {
    const channel = this.#followed.get(name);
    if (channel === undefined) throw new Error(`nobody has followed ${name}`);
    return channel;
  }

  /** Publishes on a memory channel; gives the number of the event. */
  publish(name: string, data: string | Buffer, more: Omit<Message, 'data'> = {}): number {
    void this.hub.publish(this.plan(name), { data: Buffer.from(data), ...more });
    return this.numbering.last;
  }

  /** Ends a memory channel; gives the number of the end. */
  end(name: string): number {
    void this.hub.publish(this.plan(name), { end: true });
    return this.numbering.last;
  }

  /** Opens a stream on a fake socket, with what the client sends as its last id. */
  subscribe(names: readonly string[], lastEventId?: string, options: ClientOptions = {}): Client {
    const channels = names.map((name) => this.follow(name));
    const client = new Client(channels, options);
    client.subscriber = this.fanout.admit(client.outlet, channels, options.view ?? 'shared');
    const { fanout, numbering, clock, metrics } = this;
    const { replay, announce = true } = options;
    openStream(
      client.subscriber,
      { brought: broughtBy(lastEventId), replay, announce },
      { fanout, numbering, clock, metrics },
    );
    return client;
  }
}

/** What a client brings who sends this as its last id. */
export function broughtBy(lastEventId: string | undefined): Brought {
  if (lastEventId === undefined) return { kind: 'nothing' };
  const cursor = parseCursor(lastEventId);
  return cursor === undefined ? { kind: 'text', text: lastEventId } : { kind: 'cursor', cursor };
}
