/** Redis pub/sub at its special places: lost links, refusals, late answers, patterns. */
import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { systemClock } from '../../src/clock.ts';
import { OutcomeUnknownError, SourceDownError } from '../../src/errors.ts';
import type { RedisSourceOptions } from '../../src/source/redis-options.ts';
import { RedisSource } from '../../src/source/redis-source.ts';
import type { Feed } from '../../src/source/source.ts';
import { FakeClock } from '../client/fake-clock.ts';
import { silent } from '../support/core.ts';
import { channelsHeard, startRedis, subscribersOf } from '../support/redis.ts';
import {
  type Answer,
  type Connection,
  obliging,
  pushed,
  type ScriptedRedis,
  startScriptedRedis,
} from '../support/scripted-redis.ts';
import { waitFor } from '../support/wait.ts';
import { Hearing } from './hearing.ts';

const A: Feed = { kind: 'pubsub', name: 'a' };
const B: Feed = { kind: 'pubsub', name: 'b' };
const X = { data: Buffer.from('x') };

function start(t: TestContext, options: Partial<RedisSourceOptions> & Pick<RedisSourceOptions, 'address'>) {
  const source = new RedisSource({
    name: 'main',
    prefix: '',
    valueLimit: 65_536,
    clock: systemClock,
    random: () => 0,
    logger: silent,
    ...options,
  });
  const hearing = new Hearing();
  source.start(hearing);
  t.after(() => source.stop());
  return { source, hearing };
}

/** A source that is up on a Redis that answers as a test says. */
async function startScripted(t: TestContext, answer: Answer = obliging) {
  const redis = await startScriptedRedis(t);
  redis.answer = answer;
  const clock = new FakeClock();
  const { source, hearing } = start(t, { address: redis.address, clock });
  await waitFor('the source to be up', () => source.status().up);
  return { redis, clock, source, hearing };
}

const isSubscriber = ({ commands }: Connection): boolean => commands.some((command) => command.startsWith('subscribe'));

function subscriberOf(redis: ScriptedRedis): Connection {
  const connection = redis.connections.findLast(isSubscriber);
  assert.ok(connection !== undefined, 'nobody has subscribed');
  return connection;
}

describe('a lost link', () => {
  test('is told once, then each feed is confirmed anew before its next message', async (t) => {
    const redis = await startRedis(t);
    const { source, hearing } = start(t, { address: { host: '127.0.0.1', port: redis.port, db: 0, tls: false } });
    for (const feed of [A, B]) source.follow(feed);
    for (const name of ['a', 'b']) await hearing.hears(`confirmed ${name}`);
    const before = redis.client();
    await before.publish('a', '1');
    await hearing.hears('a 1');
    await redis.kill();
    await hearing.hears('lost a');
    assert.equal(source.status().up, false);
    await redis.start();
    for (const name of ['a', 'b']) await hearing.hears(`confirmed ${name}`, 2);
    await redis.client().publish('a', '2');
    await hearing.hears('a 2');
    const ofA = hearing.told.filter((each) => !each.includes('b'));
    assert.deepEqual(ofA, ['confirmed a', 'a 1', 'lost a', 'confirmed a', 'a 2']);
    await waitFor('both connections to be back', () => source.status().up);
  });

  test('that comes back has all feeds again, also those that were followed while it was away, and no others', async (t) => {
    const { redis, clock, source, hearing } = await startScripted(t);
    source.follow(A);
    await hearing.hears('confirmed a');
    subscriberOf(redis).close();
    await hearing.hears('lost a');
    source.follow(B);
    source.unfollow(A);
    clock.advance(1000);
    await hearing.hears('confirmed b');
    const subscribed = subscriberOf(redis).commands.filter((command) => command.startsWith('subscribe'));
    assert.deepEqual(subscribed, ['subscribe b']);
  });
});

describe('a feed', () => {
  test('is confirmed by its first message, whichever of message and confirmation is seen first', async (t) => {
    const { hearing, source } = await startScripted(t, ([name = '', ...args], connection) => {
      if (name !== 'subscribe') return obliging([name, ...args], connection);
      return `${pushed('subscribe', 'a', 1)}${pushed('message', 'a', 'first')}`;
    });
    source.follow(A);
    await hearing.hears('a first');
    assert.deepEqual(hearing.told, ['confirmed a', 'a first']);
  });

  test('that was given back is heard no more, not even by what was on its way when it was followed again', async (t) => {
    const { redis, hearing, source } = await startScripted(t, (command, connection) =>
      connection.commands.length > 0 && /subscribe/.test(command[0] ?? '') ? undefined : obliging(command, connection),
    );
    source.follow(A);
    await redis.until('the subscription', () => redis.commands.includes('subscribe a'));
    const subscriber = subscriberOf(redis);
    subscriber.send(pushed('subscribe', 'a', 1));
    await hearing.hears('confirmed a');
    source.unfollow(A);
    source.follow(A);
    await redis.until('both commands', () => redis.commands.filter((each) => /subscribe a/.test(each)).length === 3);
    subscriber.send(pushed('message', 'a', 'late'));
    subscriber.send(pushed('unsubscribe', 'a', 0));
    subscriber.send(pushed('subscribe', 'a', 1));
    await hearing.hears('confirmed a', 2);
    subscriber.send(pushed('message', 'a', 'new'));
    await hearing.hears('a new');
    assert.deepEqual(hearing.told, ['confirmed a', 'confirmed a', 'a new']);
  });

  test('that Redis refuses leaves the others of the same reconnect heard', async (t) => {
    const { redis, clock, hearing, source } = await startScripted(t);
    for (const feed of [A, B]) source.follow(feed);
    for (const name of ['a', 'b']) await hearing.hears(`confirmed ${name}`);
    redis.answer = (command, connection) => {
      const refused = command[0] === 'subscribe' && command.includes('b');
      return refused ? '-NOPERM No permissions to access a channel\r\n' : obliging(command, connection);
    };
    subscriberOf(redis).close();
    await hearing.hears('lost a');
    clock.advance(1000);
    await hearing.hears('confirmed a', 2);
    await hearing.hears('refused b');
    assert.equal(hearing.told.filter((each) => each === 'confirmed b').length, 1);
  });

  test('is subscribed on one connection however many there are, and after the last none is left', async (t) => {
    const redis = await startRedis(t);
    const { source, hearing } = start(t, { address: { host: '127.0.0.1', port: redis.port, db: 0, tls: false } });
    const feeds = Array.from({ length: 1200 }, (_, i): Feed => ({ kind: 'pubsub', name: `c${i}` }));
    for (const feed of feeds) source.follow(feed);
    await hearing.hears('confirmed c1199');
    const client = redis.client();
    assert.equal((await channelsHeard(client)).length, 1200);
    assert.equal(await subscribersOf(client, 'c0'), 1);
    for (const feed of feeds) source.unfollow(feed);
    await waitFor('no subscription', async () => (await channelsHeard(client)).length === 0);
  });
});

describe('a pattern', () => {
  test('hears what matches, tells the name without the prefix, and is apart from a feed of the same name', async (t) => {
    const redis = await startRedis(t);
    const address = { host: '127.0.0.1', port: redis.port, db: 0, tls: false };
    const { source, hearing } = start(t, { address, prefix: 'app:' });
    const pattern: Feed = { kind: 'pattern', name: 's:*' };
    const exact: Feed = { kind: 'pubsub', name: 's:*' };
    for (const feed of [pattern, exact]) source.follow(feed);
    await hearing.hears('confirmed s:*', 2);
    const client = redis.client();
    for (const name of ['s:1', 'app:s:1', 'app:t:1', 'app:s:*']) await client.publish(name, name);
    await hearing.hears('s:* app:s:*', 2);
    const heard = hearing.payloads.map(({ feed, payload }) => [feed.kind, payload.from, payload.data.toString()]);
    assert.deepEqual(heard.slice(0, 1), [['pattern', 's:1', 'app:s:1']]);
    assert.deepEqual(heard.slice(1).sort(), [
      ['pattern', 's:*', 'app:s:*'],
      ['pubsub', 's:*', 'app:s:*'],
    ]);
  });
});

describe('publishing', () => {
  test('writes nothing and says so where there is no link', async (t) => {
    const { redis, source } = await startScripted(t);
    const publishes = ({ commands }: Connection) => commands.some((command) => command.includes('sse-gateway-publish'));
    const writing = redis.connections.filter(publishes);
    assert.equal(writing.length, 1);
    writing[0]?.close();
    await waitFor('the link to be down', () => !source.status().up);
    await assert.rejects(source.publish(A, X), SourceDownError);
  });

  test('has an unknown outcome where the answer does not come in 5 s, or the link goes before', async (t) => {
    const { redis, clock, source } = await startScripted(t, (command, connection) =>
      command[0] === 'publish' ? undefined : obliging(command, connection),
    );
    const late = source.publish(A, X);
    await redis.until('the publish', () => redis.commands.includes('publish a x'));
    clock.advance(5000);
    await assert.rejects(late, OutcomeUnknownError);
    const cut = source.publish(A, X);
    await redis.until('the second publish', () => redis.commands.filter((each) => each === 'publish a x').length === 2);
    for (const connection of redis.connections) connection.close();
    await assert.rejects(cut, OutcomeUnknownError);
  });

  test('that Redis refuses says why, and that nothing was written', async (t) => {
    const { source } = await startScripted(t, (command, connection) =>
      command[0] === 'publish'
        ? "-NOPERM this user has no permissions to run the 'publish' command\r\n"
        : obliging(command, connection),
    );
    await assert.rejects(source.publish(A, X), (error) => {
      assert.ok(error instanceof SourceDownError);
      assert.match(error.message, /main.*NOPERM/);
      assert.match(error.hint ?? '', /nothing was written/);
      return true;
    });
  });

  test('leaves no timer behind once it is answered', async (t) => {
    const { clock, source } = await startScripted(t);
    const before = clock.pending.length;
    await source.publish(A, X);
    assert.equal(clock.pending.length, before);
  });
});
