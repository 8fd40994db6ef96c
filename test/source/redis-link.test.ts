/** The link to Redis: when it stands, how it is found dead, and how it comes back without hurry. */
import assert from 'node:assert/strict';
import { beforeEach, describe, type TestContext, test } from 'node:test';
import { RedisLink } from '../../src/source/redis-link.ts';
import { FakeClock } from '../client/fake-clock.ts';
import { silent } from '../support/core.ts';
import { freePort } from '../support/scratch.ts';
import { obliging, type ScriptedRedis, startScriptedRedis } from '../support/scripted-redis.ts';
import { Watch } from '../support/wait.ts';

/** A link on a fake clock, and what its user was told. */
class Station {
  readonly clock = new FakeClock();
  readonly told: string[] = [];
  readonly link: RedisLink;
  readonly #watch = new Watch();

  constructor(t: TestContext, address: ScriptedRedis['address'], random = 0.5) {
    const { clock } = this;
    const options = { address, purpose: 'test', clock, random: () => random, logger: silent };
    this.link = new RedisLink(options, { up: () => this.#tell('up'), down: () => this.#tell('down') });
    t.after(() => this.link.stop());
    this.link.start();
  }

  async hears(what: string, count = 1): Promise<void> {
    await this.#watch.until(
      () => `"${what}" for the ${count}. time; told: ${this.told}`,
      () => this.told.filter((each) => each === what).length >= count,
    );
  }

  #tell(what: string): void {
    this.told.push(what);
    this.#watch.changed();
  }
}

/** The deadline of an attempt: longer than any pause between two. */
const ATTEMPT_MS = 10_000;

const pings = (redis: ScriptedRedis): number => redis.commands.filter((command) => command === 'ping').length;

let redis: ScriptedRedis;
beforeEach(async (t) => {
  assert.ok('after' in t);
  redis = await startScriptedRedis(t);
});

describe('a link', () => {
  test('stands once a PING is answered, and not before', async (t) => {
    let answered = '';
    redis.answer = (command, connection) => {
      if (command[0] !== 'ping') return obliging(command, connection);
      answered = connection.commands.join();
      return '+PONG\r\n';
    };
    const station = new Station(t, redis.address);
    assert.deepEqual([station.link.redis, station.link.problem], [undefined, 'connecting']);
    await station.hears('up');
    assert.match(answered, /ping/);
    assert.equal(station.link.problem, undefined);
    assert.notEqual(station.link.redis, undefined);
  });

  test('stands also where PING is not allowed: a refusal is an answer', async (t) => {
    redis.answer = (command, connection) =>
      command[0] === 'ping'
        ? "-NOPERM this user has no permissions to run the 'ping' command\r\n"
        : obliging(command, connection);
    const station = new Station(t, redis.address);
    await station.hears('up');
    for (let i = 0; i < 4; i += 1) {
      station.clock.advance(5000);
      // Answers come in order: the refusal of the PING before this one has been read by then.
      await station.link.redis?.echo('x');
    }
    assert.equal(pings(redis), 5);
    assert.deepEqual(station.told, ['up']);
  });

  test('does not stand while the server is loading, and says why', async (t) => {
    redis.answer = (command, connection) =>
      command[0] === 'ping' ? '-LOADING Redis is loading the dataset in memory\r\n' : obliging(command, connection);
    const station = new Station(t, redis.address);
    await redis.until('the connection to be given up', () => redis.connections[0]?.closed === true);
    assert.match(station.link.problem ?? '', /LOADING/);
    redis.answer = obliging;
    station.clock.advance(5000);
    await station.hears('up');
  });

  test('is told down once for each time it stood, and stands again on a connection of its own', async (t) => {
    const station = new Station(t, redis.address);
    for (let round = 1; round <= 3; round += 1) {
      await station.hears('up', round);
      redis.connections.at(-1)?.close();
      await station.hears('down', round);
      station.clock.advance(1000);
    }
    await station.hears('up', 4);
    assert.deepEqual(station.told, ['up', 'down', 'up', 'down', 'up', 'down', 'up']);
    assert.equal(redis.connections.length, 4);
  });

  test('sends nothing again that was not answered', async (t) => {
    redis.answer = (command, connection) => (command[0] === 'publish' ? undefined : obliging(command, connection));
    const station = new Station(t, redis.address);
    await station.hears('up');
    const lost = station.link.redis?.publish('a', 'once');
    await redis.until('the publish', () => redis.commands.includes('publish a once'));
    redis.connections.at(-1)?.close();
    assert.ok(lost !== undefined);
    await assert.rejects(lost);
    station.clock.advance(1000);
    await station.hears('up', 2);
    station.clock.advance(5000);
    await redis.until('a PING of the new link', () => redis.connections.at(-1)?.commands.includes('ping') === true);
    assert.equal(redis.commands.filter((command) => command.startsWith('publish')).length, 1);
  });
});

describe('a server that is stopped', () => {
  test('is given up when it accepts the connection and answers nothing', async (t) => {
    for (const answers of ['', 'client'] as const) {
      redis.answer = ([name]) => (name === answers ? '+OK\r\n' : undefined);
      const station = new Station(t, redis.address);
      const count = redis.connections.length;
      await redis.until('a connection', () => redis.connections.length > count);
      const connection = redis.connections.at(-1);
      await redis.until('its commands', () => connection?.commands.length === (answers === '' ? 1 : 2));
      station.clock.advance(10_000);
      await redis.until('the connection to be given up', () => connection?.closed === true);
      assert.deepEqual(station.told, []);
    }
  });

  test('is found within 10 s by a PING that is not answered, although its connection stays', async (t) => {
    const station = new Station(t, redis.address);
    await station.hears('up');
    redis.answer = () => undefined;
    station.clock.advance(5000);
    await redis.until('a PING', () => pings(redis) === 2);
    assert.deepEqual(station.told, ['up']);
    station.clock.advance(5000);
    await station.hears('down');
    assert.match(station.link.problem ?? '', /no answer/);
  });

  test('is not taken for one where the gateway itself was stopped, and the answer only could not be read yet', async (t) => {
    const station = new Station(t, redis.address);
    await station.hears('up');
    redis.answer = (command, connection) => (command[0] === 'ping' ? undefined : obliging(command, connection));
    station.clock.advance(5000);
    await redis.until('a PING', () => pings(redis) === 2);
    station.clock.stall(60_000);
    assert.deepEqual(station.told, ['up']);
    station.clock.advance(5000);
    await station.hears('down');
  });

  test('is not missed where the link was paused by ourselves', async (t) => {
    const station = new Station(t, redis.address);
    await station.hears('up');
    station.clock.advance(5000);
    await redis.until('a PING', () => pings(redis) === 2);
    station.link.pause();
    station.link.resume();
    station.clock.advance(5000);
    await redis.until('another PING', () => pings(redis) === 3);
    assert.deepEqual(station.told, ['up']);
  });
});

describe('the pause before another attempt', () => {
  test('doubles from 0.1 s to 5 s while nobody listens there', async (t) => {
    const station = new Station(t, { ...redis.address, port: await freePort() });
    const pauses: number[] = [];
    for (let attempt = 0; attempt < 8; attempt += 1) {
      await waitForPause(station);
      const [pause = 0] = station.clock.pending;
      pauses.push(pause);
      station.clock.advance(pause);
    }
    assert.deepEqual(pauses, [100, 200, 400, 800, 1600, 3200, 5000, 5000]);
    assert.match(station.link.problem ?? '', /ECONNREFUSED/);
  });

  test('begins short again after the link stood', async (t) => {
    const station = new Station(t, redis.address);
    for (let round = 1; round <= 3; round += 1) {
      await station.hears('up', round);
      redis.connections.at(-1)?.close();
      await station.hears('down', round);
      assert.deepEqual(station.clock.pending, [100]);
      station.clock.advance(100);
    }
  });

  test('is at least a second where the password is refused, and the problem never shows it', async (t) => {
    redis.answer = (command, connection) =>
      command[0] === 'auth' ? '-WRONGPASS invalid username-password pair\r\n' : obliging(command, connection);
    for (const random of [0, 0.5, 1]) {
      const station = new Station(t, { ...redis.address, password: 'secret' }, random);
      await waitForPause(station);
      const [pause = 0] = station.clock.pending;
      assert.ok(pause >= 1000 && pause <= 5000, `${pause} ms`);
      assert.match(station.link.problem ?? '', /WRONGPASS/);
      assert.doesNotMatch(station.link.problem ?? '', /secret/);
      station.link.stop();
    }
  });
});

describe('a link that is stopped', () => {
  test('leaves no timer and no connection behind, whatever it was doing', async (t) => {
    const standing = new Station(t, redis.address);
    await standing.hears('up');
    standing.link.stop();
    await redis.until('the connection to be closed', () => redis.connections[0]?.closed === true);
    assert.deepEqual([standing.clock.pending, standing.link.redis], [[], undefined]);
    const waiting = new Station(t, { ...redis.address, port: await freePort() });
    await waitForPause(waiting);
    waiting.link.stop();
    assert.deepEqual(waiting.clock.pending, []);
    assert.deepEqual(standing.told, ['up']);
  });
});

/** Settles when an attempt has failed and the pause before the next has begun. */
async function waitForPause(station: Station): Promise<void> {
  const watch = new Watch();
  const looking = setInterval(() => watch.changed(), 1);
  try {
    await watch.until(
      () => `a pause; pending timers: ${station.clock.pending}`,
      () => station.link.problem !== 'connecting' && (station.clock.pending[0] ?? ATTEMPT_MS) < ATTEMPT_MS,
    );
  } finally {
    clearInterval(looking);
  }
}
