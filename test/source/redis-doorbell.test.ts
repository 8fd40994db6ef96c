/** What follows streams and keys when connections go, servers stop, and rights are missing. */
import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { RedisAddress } from '../../src/config/redis-url.ts';
import type { Feed } from '../../src/source/source.ts';
import { FakeClock } from '../client/fake-clock.ts';
import { ordinaryConnections, startRedis, subscriberConnections } from '../support/redis.ts';
import { startSwitch } from '../support/switch.ts';
import { waitFor } from '../support/wait.ts';
import { add, following, K, S, startBoth, startSource } from './streams.ts';

/** A stream and a key that are followed, each with something in it. */
async function both(t: TestContext) {
  const context = await following(t, S);
  const { client, source, hearing } = context;
  source.follow(K);
  await hearing.hears('confirmed k');
  await add(client, '1-0');
  await hearing.hears('s 1-0 n=1-0');
  await client.command('SET', 'k', 'x');
  await hearing.hears('k l0DJ3NtEh9jNY9KlRNjmVz x');
  await waitFor('all links to stand', () => source.status().up);
  return context;
}

for (const type of ['pubsub', 'normal']) {
  describe(`a source whose connections of type ${type} are killed`, () => {
    test('reads everything anew and hears on, ten times, with as many connections as before', async (t) => {
      const { client, hearing } = await both(t);
      const connections = await Promise.all([ordinaryConnections(client), subscriberConnections(client)]);
      for (let round = 2; round <= 11; round += 1) {
        await client.command('CLIENT', 'KILL', 'TYPE', type, 'SKIPME', 'yes');
        await add(client, `${round}-0`);
        await client.command('SET', 'k', `${round}`);
        await hearing.hears(`s ${round}-0 n=${round}-0`);
        await hearing.hears('confirmed s', round);
        await hearing.hears('confirmed k', round);
        await add(client, `${round}-1`);
        await hearing.hears(`s ${round}-1 n=${round}-1`);
      }
      const entries = hearing.told.filter((each) => each.startsWith('s '));
      assert.equal(entries.length, 21);
      assert.equal(new Set(entries).size, 21);
      assert.equal(hearing.told.filter((each) => each === 'lost s').length, 10);
      assert.ok(!hearing.told.some((each) => each.includes('broken')));
      await waitFor('as many connections', async () => {
        const now = await Promise.all([ordinaryConnections(client), subscriberConnections(client)]);
        return now.every((count, i) => count === connections[i]);
      });
    });
  });
}

describe('a source whose Redis goes', () => {
  test('and comes back with nothing says so, and hears what comes then', async (t) => {
    const { redis, hearing } = await both(t);
    await redis.kill();
    await hearing.hears('lost s');
    await hearing.hears('lost k');
    await redis.start();
    await hearing.hears('confirmed s', 2);
    await hearing.hears('confirmed k', 2);
    const client = redis.client();
    await client.command('XADD', 's', '0-5', 'n', 'x');
    await hearing.hears('s 0-5 n=x');
    const told = hearing.told.slice(hearing.told.indexOf('lost s'));
    assert.deepEqual(
      told.filter((each) => /\bs\b/.test(each)),
      ['lost s', 's broken reset null', 'confirmed s', 's 0-5 n=x'],
    );
    assert.deepEqual(
      told.filter((each) => /\bk\b/.test(each)),
      ['lost k', 'k 0 (none)', 'confirmed k'],
    );
  });

  test('and comes back with all it had says nothing but what is new', async (t) => {
    const redis = await startRedis(t, ['--appendonly', 'yes', '--appendfsync', 'always']);
    const { source, hearing } = startSource(t, redis.port);
    source.follow(S);
    await hearing.hears('confirmed s');
    await add(redis.client(), '1-0');
    await hearing.hears('s 1-0 n=1-0');
    await redis.kill();
    await hearing.hears('lost s');
    await redis.start();
    await add(redis.client(), '2-0');
    await hearing.hears('s 2-0 n=2-0');
    await hearing.hears('confirmed s', 2);
    assert.ok(!hearing.told.some((each) => each.includes('broken')));
  });

  test('hears what was written while it was stopped, once it runs again', async (t) => {
    const { redis, client, hearing } = await both(t);
    redis.freeze();
    const written = client.command('XADD', 's', '2-0', 'n', '2-0');
    redis.thaw();
    await written;
    await hearing.hears('s 2-0 n=2-0');
    assert.equal(hearing.told.at(-1), 's 2-0 n=2-0');
  });

  test('follows what was asked for meanwhile when it is back', async (t) => {
    const { redis, source, hearing } = await both(t);
    await redis.kill();
    await hearing.hears('lost s');
    const other: Feed = { kind: 'stream', name: 'other' };
    source.follow(other);
    source.unfollow(K);
    await redis.start();
    await hearing.hears('confirmed other');
    await hearing.hears('confirmed s', 2);
    assert.equal(hearing.told.filter((each) => each === 'confirmed k').length, 1);
  });
});

describe('a user of Redis without the right to be told of changes', () => {
  for (const [title, rules] of [
    ['to CLIENT', ['+@all', '-client', '~*', '&*']],
    ['to the channel of invalidations', ['+@all', '~*', 'resetchannels']],
    ['to INFO and PING either', ['+@all', '-client', '-info', '-ping', '~*', '&*']],
  ] as const) {
    test(`${title} hears all the same`, async (t) => {
      const redis = await startRedis(t);
      const client = redis.client();
      await client.command('ACL', 'SETUSER', 'gateway', 'on', '>secret', ...rules);
      const { source, hearing } = startSource(t, redis.port, { address: userOf(redis.port) });
      source.follow(S);
      source.follow(K);
      await hearing.hears('confirmed s');
      await hearing.hears('confirmed k');
      for (let i = 1; i <= 20; i += 1) {
        await add(client, `${i}-0`);
        if (i % 5 === 0) await hearing.hears(`s ${i}-0 n=${i}-0`);
      }
      await client.command('SET', 'k', 'x');
      await hearing.hears('k l0DJ3NtEh9jNY9KlRNjmVz x');
      assert.equal(hearing.told.filter((each) => each.startsWith('s ')).length, 20);
    });
  }

  test('hears of 600 streams, and of the others when one of them is a stream no more', async (t) => {
    const redis = await startRedis(t);
    const client = redis.client();
    await client.command('ACL', 'SETUSER', 'gateway', 'on', '>secret', '+@all', '-client', '~*', '&*');
    const { source, hearing } = startSource(t, redis.port, { address: userOf(redis.port) });
    const feeds = Array.from({ length: 600 }, (_, i): Feed => ({ kind: 'stream', name: `s${i}` }));
    for (const feed of feeds) source.follow(feed);
    await waitFor('all to be confirmed', () => hearing.told.length === 600);
    await client.pipeline(feeds.map(({ name }) => ['XADD', name, '1-0', 'n', name]));
    await waitFor('all entries', () => hearing.told.length === 1200);
    await client.command('SET', 's0', 'x');
    await hearing.hears('s0 broken source-error null');
    await client.command('XADD', 's1', '2-0', 'n', 'x');
    await hearing.hears('s1 2-0 n=x');
    assert.equal(source.status().up, true);
    source.stop();
    await waitFor('no connection', async () => (await ordinaryConnections(client)) === 1);
  });
});

describe('a change that rings no bell', () => {
  test('is found within 30 s, of a stream as of a key', async (t) => {
    const clock = new FakeClock();
    const { client, source, hearing } = await startBoth(t, { clock });
    source.follow(S);
    source.follow(K);
    await hearing.hears('confirmed s');
    await hearing.hears('confirmed k');
    await client.command('SELECT', '1');
    await add(client, '1-0');
    await client.command('SET', 'k', 'x');
    await client.command('SWAPDB', '0', '1'); // of this Redis tells nobody
    for (let second = 0; second < 30; second += 1) {
      clock.advance(1000);
      await client.command('PING');
    }
    await hearing.hears('s 1-0 n=1-0');
    await hearing.hears('k l0DJ3NtEh9jNY9KlRNjmVz x');
  });
});

describe('a source whose two connections end at different servers, as in a fail-over', () => {
  test('connects again until they end at one, and reads then only', async (t) => {
    const [one, other] = [await startRedis(t), await startRedis(t)];
    const { proxy, port } = await startSwitch(t, one.port);
    const { source, hearing } = startSource(t, port);
    source.follow(S);
    await hearing.hears('confirmed s');
    await add(one.client(), '1-0');
    await hearing.hears('s 1-0 n=1-0');
    for (const id of ['1-0', '2-0']) await add(other.client(), id);
    proxy.target = other.port;
    await one.client().command('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await hearing.hears('s 2-0 n=2-0');
    await hearing.hears('confirmed s', 2);
    await add(other.client(), '3-0');
    await hearing.hears('s 3-0 n=3-0');
    assert.deepEqual(
      hearing.told.filter((each) => each.includes('broken')),
      [],
    );
  });

  test('that has lost the newest goes on behind what both have', async (t) => {
    const [one, other] = [await startRedis(t), await startRedis(t)];
    const { proxy, port } = await startSwitch(t, one.port);
    const { source, hearing } = startSource(t, port);
    source.follow(S);
    await hearing.hears('confirmed s');
    for (let i = 1; i <= 300; i += 1) await add(one.client(), `${i}-0`);
    await hearing.hears('s 300-0 n=300-0');
    for (let i = 1; i <= 50; i += 1) await add(other.client(), `${i}-0`);
    for (let i = 50; i <= 290; i += 1) await add(other.client(), `${i}-5`);
    proxy.target = other.port;
    await one.kill();
    await hearing.hears('s 290-5 n=290-5');
    await add(other.client(), '400-0');
    await hearing.hears('s 400-0 n=400-0');
    const told = hearing.told.slice(hearing.told.indexOf('lost s'));
    assert.deepEqual(told.slice(0, 3), ['lost s', 's broken rolled-back null', 's 50-5 n=50-5']);
    assert.equal(told.filter((each) => each.startsWith('s ')).length, 243);
  });
});

describe('a source that reads no stream and no key', () => {
  test('has no connections for them', async (t) => {
    const { client, source } = await startBoth(t);
    await waitFor('the source to be up', () => source.status().up);
    assert.equal(await ordinaryConnections(client), 3);
    source.follow(S);
    await waitFor(
      'two more',
      async () => (await ordinaryConnections(client)) + (await subscriberConnections(client)) === 5,
    );
  });
});

function userOf(port: number): RedisAddress {
  return { host: '127.0.0.1', port, db: 0, tls: false, username: 'gateway', password: 'secret' };
}
