/** Two gateways on one Redis, and clients of every speed that go from one to the other. */
import type { Channel } from '../../src/hub/channel.ts';
import { formatPosition, type Position } from '../../src/position.ts';
import { Core } from '../support/core.ts';
import type { Client } from '../support/fake-client.ts';
import { UNBOUNDED } from '../support/fake-socket.ts';
import { FakeRedis, FakeStreams } from '../support/fake-streams.ts';
import { Ledger } from '../support/ledger.ts';
import type { TrueEntry } from '../support/stream-truth.ts';
import { quiet, turn } from '../support/turns.ts';
import { HurryingClock } from './hurrying-clock.ts';
import { KeyJudge } from './key-judge.ts';
import { LogJudge } from './log-judge.ts';
import type { Asking, From, MixedAct, MixedSetting } from './mixed-acts.ts';
import { MixedWitness, madeUp, type Place } from './mixed-witness.ts';
import type { Coming, Judge, Standing } from './standings.ts';
import { StreamJudge } from './stream-judge.ts';

/** The channels that there are: streams, a key, and a log in memory, which each gateway has for itself. */
export const NAMES = ['s', 't', 'k', 'm'];
const STREAMS = ['s', 't'];
const EPOCHS = ['here', 'there'];

/** One process. */
interface Gateway {
  readonly core: Core;
  readonly source: FakeStreams;
  readonly ledger: Ledger;
  readonly memory: Channel;
}

/** One response, and the witness of what is in it. */
export interface MixedReader {
  readonly names: readonly string[];
  readonly gateway: Gateway;
  readonly client: Client;
  readonly witness: MixedWitness;
  readonly opened: Opened;
}

/** How many entries there were, or the number given out last, by channel, when a stream was opened. */
interface Opened {
  bounds: ReadonlyMap<string, number> | undefined;
  /** What its streams held then. */
  kept: ReadonlyMap<string, readonly TrueEntry[]> | undefined;
  /** Its source was away before that. */
  down: boolean;
}

/** What is asked for where nothing is. */
const PLAIN: Asking = { room: UNBOUNDED, form: 'chunked', view: 'shared', replay: { kind: 'none' } };
/** How long a source may take to confirm and to answer before a stream is opened without it. */
const CONFIRM_MS = 1000;
/** Rounds in which everybody must have come to the end. */
const ROUNDS = 150;
/** Turns after which nothing goes on that could. */
const QUIET_TURNS = 20;
/** In how many of them pages are small, and how many entries are in a page from then on. */
const SMALL_ROUNDS = 15;
const LARGE_PAGE = 100;

export class MixedReaders {
  readonly redis = new FakeRedis(STREAMS, ['k']);
  readonly gateways: readonly Gateway[];
  readonly all: MixedReader[] = [];
  readonly open: MixedReader[] = [];
  readonly #setting: MixedSetting;
  #published = 0;

  constructor(setting: MixedSetting) {
    this.#setting = setting;
    this.gateways = EPOCHS.map((epoch) => this.#gateway(epoch));
  }

  /** Does what was drawn. */
  async perform(act: MixedAct): Promise<void> {
    this.#noteOpened();
    await this.#perform(act);
    if (this.#setting.eager) for (const { source } of this.gateways) source.confirmNew();
    if (this.#setting.prompt) for (const { source } of this.gateways) source.answer(0, 2);
    this.#noteOpened();
  }

  /** Opens a stream with what was seen. */
  join(names: readonly string[], at: number, place: Partial<Place> | undefined, asking: Asking = PLAIN): void {
    const gateway = pick(this.gateways, at);
    if (gateway === undefined) return;
    const opened: Opened = { bounds: undefined, kept: undefined, down: false };
    const resumes = place !== undefined;
    const bound = (name: string): number => (opened.bounds ?? this.#bounds(gateway)).get(name) ?? 0;
    const judgeOf = (name: string): Judge =>
      this.#judge(name, gateway, {
        resumes,
        has: place?.standings?.get(name),
        replay: resumes ? { kind: 'none' } : asking.replay,
        bound: () => bound(name),
        kept: () => (opened.kept ?? this.#kept()).get(name) ?? [],
      });
    const { core, source } = gateway;
    const [cameAt, refusals] = [core.clock.wall(), source.refusals];
    const late = (): boolean => {
      return core.clock.wall() - cameAt >= CONFIRM_MS || source.refusals > refusals || opened.down;
    };
    const witness = new MixedWitness({ names, resumes, enveloped: asking.view === 'enveloped', judgeOf, late });
    const client = gateway.core.subscribe(names, place?.id, { ...asking, received: (event) => witness.see(event) });
    const reader = { names, gateway, client, witness, opened };
    this.open.push(reader);
    this.all.push(reader);
  }

  leave(reader: MixedReader | undefined): void {
    if (reader === undefined) return;
    reader.client.socket.hangUp();
    this.open.splice(this.open.indexOf(reader), 1);
  }

  /** Lets everybody have all there is. Throws at anything that any reader found wrong, or does not get. */
  async finish(): Promise<void> {
    await this.#logsAreServed();
    for (const { source } of this.gateways) source.restore();
    for (let round = 0; ; round += 1) {
      if (round % 40 === 0) this.#last();
      await this.#round(round);
      for (const { client } of this.all) client.check();
      if (this.open.every(({ witness }) => witness.complete)) return;
      if (round === ROUNDS) break;
    }
    const stuck = this.open.filter(({ witness }) => !witness.complete);
    const [first] = stuck;
    throw new Error(`${stuck.length} never get all, such as ${first?.names} that lacks ${first?.witness.lacking}`);
  }

  /** Whoever waits for a stream whose source is away is given what is in memory all the same. */
  async #logsAreServed(): Promise<void> {
    for (const { source } of this.gateways) source.lose();
    this.#noteOpened();
    await turn();
    for (const gateway of this.gateways) this.#publish(gateway, 0);
    for (const { client } of this.open) client.socket.give(UNBOUNDED);
    await quiet(this.#setting.hurry === 0 ? QUIET_TURNS : QUIET_TURNS + 4 * this.open.length);
    for (const { client, witness } of this.open) {
      client.check();
      if (client.subscriber?.place === 'opening' || !witness.lacking.includes('m')) continue;
      throw new Error(`${client.channels.map(({ name }) => name)} waits for what is in memory`);
    }
  }

  /** Everything that is asked is answered, read and taken once. */
  async #round(round: number): Promise<void> {
    for (const { core, source } of this.gateways) {
      for (const feed of source.followed) source.read(feed, 1 + (round % 4));
      // Small pages at first; then larger ones, so that many who stand at many places come to the end.
      const count = round < SMALL_ROUNDS ? 1 + (round % 3) : LARGE_PAGE;
      for (let left = source.waiting; left > 0; left -= 1) source.answer(0, count);
      core.clock.advance(round % 3 === 0 ? 100 : 0);
    }
    for (const { client } of this.open) client.socket.give(UNBOUNDED);
    // On a clock that hurries, a turn of the fan-out serves one.
    await quiet(this.#setting.hurry === 0 ? 1 : this.open.length + 1);
    this.#noteOpened();
  }

  /** Everybody leaves, and what lingers is over. */
  async everybodyLeaves(): Promise<void> {
    for (const reader of [...this.open]) this.leave(reader);
    for (let round = 0; round < 10; round += 1) {
      await this.#round(round);
      for (const { core } of this.gateways) core.clock.advance(1000);
    }
  }

  /** The last of everything, which everybody must come to. */
  #last(): void {
    this.#published += 1;
    for (const stream of this.redis.streams.values()) stream.add(0, this.#now(), true);
    this.redis.key('k').set(`k last ${this.#published}`);
    for (const gateway of this.gateways) this.#publish(gateway, 0);
  }

  async #perform(act: MixedAct): Promise<void> {
    switch (act.kind) {
      case 'add':
        for (let left = act.count; left > 0; left -= 1) this.#stream(act).add(act.size, this.#now(), act.low);
        return;
      case 'trim':
        return this.#stream(act).trim(act.keep);
      case 'take-out':
        return this.#stream(act).delete(act.index);
      case 'drop':
        return this.#stream(act).drop();
      case 'undo':
        return this.#stream(act).undo(act.count);
      case 'set':
        return this.redis.key('k').set(act.value === undefined ? undefined : `k ${act.value}`);
      case 'wait':
        for (const { core } of this.gateways) core.clock.advance(act.ms);
        return;
      case 'turn':
        return await turn();
      case 'take':
        return pick(this.open, act.reader)?.client.socket.give(act.bytes);
      case 'leave':
        return this.leave(pick(this.open, act.reader));
      case 'return':
        return this.#comeBack(pick(this.open, act.reader), act.at, act.room);
      case 'join':
        return this.#join(act);
      default:
        return this.#atGateway(act);
    }
  }

  #atGateway(act: Extract<MixedAct, { kind: 'publish' | 'read-on' | 'answer' | 'link' }>): void {
    const gateway = pick(this.gateways, act.at);
    if (gateway === undefined) return;
    const { source } = gateway;
    switch (act.kind) {
      case 'publish':
        for (let left = act.count; left > 0; left -= 1) this.#publish(gateway, act.size);
        return;
      case 'read-on':
        source.read(pick(source.followed, act.feed), act.count);
        return;
      case 'answer':
        source.answer(act.index, act.count);
        return;
      case 'link':
        if (act.up) source.restore();
        else source.lose();
        this.#noteOpened();
        return;
      default:
        act satisfies never;
    }
  }

  #join({ at, channels, from, ...asking }: Extract<MixedAct, { kind: 'join' }>): void {
    const names = NAMES.filter((_, i) => (channels >> i) % 2 === 1);
    const place = this.#placeOf(from, names);
    this.join(place?.names ?? names, at, place, asking);
  }

  #placeOf(from: From, names: readonly string[]): Partial<Place> | undefined {
    if (from.kind === 'nothing') return undefined;
    if (from.kind === 'seen') {
      const seen = this.all.flatMap(({ witness }) => witness.seen);
      return pick(seen, from.index);
    }
    return { id: from.text, standings: madeUp(from.text, names, (name, position) => this.#madeUp(name, position)) };
  }

  #madeUp(name: string, position: Position): Standing | undefined {
    const text = formatPosition(position);
    if (STREAMS.includes(name) && position.kind === 'stream') {
      const at = this.redis.stream(name).place(position);
      return { kind: 'stream', at, foreign: at === undefined ? text : undefined, told: false };
    }
    if (name === 'k' && position.kind === 'key') {
      const foreign = text === '~0' ? undefined : text;
      return { kind: 'key', has: undefined, foreign, epoch: '', index: 0 };
    }
    if (name === 'm' && position.kind === 'log') return { kind: 'log', epoch: position.epoch, number: position.number };
    return undefined;
  }

  /** Cut wherever it is, and back with the last id that it had whole. */
  #comeBack(reader: MixedReader | undefined, at: number, room: number): void {
    if (reader === undefined) return;
    this.leave(reader);
    this.join(reader.names, at, reader.witness.seen.at(-1), { ...PLAIN, room });
  }

  #stream({ stream }: { readonly stream: number }): ReturnType<FakeRedis['stream']> {
    return this.redis.stream(pick(STREAMS, stream) ?? '');
  }

  #publish({ core, ledger }: Gateway, size: number): void {
    this.#published += 1;
    const data = `m ${this.#published} `.padEnd(size, '.');
    ledger.add('m', { number: core.publish('m', data), kind: 'event', data });
  }

  #judge(name: string, gateway: Gateway, coming: Coming): Judge {
    if (STREAMS.includes(name)) return new StreamJudge(this.redis.stream(name), coming);
    if (name === 'k') return new KeyJudge(this.redis.key(name), gateway.core.numbering.epoch, coming);
    const { ledger, core, memory } = gateway;
    const dropped = (): number => memory.log.dropped;
    return new LogJudge({ ledger, name, epoch: core.numbering.epoch, dropped }, coming);
  }

  #noteOpened(): void {
    for (const { client, gateway, opened } of this.open) {
      if (client.subscriber?.place === 'opening') opened.down ||= !gateway.source.up;
      else {
        opened.bounds ??= this.#bounds(gateway);
        opened.kept ??= this.#kept();
      }
    }
  }

  #bounds({ core }: Gateway): ReadonlyMap<string, number> {
    const streams = STREAMS.map((name) => [name, this.redis.stream(name).entries.length] as const);
    return new Map([...streams, ['m', core.numbering.last]]);
  }

  #kept(): ReadonlyMap<string, readonly TrueEntry[]> {
    return new Map(STREAMS.map((name) => [name, [...this.redis.stream(name).kept]]));
  }

  #now(): number {
    return this.gateways[0]?.core.clock.now() ?? 0;
  }

  #gateway(epoch: string): Gateway {
    const { events, window, hurry } = this.#setting;
    const clock = new HurryingClock(hurry);
    const source = new FakeStreams(this.redis, () => clock.now());
    const core = new Core({
      epoch,
      clock,
      source,
      history: { events },
      limits: { window },
      plan: (name) => {
        if (name === 'm') return { feed: { kind: 'memory', name } };
        if (name === 'k') return { feed: { kind: 'key', name }, conflate: true, linger: 3000 };
        return { feed: { kind: 'stream', name }, linger: 3000 };
      },
    });
    return { core, source, ledger: new Ledger(), memory: core.follow('m') };
  }
}

function pick<T>(from: readonly T[], index: number): T | undefined {
  return from[index % from.length];
}
