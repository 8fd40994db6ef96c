/** Readers of every speed on one core, each with a witness of what it is told. */

import assert from 'node:assert/strict';
import { formatCursor, logCursor } from '../../src/cursor.ts';
import type { Channel } from '../../src/hub/channel.ts';
import type { Replay } from '../../src/position.ts';
import { Core } from '../support/core.ts';
import type { Client, ClientOptions } from '../support/fake-client.ts';
import { UNBOUNDED } from '../support/fake-socket.ts';
import type { FakeSource } from '../support/fake-source.ts';
import { Ledger } from '../support/ledger.ts';
import { quiet, turn, turnUntil } from '../support/turns.ts';
import { type Seen, Witness } from '../support/witness.ts';
import type { Act, Cursor, Setting } from './acts.ts';
import { HurryingClock } from './hurrying-clock.ts';

/** The channels that there are. Those in memory are followed by somebody all the time. */
export const CHANNELS = ['a', 'b', 'c'];

const FROM_HEAD: Replay = { kind: 'none' };

/** One stream, and its witness. */
export interface Reader {
  readonly names: readonly string[];
  readonly client: Client;
  readonly witness: Witness;
  /** It takes everything at once. */
  readonly fast: boolean;
}

export class Readers {
  readonly core: Core;
  /** Every stream there was. */
  readonly all: Reader[] = [];
  /** Those that nobody has left. */
  readonly open: Reader[] = [];
  readonly #ledger = new Ledger();
  readonly #source: FakeSource | undefined;
  readonly #began = new Map<Channel, number>();
  #published = 0;

  /** `source`: what the channels are heard from; memory without one. */
  constructor({ events, bytes, window, bufferedTotal, hurry }: Setting, source?: FakeSource) {
    const clock = new HurryingClock(hurry);
    const kept = { clock, history: { events, bytes }, limits: { window, bufferedTotal } };
    this.#source = source;
    this.core = new Core(source === undefined ? kept : { ...kept, source, plan: () => ({ linger: 3000 }) });
    if (source === undefined) for (const name of CHANNELS) this.core.follow(name);
  }

  /** Does what was drawn. */
  async perform(act: Act): Promise<void> {
    switch (act.kind) {
      case 'publish':
        for (let left = act.count; left > 0; left -= 1) this.publish(pick(CHANNELS, act.channel) ?? '', act.size);
        return;
      case 'end':
        return this.end(pick(CHANNELS, act.channel) ?? '');
      case 'join':
        this.join(namesOf(act.channels), this.#cursor(act.cursor), act);
        return;
      case 'read':
        return pick(this.open, act.reader)?.client.socket.give(act.bytes);
      case 'return':
        return this.#comeBack(pick(this.open, act.reader), act.room);
      case 'leave':
        return this.leave(pick(this.open, act.reader));
      case 'lose':
        return this.#source?.lose();
      case 'confirm':
        return this.#confirm(pick(CHANNELS, act.channel) ?? '');
      case 'wait':
        return this.core.clock.advance(act.ms);
      case 'turn':
        return await turn();
      case 'crowd':
        return await this.#crowd(act.count, act.slowEvery);
      default:
        return act satisfies never;
    }
  }

  publish(channel: string, size: number): void {
    this.#published += 1;
    const data = `${channel} ${this.#published} `.padEnd(size, '.');
    if (this.#source === undefined) this.core.publish(channel, data);
    else if (this.#source.hears(channel)) this.#source.hear(channel, data);
    else {
      // It takes no number: its place is behind the last that was given out, and behind the holes before it.
      const number = this.core.numbering.last + 0.5 + this.#published / 1e6;
      this.#ledger.add(channel, { number, kind: 'hole', data });
      return;
    }
    this.#ledger.add(channel, { number: this.core.numbering.last, kind: 'event', data });
  }

  end(channel: string): void {
    this.#ledger.add(channel, { number: this.core.end(channel), kind: 'end', data: '' });
  }

  /** Opens a stream with what somebody has seen. */
  join(names: readonly string[], seen: Seen | undefined, options: ClientOptions = {}): Reader {
    const { room = UNBOUNDED, replay = FROM_HEAD, view = 'shared' } = options;
    const { epoch, last: head } = this.core.numbering;
    const channels = names.map((name) => this.core.follow(name));
    const logs = new Map(channels.map(({ name, log }) => [name, log]));
    for (const log of logs.values()) log.trim();
    const witness = new Witness(names, seen, {
      ledger: this.#ledger,
      epoch,
      head,
      began: new Map(channels.map((channel) => [channel.name, this.#beganAt(channel)])),
      bases: new Map([...logs].map(([name, log]) => [name, log.base])),
      replay,
      enveloped: view === 'enveloped',
      fromSource: this.#source !== undefined,
      dropped: (channel) => logs.get(channel)?.dropped ?? 0,
    });
    const client = this.core.subscribe(names, seen?.id, { ...options, received: (event) => witness.see(event) });
    for (const channel of channels) this.core.hub.release(channel);
    const reader = { names, client, witness, fast: room === UNBOUNDED };
    this.open.push(reader);
    this.all.push(reader);
    return reader;
  }

  leave(reader: Reader | undefined): void {
    if (reader === undefined) return;
    reader.client.socket.hangUp();
    this.open.splice(this.open.indexOf(reader), 1);
  }

  /** Lets everybody read all there is. Throws at anything that any reader found wrong. */
  async finish(): Promise<void> {
    for (const name of this.#source?.followed ?? []) this.#confirm(name);
    if (this.#source !== undefined) for (const name of this.#source.followed) this.publish(name, 0);
    for (const { client } of this.open) client.socket.give(UNBOUNDED);
    await turnUntil('everybody has everything', () => {
      for (const { client } of this.all) client.check();
      return this.open.every(isDone);
    });
    for (const { client, witness } of this.all) {
      if (client.body.complete) assert.ok(witness.over, 'a stream has ended before its channels');
    }
  }

  /** Cut wherever it is, and back with the last id that it had whole. */
  #comeBack(reader: Reader | undefined, room: number): void {
    if (reader === undefined) return;
    this.leave(reader);
    this.join(reader.names, reader.witness.seen.at(-1), { room });
  }

  /** A channel of a source that nobody followed for a while is another one when somebody does again. */
  #beganAt(channel: Channel): number {
    const began = this.#began.get(channel) ?? (this.#source === undefined ? 0 : this.core.numbering.last);
    this.#began.set(channel, began);
    return began;
  }

  #confirm(name: string): void {
    if (this.#source?.followed.includes(name) === true && !this.#source.hears(name)) this.#source.confirm(name);
  }

  /** Many readers of the same channels, at the head; one in `slowEvery` has little room. */
  async #crowd(count: number, slowEvery: number): Promise<void> {
    for (let i = 0; i < count; i += 1) {
      this.join(CHANNELS.slice(0, 2), undefined, { room: i % slowEvery === 0 ? 1000 : UNBOUNDED });
    }
    await quiet(2 * count);
  }

  #cursor(cursor: Cursor): Seen | undefined {
    if (cursor.kind === 'text') return cursor.text === undefined ? undefined : { id: cursor.text, owed: [] };
    if (cursor.kind === 'seen') {
      const seen = this.all.flatMap(({ witness }) => witness.seen);
      return pick(seen, cursor.index);
    }
    const { epoch, last } = this.core.numbering;
    const numbers = CHANNELS.map((name, i) => [name, Math.floor((cursor.shares[i] ?? 0) * last)] as const);
    return { id: formatCursor(logCursor(epoch, new Map(numbers))), owed: [] };
  }
}

/** All has come: where all channels have ended, so has the response, whatever was published afterwards. */
function isDone({ client, witness }: Reader): boolean {
  return client.body.complete || (witness.complete && !witness.over);
}

function namesOf(bits: number): string[] {
  return CHANNELS.filter((_, i) => (bits >> i) % 2 === 1);
}

function pick<T>(from: readonly T[], index: number): T | undefined {
  return from[index % from.length];
}
