/** Streams that are added to and trimmed at random: every client sees each entry in order, or a gap that tells how many are missing. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { addEntry, openConfig } from '../support/entries.ts';
import type { Gateway } from '../support/gateway.ts';
import { type GapData, gapData } from '../support/gateway-events.ts';
import { heard } from '../support/heard.ts';
import type { Owner } from '../support/owner.ts';
import { startReading } from '../support/pair.ts';
import { type Dice, dice } from '../support/random.ts';
import { startRedis } from '../support/redis.ts';
import type { RespClient } from '../support/resp.ts';
import type { ReceivedEvent } from '../support/sse-reader.ts';

const ROUNDS = 250;
const LAST = 'last';

for (const seed of [1, 2]) {
  test(`random writes and trims are told truly to clients who stay and to one who is cut, seed ${seed}`, async (t) => {
    const redis = await startRedis(t);
    const client = redis.client();
    const config = openConfig(redis, CHANNELS);
    const gateways = await Promise.all([startReading(t, config, '/events/s'), startReading(t, config, '/events/s')]);
    const paths = ['/events/s', '/events/few', '/events?channel=few&channel=news'];
    const staying = await Promise.all(paths.map((path, index) => heard(t, gateways[index % 2] ?? assert.fail(), path)));
    const opens = await Promise.all(staying.map((stream) => stream.opened()));
    const wanderer = new Wanderer(t, gateways, dice(seed + 100), opens[0]?.id);
    const wandering = wanderer.wander();
    const writer = new Writer(client, dice(seed));
    for (let round = 0; round < ROUNDS; round += 1) await writer.act();
    wanderer.stop();
    await wandering;
    await writer.last();
    for (const stream of [...staying, wanderer.stay()]) {
      await stream.until('the last entry', () => stream.events.some((event) => event.data === LAST));
    }
    for (const stream of staying) checkTruth(stream.events, writer.number, true);
    checkTruth(wanderer.all(), writer.number, false);
  });
}

const CHANNELS = ['s: {stream: s}', 'few: {stream: s, history: {events: 2}}', 'news: {memory: true}'];

/** Adds the numbers 1, 2, 3, ... and trims, at random, and in between waits a little or not. */
class Writer {
  number = 0;
  readonly #client: RespClient;
  readonly #dice: Dice;

  constructor(client: RespClient, chance: Dice) {
    this.#client = client;
    this.#dice = chance;
  }

  async act(): Promise<void> {
    const commands = this.#commands();
    const isAtomic = this.#dice.below(2) === 0;
    await this.#client.pipeline(isAtomic ? [['MULTI'], ...commands, ['EXEC']] : commands);
    if (this.#dice.below(3) === 0) await delay(this.#dice.below(8)); // a gateway reads now and then between two writes
  }

  async last(): Promise<void> {
    this.number += 1;
    await addEntry(this.#client, 's', LAST, `${this.number}-0`);
  }

  #commands(): string[][] {
    const kind = this.#dice.below(10);
    if (kind >= 7) return [['XTRIM', 's', 'MAXLEN', `${this.#dice.below(4)}`]];
    const trim = kind < 4 ? [] : ['MAXLEN', `${1 + this.#dice.below(4)}`];
    return Array.from({ length: 1 + this.#dice.below(kind < 4 ? 6 : 9) }, () => {
      this.number += 1;
      return ['XADD', 's', ...trim, `${this.number}-0`, 'data', `${this.number}`];
    });
  }
}

/** A client that is cut anywhere and comes back to any gateway. */
class Wanderer {
  readonly #owner: Owner;
  readonly #gateways: readonly Gateway[];
  readonly #dice: Dice;
  readonly #events: ReceivedEvent[] = [];
  #cursor: string | undefined;
  #stopped = false;
  #last: ReturnType<Gateway['stream']> | undefined;

  constructor(owner: Owner, gateways: readonly Gateway[], chance: Dice, cursor: string | undefined) {
    this.#owner = owner;
    this.#gateways = gateways;
    this.#dice = chance;
    this.#cursor = cursor;
  }

  stop(): void {
    this.#stopped = true;
  }

  async wander(): Promise<void> {
    while (!this.#stopped) {
      const stream = this.#open();
      stream.cutAfter(100 + this.#dice.below(900));
      await Promise.race([stream.ended(), delay(this.#dice.below(20))]);
      stream.cut();
      await stream.ended();
      stream.check();
      this.#events.push(...stream.events);
      this.#cursor = stream.lastEventId ?? this.#cursor;
    }
  }

  /** Comes back once more and stays. */
  stay(): ReturnType<Gateway['stream']> {
    this.#last = this.#open();
    return this.#last;
  }

  all(): readonly ReceivedEvent[] {
    return [...this.#events, ...(this.#last?.events ?? [])];
  }

  #open(): ReturnType<Gateway['stream']> {
    const gateway = this.#gateways[this.#dice.below(this.#gateways.length)] ?? assert.fail();
    return gateway.stream(this.#owner, this.#dice.below(2) === 0 ? '/events/s' : '/events/few', {
      lastEventId: this.#cursor,
    });
  }
}

/** Numbers rise by one, or behind a gap by as many as it says; one who stayed is told of no gap where nothing is missing. */
function checkTruth(events: readonly ReceivedEvent[], last: number, stayed: boolean): void {
  let before = 0;
  let gaps: GapData[] = [];
  for (const event of events) {
    if (event.type === 'gateway.open') continue;
    if (event.type === 'gateway.gap') {
      gaps.push(gapData(event));
      continue;
    }
    const number = event.data === LAST ? last : Number(event.data);
    const missing = number - before - 1;
    const place = `${JSON.stringify(gaps)} between ${before} and ${number}`;
    assert.ok(missing >= 0, `backwards: ${place}`);
    assert.ok(missing === 0 || gaps.length > 0, `no gap: ${place}`);
    assert.ok(missing > 0 || gaps.length === 0 || !stayed, `a false gap: ${place}`);
    for (const { reason } of gaps) assert.equal(reason, 'trimmed', place);
    const lost = gaps.map((gap) => gap.lost);
    // Who is cut before the id of a gap has arrived is told of it again.
    if (stayed && !lost.includes(null))
      assert.equal(
        lost.reduce((sum: number, each) => sum + (each ?? 0), 0),
        missing,
        place,
      );
    before = number;
    gaps = [];
  }
}
