/** Writing to Redis: streams and keys, repeats that are recognised, and what is said when something goes wrong. */
import assert from 'node:assert/strict';
import { before, describe, type TestContext, test } from 'node:test';
import { pino } from 'pino';
import { type Clock, systemClock } from '../../src/clock.ts';
import { ConflictError, OutcomeUnknownError, SourceDownError } from '../../src/errors.ts';
import { stringDigest } from '../../src/source/redis-key-digest.ts';
import { type PublisherOptions, RedisPublisher } from '../../src/source/redis-publisher.ts';
import type { EntryWriting, Feed, Receipt, Writing } from '../../src/source/source.ts';
import { FakeClock } from '../client/fake-clock.ts';
import { silent } from '../support/core.ts';
import { suiteOwner } from '../support/owner.ts';
import { startProxy } from '../support/proxy.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';
import type { RespClient } from '../support/resp.ts';
import { obliging, startScriptedRedis } from '../support/scripted-redis.ts';
import { waitFor } from '../support/wait.ts';

const owner = suiteOwner();
let redis: RedisServer;
let client: RespClient;
before(async () => {
  redis = await startRedis(owner);
  client = redis.client();
});

let names = 0;
/** A feed that no other test writes to. */
function feedOf(kind: Feed['kind']): Feed {
  names += 1;
  return { kind, name: `${kind}${names}` };
}

/** Comes back at once: what is tested here is not how long a link waits. */
const impatient: Clock = { ...systemClock, after: (ms, run) => systemClock.after(ms <= 200 ? 1 : ms, run) };

/** Ten times as fast as life: what is asked is waited for half a second, and the pause of a second is ten. */
const hasty: Clock = {
  ...systemClock,
  after: (ms, run) => systemClock.after(ms / 10, run),
  every: (ms, run) => systemClock.every(ms / 10, run),
};

function open(t: TestContext, port: number, options: Partial<PublisherOptions> = {}): RedisPublisher {
  const publisher = new RedisPublisher({
    name: 'main',
    address: { host: '127.0.0.1', port, db: 0, tls: false },
    prefix: '',
    clock: impatient,
    random: () => 0,
    logger: silent,
    ...options,
  });
  t.after(() => publisher.stop());
  publisher.start();
  return publisher;
}

async function opened(t: TestContext, port = redis.port, options: Partial<PublisherOptions> = {}) {
  const publisher = open(t, port, options);
  await isUp(publisher);
  return publisher;
}

const isUp = (publisher: RedisPublisher): Promise<boolean> =>
  waitFor(
    () => `the publisher to be up: ${publisher.problem}`,
    () => publisher.problem === undefined,
  );

const entry = (data: string, rest: Partial<EntryWriting> = {}): EntryWriting => ({
  fields: ['data', data],
  maxlen: 0,
  expire: 0,
  ...rest,
});
const once = (key: string, fingerprint = 'f', keep = 60_000) => ({ key, fingerprint, keep });
const write = (publisher: RedisPublisher, feed: Feed, writing: Writing): Promise<Receipt> =>
  publisher.publish(feed, {}, writing);

/** The entries of a stream, each as `id name value ...`. */
async function entriesOf(stream: string, at: RespClient = client): Promise<string[]> {
  const reply = await at.command('XRANGE', stream, '-', '+');
  return Array.isArray(reply) ? reply.map((each) => [each].flat(2).join(' ')) : [];
}

function positionOf(receipt: Receipt): string {
  assert.equal(receipt.kind, 'position');
  return receipt.position;
}

/** A check of an error: nothing was written, for this reason. */
const refusedFor =
  (reason: RegExp, advice = /./) =>
  (error: unknown): boolean => {
    assert.ok(error instanceof SourceDownError, String(error));
    assert.match(error.message, reason);
    assert.match(error.hint ?? '', /^nothing was written; ./);
    assert.match(error.hint ?? '', advice);
    return true;
  };

describe('publishing to a stream', () => {
  test('adds an entry with all its fields to the byte, and answers with its id', async (t) => {
    const publisher = await opened(t, redis.port, { prefix: 'app:' });
    const feed = feedOf('stream');
    const fields = ['data', Buffer.from('\0\r\n'), 'event', 'tick', 'data', ''];
    for (const writing of [{}, { once: once('k') }]) {
      const id = positionOf(await write(publisher, feed, { ...writing, entry: entry('', { fields }) }));
      assert.equal((await entriesOf(`app:${feed.name}`)).at(-1), `${id} data \0\r\n event tick data `);
    }
  });

  test('keeps about as many entries as it is told, and all where it is told none', async (t) => {
    const publisher = await opened(t);
    for (const writing of [{}, { expire: 60_000 }]) {
      const bounded = feedOf('stream');
      const unbounded = feedOf('stream');
      await Promise.all(
        Array.from({ length: 500 }, async (_, i) => {
          await write(publisher, bounded, { entry: entry(`${i}`, { maxlen: 100, ...writing }) });
          await write(publisher, unbounded, { entry: entry(`${i}`, writing) });
        }),
      );
      const kept = (await entriesOf(bounded.name)).length;
      assert.ok(kept >= 100 && kept <= 250, `${kept}`);
      assert.equal((await entriesOf(unbounded.name)).length, 500);
    }
  });

  test('lets the stream expire so long after the last entry', async (t) => {
    const publisher = await opened(t);
    const feed = feedOf('stream');
    for (const [expire, least] of [
      [50_000, 40_000],
      [90_000.5, 80_000],
    ] as const) {
      await write(publisher, feed, { entry: entry('x', { expire }) });
      const left = Number(await client.command('PTTL', feed.name));
      assert.ok(left > least && left <= expire + 1, `${left} ms`);
    }
    await write(publisher, feed, { entry: entry('x') });
    assert.ok(Number(await client.command('PTTL', feed.name)) > 80_000);
  });

  test('keeps the order of what is begun in order, with and without keys', async (t) => {
    const publisher = await opened(t);
    const feed = feedOf('stream');
    const receipts = await Promise.all(
      Array.from({ length: 300 }, (_, i) =>
        write(publisher, feed, { entry: entry(`${i}`), once: i % 2 === 0 ? undefined : once(`${i}`) }),
      ),
    );
    const written = receipts.map((receipt, i) => `${positionOf(receipt)} data ${i}`);
    assert.deepEqual(await entriesOf(feed.name), written);
  });
});

describe('a publish that is repeated', () => {
  test('is answered as the first was, and writes nothing', async (t) => {
    const publisher = await opened(t);
    const feed = feedOf('stream');
    const writing = { entry: entry('x', { expire: 60_000 }), once: once('k') };
    const first = await write(publisher, feed, writing);
    await write(publisher, feed, { ...writing, once: once('other') });
    const again = await write(publisher, feed, writing);
    assert.deepEqual(again, { ...first, duplicate: true });
    assert.equal((await entriesOf(feed.name)).length, 2);
  });

  test('a hundred times at once is one entry', async (t) => {
    const publishers = [await opened(t), await opened(t)];
    const feed = feedOf('stream');
    const receipts = await Promise.all(
      Array.from({ length: 100 }, (_, i) =>
        write(publishers[i % 2] ?? assert.fail(), feed, { entry: entry('x'), once: once('k') }),
      ),
    );
    assert.equal(new Set(receipts.map(positionOf)).size, 1);
    assert.equal(receipts.filter((receipt) => !('duplicate' in receipt)).length, 1);
    assert.equal((await entriesOf(feed.name)).length, 1);
  });

  test('with something else is a conflict, and writes nothing', async (t) => {
    const publisher = await opened(t);
    const feed = feedOf('stream');
    await write(publisher, feed, { entry: entry('x'), once: once('k', 'one two') });
    const other = write(publisher, feed, { entry: entry('y'), once: once('k', 'two') });
    await assert.rejects(other, ConflictError);
    const again = await write(publisher, feed, { entry: entry('x'), once: once('k', 'one two') });
    assert.equal('duplicate' in again && again.duplicate, true);
    assert.equal((await entriesOf(feed.name)).length, 1);
  });

  test('is known by its stream: another stream takes the same key', async (t) => {
    const publisher = await opened(t);
    for (const feed of [feedOf('stream'), feedOf('stream')]) {
      assert.equal('duplicate' in (await write(publisher, feed, { entry: entry('x'), once: once('k') })), false);
    }
  });

  test('is written again once its key is forgotten', async (t) => {
    const publisher = await opened(t);
    const feed = feedOf('stream');
    const writing = { entry: entry('x'), once: once('k', 'f', 40.5) };
    const first = await write(publisher, feed, writing);
    const remembered = `${feed.name}:once:*`;
    await waitFor('the key to be forgotten', async () => String(await client.command('KEYS', remembered)) === '');
    assert.notEqual(positionOf(await write(publisher, feed, writing)), positionOf(first));
    assert.equal((await entriesOf(feed.name)).length, 2);
  });

  test('is remembered beside its stream: under its rights, and in its slot of a cluster', async (t) => {
    const cluster = await startRedis(t, ['--cluster-enabled', 'yes']);
    const publisher = await opened(t);
    for (const name of ['plain.name', '{tag}:x', 'x{tag}']) {
      await write(publisher, { kind: 'stream', name }, { entry: entry('x'), once: once('a key of any sort') });
      const keys = await client.command('KEYS', `${name}:once:*`);
      assert.ok(Array.isArray(keys) && keys.length === 1, String(keys));
      const slots = await cluster.client(t).pipeline([name, String(keys[0])].map((key) => ['CLUSTER', 'KEYSLOT', key]));
      assert.equal(slots[0], slots[1], String(keys[0]));
    }
  });
});

describe('an answer that is lost', () => {
  test('between the writing and the answer, 200 times: the repeat with the key makes no second entry', async (t) => {
    const { proxy, port } = await startProxy(t, redis.port);
    const publisher = await opened(t, port);
    const feed = feedOf('stream');
    const written: string[] = [];
    for (let i = 0; i < 200; i += 1) {
      const writing = { entry: entry(`${i}`, { expire: i % 2 === 0 ? 0 : 600_000 }), once: once(`${i}`) };
      proxy.loses = /\d{13}-\d/;
      await assert.rejects(write(publisher, feed, writing), OutcomeUnknownError);
      proxy.loses = undefined;
      await isUp(publisher);
      const receipt = await write(publisher, feed, writing);
      assert.equal('duplicate' in receipt && receipt.duplicate, true);
      written.push(`${positionOf(receipt)} data ${i}`);
    }
    assert.equal(proxy.lost, 200);
    assert.deepEqual(await entriesOf(feed.name), written);
  });

  test('has an unknown outcome without a key, and nothing is sent again by itself', async (t) => {
    const { proxy, port } = await startProxy(t, redis.port);
    const publisher = await opened(t, port);
    const feed = feedOf('stream');
    for (let i = 0; i < 100; i += 1) {
      proxy.loses = /\d{13}-\d/;
      await assert.rejects(write(publisher, feed, { entry: entry(`${i}`) }), (error) => {
        assert.ok(error instanceof OutcomeUnknownError);
        assert.match(error.hint ?? '', /^check before/);
        return true;
      });
      proxy.loses = undefined;
      await isUp(publisher);
    }
    const last = positionOf(await write(publisher, feed, { entry: entry('last') }));
    const entries = await entriesOf(feed.name);
    assert.equal(entries.length, 101);
    assert.equal(entries.at(-1), `${last} data last`);
  });

  test('of a Redis that is paused: unknown, and the repeat with the key makes one entry', async (t) => {
    const server = await startRedis(t);
    const other = server.client();
    const publisher = await opened(t, server.port, { clock: hasty });
    const writing = { entry: entry('x'), once: once('k') };
    const feed = feedOf('stream');
    await other.command('CLIENT', 'PAUSE', '600000', 'WRITE');
    await assert.rejects(write(publisher, feed, writing), (error) => {
      assert.ok(error instanceof OutcomeUnknownError);
      assert.match(error.hint ?? '', /the same idempotency key/);
      return true;
    });
    await other.command('CLIENT', 'UNPAUSE');
    const receipt = await waitFor('the repeat to be answered', () =>
      write(publisher, feed, writing).catch(() => false as const),
    );
    assert.deepEqual(await entriesOf(feed.name, other), [`${positionOf(receipt)} data x`]);
  });

  test('of a Redis that is stopped, and given up before it goes on: the repeat with the key makes one entry', async (t) => {
    const server = await startRedis(t);
    const publisher = await opened(t, server.port, { clock: hasty });
    const writing = { entry: entry('x', { expire: 60_000 }), once: once('k') };
    const feed = feedOf('stream');
    server.freeze();
    await assert.rejects(write(publisher, feed, writing), OutcomeUnknownError);
    await waitFor('the link to be given up', () => publisher.problem !== undefined);
    await assert.rejects(write(publisher, feed, writing), refusedFor(/is down/));
    server.thaw();
    const written = (): Promise<Receipt | false> => write(publisher, feed, writing).catch(() => false as const);
    const receipt = await waitFor('the repeat to be answered', written);
    const entries = await entriesOf(feed.name, server.client());
    assert.deepEqual(entries, [`${positionOf(receipt)} data x`]);
  });

  test('after 5 s is unknown, and so is what a proxy says that is no error of Redis', async (t) => {
    const scripted = await startScriptedRedis(t);
    const clock = new FakeClock();
    const publisher = await opened(t, scripted.address.port, { clock });
    scripted.answer = (command, connection) =>
      command[0] === 'xadd'
        ? undefined
        : command[0] === 'set'
          ? '-upstream failure\r\n'
          : obliging(command, connection);
    await assert.rejects(publisher.publish(feedOf('key'), { data: Buffer.from('x') }), OutcomeUnknownError);
    const late = write(publisher, feedOf('stream'), { entry: entry('x') });
    await scripted.until('the command', () => scripted.commands.some((command) => command.startsWith('xadd')));
    clock.advance(5000);
    await assert.rejects(late, OutcomeUnknownError);
  });
});

describe('publishing to a key', () => {
  test('sets its value, keeps its time to live, and answers with its digest', async (t) => {
    const publisher = await opened(t, redis.port, { prefix: 'app:' });
    const feed = feedOf('key');
    await client.command('SET', `app:${feed.name}`, 'old', 'PX', '50000');
    const data = Buffer.from('new\r\n');
    const receipt = await publisher.publish(feed, { data });
    assert.deepEqual(receipt, { kind: 'position', position: `~${stringDigest(data)}` });
    assert.equal(await client.command('GET', `app:${feed.name}`), 'new\r\n');
    assert.ok(Number(await client.command('PTTL', `app:${feed.name}`)) > 40_000);
  });
});

describe('a Redis that refuses', () => {
  test('for want of memory: nothing is written nor remembered, and it goes on when there is some', async (t) => {
    const server = await startRedis(t);
    const other = server.client();
    const publisher = await opened(t, server.port);
    const feed = feedOf('stream');
    const writings = [
      { entry: entry('a') },
      { entry: entry('b', { expire: 9000 }) },
      { entry: entry('c'), once: once('k') },
    ];
    await other.command('CONFIG', 'SET', 'maxmemory', '1');
    for (const writing of writings)
      await assert.rejects(write(publisher, feed, writing), refusedFor(/"main" refused: OOM/));
    await assert.rejects(publisher.publish(feedOf('key'), { data: Buffer.from('x') }), refusedFor(/OOM/));
    assert.equal(await other.command('DBSIZE'), 0);
    await other.command('CONFIG', 'SET', 'maxmemory', '0');
    for (const writing of writings) assert.equal('duplicate' in (await write(publisher, feed, writing)), false);
    assert.equal((await entriesOf(feed.name, other)).length, 3);
  });

  test('because it is a replica: everything that was sent is refused, and the primary is looked for again', async (t) => {
    const server = await startRedis(t);
    const other = server.client();
    const publisher = await opened(t, server.port);
    const feed = feedOf('stream');
    await other.command('REPLICAOF', '127.0.0.1', '1');
    const before = await connectionOf(other);
    const writings = [{ entry: entry('a') }, { entry: entry('b'), once: once('k') }, { entry: entry('c') }];
    await Promise.all(
      writings.map((writing) => assert.rejects(write(publisher, feed, writing), refusedFor(/READONLY(?!.*script)/))),
    );
    await waitFor(
      'another connection',
      async () => (await connectionOf(other)) !== before && publisher.problem === undefined,
    );
    await other.command('REPLICAOF', 'NO', 'ONE');
    await write(publisher, feed, { entry: entry('d') });
    assert.equal((await entriesOf(feed.name, other)).length, 1);
  });

  test('because the key is no stream: it stays as it is, and does not expire', async (t) => {
    const publisher = await opened(t);
    const feed = feedOf('stream');
    await client.command('SET', feed.name, 'mine');
    const writings = [{ entry: entry('a') }, { entry: entry('b', { expire: 9000 }), once: once('k') }];
    for (const writing of writings) await assert.rejects(write(publisher, feed, writing), refusedFor(/WRONGTYPE/));
    assert.deepEqual(
      await client.pipeline([
        ['GET', feed.name],
        ['PTTL', feed.name],
      ]),
      ['mine', -1],
    );
    await client.command('DEL', feed.name);
    for (const writing of writings) assert.equal('duplicate' in (await write(publisher, feed, writing)), false);
    assert.equal((await entriesOf(feed.name)).length, 2);
  });

  test('for want of rights: nothing is written that could not be remembered', async (t) => {
    const feed = feedOf('stream');
    const rights: readonly (readonly [rights: string[], writing: Writing])[] = [
      [['+ping', '+@connection', '~*'], { entry: entry('x') }],
      [['+@all', '-set', '~*'], { entry: entry('x'), once: once('k') }],
      [['+@all', `~${feed.name}`], { entry: entry('x'), once: once('k') }],
      [['+@all', '-eval', '~*'], { entry: entry('x', { expire: 9000 }) }],
    ];
    for (const [i, [rules, writing]] of rights.entries()) {
      await client.command('ACL', 'SETUSER', `u${i}`, 'on', '>pw', ...rules);
      const address = { host: '127.0.0.1', port: redis.port, db: 0, tls: false, username: `u${i}`, password: 'pw' };
      const publisher = await opened(t, redis.port, { address });
      await assert.rejects(
        write(publisher, feed, writing),
        refusedFor(/NOPERM|The user executing the script can't/, /give the user/),
      );
    }
    assert.deepEqual(await client.command('KEYS', `${feed.name}*`), []);
  });

  test('to let a stream expire: the entry is there, so its id is the answer, and the log says so', async (t) => {
    const lines: string[] = [];
    const logger = pino({ level: 'error' }, { write: (line: string) => void lines.push(line) });
    await client.command('ACL', 'SETUSER', 'lasting', 'on', '>pw', '+@all', '-pexpire', '~*');
    const address = { host: '127.0.0.1', port: redis.port, db: 0, tls: false, username: 'lasting', password: 'pw' };
    const publisher = await opened(t, redis.port, { address, logger });
    const feed = feedOf('stream');
    const writing = { entry: entry('x', { expire: 9000 }), once: once('k') };
    const id = positionOf(await write(publisher, feed, writing));
    assert.equal(positionOf(await write(publisher, feed, writing)), id);
    assert.deepEqual(await entriesOf(feed.name), [`${id} data x`]);
    assert.match(lines.join(''), /can't run this command.*refused to let its stream expire/);
  });

  test('with the codes that older servers put behind the place in the script', async (t) => {
    const scripted = await startScriptedRedis(t);
    const publisher = await opened(t, scripted.address.port);
    const said =
      "-ERR Error running script (call to f_x): @user_script:6: @user_script: 6: -READONLY You can't write\r\n";
    scripted.answer = (command, connection) => (command[0] === 'eval' ? said : obliging(command, connection));
    const writing = { entry: entry('x'), once: once('k') };
    await assert.rejects(write(publisher, feedOf('stream'), writing), refusedFor(/READONLY/));
    await waitFor('the server to be left', () => scripted.connections.length === 2);
  });
});

describe('what waits for answers', () => {
  test('is bounded in bytes, fields and all', async (t) => {
    const scripted = await startScriptedRedis(t);
    const publisher = await opened(t, scripted.address.port, { clock: new FakeClock() });
    scripted.answer = () => undefined;
    const big = { fields: ['data', Buffer.alloc(16 * 1024 * 1024 - 4)], maxlen: 0, expire: 0 };
    const waiting = [1, 2, 3, 4].map(() => write(publisher, feedOf('stream'), { entry: big }));
    await assert.rejects(write(publisher, feedOf('stream'), { entry: entry('x') }), refusedFor(/does not answer/));
    publisher.stop();
    for (const one of waiting) await assert.rejects(one, OutcomeUnknownError);
  });
});

/** The id of the publisher's connection. */
async function connectionOf(other: RespClient): Promise<string | undefined> {
  const lines = String(await other.command('CLIENT', 'LIST')).split('\n');
  return / ?id=(\d+)/.exec(lines.find((line) => line.includes('name=sse-gateway-publish')) ?? '')?.[1];
}
