/** The rounds and the drain: nobody waits too long for a byte, nobody stays too long, and everybody leaves in order. */
import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { drain, Rounds } from '../../src/fanout/rounds.ts';
import { Core } from '../support/core.ts';
import type { Client } from '../support/fake-client.ts';
import { FakeSource } from '../support/fake-source.ts';
import { quiet, turn } from '../support/turns.ts';

const HEARTBEAT_MS = 1000;

let core: Core;
beforeEach(() => {
  core = new Core({ maxConnectionAge: 100_000 });
});

function startRounds(): Rounds {
  const rounds = new Rounds({ subscribers: core.fanout.subscribers, clock: core.clock, heartbeat: HEARTBEAT_MS });
  rounds.start();
  return rounds;
}

/** How many milliseconds pass until each of these has had one comment more. */
function untilHeartbeat(clients: readonly Client[]): number {
  const before = clients.map(({ body }) => body.comments);
  for (let ms = 0; ms < 3 * HEARTBEAT_MS; ms += 1) {
    if (clients.every(({ body }, i) => body.comments > (before[i] ?? 0))) return ms;
    core.clock.advance(1);
  }
  return Number.POSITIVE_INFINITY;
}

describe('a heartbeat', () => {
  test('is a comment, and no client that takes its bytes is silent for longer than the time that was set', async () => {
    for (const count of [1, 16, 17, 50]) {
      core = new Core({ maxConnectionAge: 100_000 });
      const clients = Array.from({ length: count }, () => core.subscribe(['a']));
      const rounds = startRounds();
      for (let phase = 0; phase < HEARTBEAT_MS; phase += 37) {
        core.clock.advance(phase);
        core.publish('a', 'x');
        await quiet();
        const silence = untilHeartbeat(clients);
        assert.ok(silence <= HEARTBEAT_MS, `${count} clients: ${silence} ms without a byte`);
        assert.ok(silence >= HEARTBEAT_MS / 2, `${count} clients: a heartbeat ${silence} ms after an event`);
      }
      rounds.stop();
      for (const client of clients) client.check();
    }
  });

  test('does not go to a client that gets events, nor behind what is pending', async () => {
    const busy = core.subscribe(['a']);
    const full = core.subscribe(['b'], undefined, { room: 0 });
    await quiet();
    const rounds = startRounds();
    const { pending } = full.outlet;
    for (let i = 0; i < 20; i += 1) {
      core.clock.advance(HEARTBEAT_MS / 2);
      core.publish('a', 'x');
      await quiet();
    }
    rounds.stop();
    assert.deepEqual([busy.body.comments, full.outlet.pending], [0, pending]);
  });

  test('does not go to a stream that is not open yet, whose first bytes say something else', () => {
    core = new Core({ source: new FakeSource(false), maxConnectionAge: 100_000 });
    const client = core.subscribe(['a']);
    const rounds = startRounds();
    core.clock.advance(900);
    rounds.stop();
    assert.deepEqual([client.body.comments, client.body.events.length], [0, 0]);
  });
});

describe('a connection', () => {
  test('is ended in order when it has reached its age, by which its client resumes', async () => {
    const client = core.subscribe(['a']);
    await quiet();
    const rounds = startRounds();
    core.clock.advance(99_000);
    assert.equal(client.outlet.open, true);
    core.clock.advance(2000);
    await quiet();
    rounds.stop();
    assert.deepEqual([client.body.complete, core.fanout.subscribers.size], [true, 0]);
  });
});

describe('a drain', () => {
  const options = (window: number, random: () => number = () => 0.5) => ({
    subscribers: core.fanout.subscribers,
    clock: core.clock,
    random,
    window,
    retry: 5000,
  });

  /** Lets time pass until the drain is over; gives how many streams were open after each step. */
  async function watch(draining: Promise<void>, step: number): Promise<number[]> {
    const open: number[] = [];
    let over = false;
    void draining.then(() => {
      over = true;
    });
    for (let steps = 0; steps < 1000 && !over; steps += 1) {
      core.clock.advance(step);
      await turn();
      open.push(core.fanout.subscribers.size);
    }
    assert.ok(over, 'the drain does not end');
    return open;
  }

  test('ends every stream with a retry of its own, as a response should end', async () => {
    const clients = Array.from({ length: 40 }, () => core.subscribe(['a']));
    let chance = 0;
    const random = (): number => {
      chance = (chance + 0.13) % 1;
      return chance;
    };
    await quiet();
    await watch(drain(options(2000, random)), 20);
    for (const { body } of clients) assert.deepEqual([body.complete, body.events.length], [true, 1]);
    const retries = clients.map(({ body }) => body.retry ?? 0);
    assert.ok(retries.every((retry) => retry >= 4000 && retry <= 6000));
    assert.ok(new Set(retries).size > 20, 'all come back at once');
  });

  test('is spread over the window where there are many, with time for the last', async () => {
    for (let i = 0; i < 2000; i += 1) core.subscribe(['a']);
    const open = await watch(drain(options(1000)), 100);
    const most = Math.max(...open.map((now, i) => (open[i - 1] ?? 2000) - now));
    assert.ok(most <= 300, `${most} streams end within 100 ms`);
    assert.equal(open[8], 0);
  });

  test('is over at the end of the window, whoever takes nothing', async () => {
    const stuck = [core.subscribe(['a'], undefined, { room: 0 }), core.subscribe(['a'], undefined, { room: 60 })];
    await watch(drain(options(2000)), 100);
    await quiet();
    assert.equal(core.clock.now(), 2000);
    assert.ok(stuck.every(({ socket }) => socket.destroyed));
    assert.equal(core.fanout.subscribers.size, 0);
  });

  test('also ends streams that are not open yet', async () => {
    core = new Core({ source: new FakeSource(false) });
    const client: Client = core.subscribe(['a']);
    await watch(drain(options(2000)), 100);
    await quiet();
    assert.deepEqual([client.body.complete, client.body.events], [true, []]);
  });

  test('lasts the window where nobody else takes who comes, and is over with the last stream where somebody does', async () => {
    for (const [relieved, most] of [
      [false, 2000],
      [true, 500],
    ] as const) {
      const start = core.clock.now();
      core.subscribe(['a']);
      await watch(drain({ ...options(2000), relieved }), 20);
      const took = core.clock.now() - start;
      assert.ok(took <= most && (relieved || took >= 2000), `${took} ms`);
    }
  });

  test('is over at once where nobody is connected', async () => {
    await drain(options(60_000));
  });
});
