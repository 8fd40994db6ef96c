/** What every source must do, whatever it reads from: memory and a real Redis are held to the same. */
import assert from 'node:assert/strict';
import { before, describe, type TestContext, test } from 'node:test';
import { systemClock } from '../../src/clock.ts';
import { SourceDownError } from '../../src/errors.ts';
import { MemorySource } from '../../src/source/memory.ts';
import { RedisSource } from '../../src/source/redis-source.ts';
import type { Feed, Source } from '../../src/source/source.ts';
import { Hearing } from '../source/hearing.ts';
import { silent } from '../support/core.ts';
import { suiteOwner } from '../support/owner.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';
import { waitFor } from '../support/wait.ts';

/** One kind of source: how to make one, the feed of a name, and how the world writes to it. */
interface Kind {
  readonly name: string;
  make(): Source;
  feed(name: string): Feed;
}

const owner = suiteOwner();
let redis: RedisServer;
before(async () => {
  redis = await startRedis(owner);
});

const redisSource = (prefix: string): Source => {
  const address = { host: '127.0.0.1', port: redis.port, db: 0, tls: false };
  const { clock, random, valueLimit } = { clock: systemClock, random: Math.random, valueLimit: 65_536 };
  return new RedisSource({ name: 'redis', address, prefix, valueLimit, clock, random, logger: silent });
};

const KINDS: readonly Kind[] = [
  {
    name: 'memory',
    make: () => new MemorySource('memory', () => systemClock.now()),
    feed: (name) => ({ kind: 'memory', name }),
  },
  { name: 'Redis pub/sub', make: () => redisSource(''), feed: (name) => ({ kind: 'pubsub', name }) },
  { name: 'Redis pub/sub with a prefix', make: () => redisSource('app:'), feed: (name) => ({ kind: 'pubsub', name }) },
];

for (const kind of KINDS) {
  describe(`the source ${kind.name}`, () => {
    test('confirms each feed once that is followed, with the object that it was given', async (t) => {
      const { source, hearing, feed } = await started(t, kind);
      source.follow(feed('a'));
      source.follow(feed('b'));
      await hearing.hears('confirmed a');
      await hearing.hears('confirmed b');
      await publish(source, feed('a'), 'x');
      await hearing.hears('a x');
      assert.deepEqual(hearing.told.filter((each) => each.startsWith('confirmed')).sort(), [
        'confirmed a',
        'confirmed b',
      ]);
      const [heard] = [...hearing.payloads, ...hearing.messages];
      assert.equal(heard?.feed, feed('a'));
    });

    test('hears every message after the confirmation, in order and to the byte', async (t) => {
      const { source, hearing, feed } = await started(t, kind);
      source.follow(feed('a'));
      await hearing.hears('confirmed a');
      const sent = [
        Buffer.alloc(0),
        Buffer.from('\r\n\0\u2028'),
        Buffer.from([0xff, 0xc0, 0]),
        Buffer.alloc(2 ** 20, 'x'),
      ];
      for (let i = 0; i < 500; i += 1) sent.push(Buffer.from(`${i}`));
      await Promise.all(sent.map((data) => source.publish(feed('a'), { data })));
      await hearing.hears('a 499');
      const heard = [
        ...hearing.payloads.map(({ payload }) => payload.data),
        ...hearing.messages.map(({ message }) => message.data),
      ];
      assert.deepEqual(heard, sent);
    });

    test('keeps the messages of its feeds apart, and what is not followed away', async (t) => {
      const { source, hearing, feed } = await started(t, kind);
      for (const name of ['a', 'b']) source.follow(feed(name));
      for (const name of ['a', 'b']) await hearing.hears(`confirmed ${name}`);
      if (kind.feed('c').kind !== 'memory') await publish(source, feed('c'), 'unheard');
      await publish(source, feed('a'), '1');
      await publish(source, feed('b'), '2');
      await hearing.hears('b 2');
      assert.deepEqual(hearing.told.slice(2), ['a 1', 'b 2']);
    });

    test('confirms a feed anew that was given back and is followed again, and hears it from then on', async (t) => {
      const { source, hearing, feed } = await started(t, kind);
      for (let round = 1; round <= 20; round += 1) {
        source.follow(feed('a'));
        await hearing.hears('confirmed a', round);
        await publish(source, feed('a'), `${round}`);
        await hearing.hears(`a ${round}`);
        source.unfollow(feed('a'));
      }
      const told = Array.from({ length: 20 }, (_, i) => ['confirmed a', `a ${i + 1}`]).flat();
      assert.deepEqual(hearing.told, told);
    });

    test('confirms only what is followed in the end, however often somebody changed their mind', async (t) => {
      const { source, hearing, feed } = await started(t, kind);
      for (let round = 0; round < 20; round += 1) {
        source.follow(feed('a'));
        source.unfollow(feed('a'));
      }
      source.follow(feed('a'));
      source.follow(feed('b'));
      await hearing.hears('confirmed b');
      await hearing.hears('confirmed a');
      await publish(source, feed('a'), 'x');
      await hearing.hears('a x');
      assert.equal(hearing.told.filter((each) => each === 'a x').length, 1);
    });

    test('loses nothing that comes while it is paused', async (t) => {
      const { source, hearing, feed } = await started(t, kind);
      source.follow(feed('a'));
      await hearing.hears('confirmed a');
      source.pause();
      const publishing = Promise.all([0, 1, 2].map((i) => source.publish(feed('a'), { data: Buffer.from(`${i}`) })));
      await publishing;
      source.resume();
      await hearing.hears('a 2');
      assert.deepEqual(hearing.told.slice(1), ['a 0', 'a 1', 'a 2']);
    });

    test('answers a publish with what it knows of it', async (t) => {
      const { source, hearing, feed } = await started(t, kind);
      // No other test has followed this one: Redis may not know yet that they have left.
      source.follow(feed('alone'));
      await hearing.hears('confirmed alone');
      const receipt = await source.publish(feed('alone'), { data: Buffer.from('x') });
      const isMemory = feed('alone').kind === 'memory';
      assert.deepEqual(receipt, isMemory ? { kind: 'event', number: 1 } : { kind: 'receivers', receivers: 1 });
    });

    test('hears nothing and refuses to write after it was stopped', async (t) => {
      const { source, hearing, feed } = await started(t, kind);
      source.follow(feed('a'));
      await hearing.hears('confirmed a');
      source.stop();
      await assert.rejects(publish(source, feed('a'), 'late'), SourceDownError);
      assert.deepEqual(hearing.told, ['confirmed a']);
    });
  });
}

/** A source that is up, with somebody who listens, and its feeds: the same object for the same name. */
async function started(t: TestContext, kind: Kind) {
  const source = kind.make();
  const hearing = new Hearing();
  source.start(hearing);
  t.after(() => source.stop());
  await waitFor('the source to be up', () => source.status().up);
  const feeds = new Map<string, Feed>();
  const feed = (name: string): Feed => {
    const known = feeds.get(name) ?? kind.feed(name);
    feeds.set(name, known);
    return known;
  };
  return { source, hearing, feed };
}

async function publish(source: Source, feed: Feed, text: string): Promise<void> {
  await source.publish(feed, { data: Buffer.from(text) });
}
