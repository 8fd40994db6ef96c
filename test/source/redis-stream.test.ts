/** Streams as Redis has them: live, with every way in which one can lose its place. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Feed, Source } from '../../src/source/source.ts';
import { startRedis } from '../support/redis.ts';
import type { RespClient } from '../support/resp.ts';
import { waitFor } from '../support/wait.ts';
import { add, following, S, startBoth, startSource } from './streams.ts';

const added = (from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, i) => `s ${from + i}-0 n=${from + i}-0`);

describe('a stream', () => {
  test('tells each entry that is added, once and in order', async (t) => {
    const { client, hearing } = await following(t, S);
    for (let i = 1; i <= 100; i += 1) await add(client, `${i}-0`);
    await hearing.hears('s 100-0 n=100-0');
    assert.deepEqual(hearing.told, ['confirmed s', ...added(1, 100)]);
    assert.deepEqual(hearing.states, [{ last: '0-0', newest: undefined, age: undefined }]);
  });

  test('is told from its end on, with its newest entry and its age', async (t) => {
    const { client, hearing, source } = await startBoth(t);
    await add(client, '1-0');
    const id = String(await client.command('XADD', 's', '*', 'a', '1', 'a', '2'));
    source.follow(S);
    await hearing.hears('confirmed s');
    const [state] = hearing.states;
    assert.equal(state?.last, id);
    assert.deepEqual(state?.newest, { id, fields: ['a', '1', 'a', '2'].map((text) => Buffer.from(text)) });
    assert.ok(state?.age !== undefined && state.age >= 0 && state.age < 60_000, `${state?.age} ms`);
    const next = await client.command('XADD', 's', '*', 'b', '3');
    await hearing.hears(`s ${next} b=3`);
    assert.equal(hearing.told.length, 2);
  });

  test('tells 5,000 entries that come at once, in order and none twice', async (t) => {
    const { client, hearing } = await following(t, S);
    await client.pipeline(Array.from({ length: 5000 }, (_, i) => ['XADD', 's', `${i + 1}-0`, 'n', `${i + 1}-0`]));
    await hearing.hears('s 5000-0 n=5000-0');
    assert.deepEqual(hearing.told.slice(1), added(1, 5000));
  });

  test('tells fields to the byte', async (t) => {
    const { client, hearing, source } = await startBoth(t);
    const bytes = Buffer.from([0, 0xff, 0xc0, 0x0d, 0x0a]);
    await client.command('XADD', 's', '1-0', bytes, Buffer.alloc(0));
    source.follow(S);
    await hearing.hears('confirmed s');
    assert.deepEqual(hearing.states[0]?.newest?.fields, [bytes, Buffer.alloc(0)]);
  });

  test('is read under the prefix of its source, beside a key of the same name', async (t) => {
    const { client, hearing, source } = await startBoth(t, { prefix: 'app:' });
    const key: Feed = { kind: 'key', name: 's' };
    source.follow(S);
    await hearing.hears('confirmed s');
    source.follow(key);
    await hearing.hears('confirmed s', 2);
    await add(client, '1-0');
    await add(client, '2-0', 'app:s');
    await hearing.hears('s 2-0 n=2-0');
    source.unfollow(S);
    await client.command('SET', 'app:s', 'x');
    const digest = 'l0DJ3NtEh9jNY9KlRNjmVz';
    await hearing.hears(`s ${digest} x`);
  });

  test('is told nothing of once it was given back', async (t) => {
    const { client, hearing, source } = await following(t, S);
    source.unfollow(S);
    await add(client, '1-0');
    const other: Feed = { kind: 'stream', name: 's2' };
    source.follow(other);
    await hearing.hears('confirmed s2');
    source.follow(S);
    await hearing.hears('confirmed s', 2);
    assert.deepEqual(hearing.told, ['confirmed s', 'confirmed s2', 'confirmed s']);
  });

  test('waits in Redis while its reader is paused', async (t) => {
    const { client, hearing, source } = await following(t, S);
    await pause(source, client);
    for (let i = 1; i <= 3; i += 1) await add(client, `${i}-0`);
    const { hearing: another, source: witness } = startSource(t, Number(await portOf(client)));
    witness.follow(S);
    await another.hears('confirmed s');
    assert.deepEqual(hearing.told, ['confirmed s']);
    source.resume();
    await hearing.hears('s 3-0 n=3-0');
    assert.deepEqual(hearing.told.slice(1), added(1, 3));
  });

  test('is one of 2,000 that are followed at once, and each tells its own', async (t) => {
    const { client, hearing, source } = await startBoth(t);
    const feeds = Array.from({ length: 2000 }, (_, i): Feed => ({ kind: 'stream', name: `s${i}` }));
    for (const feed of feeds) source.follow(feed);
    await waitFor('all to be confirmed', () => hearing.told.length === 2000);
    await client.pipeline(feeds.map(({ name }) => ['XADD', name, '1-0', 'n', name]));
    await waitFor('all entries', () => hearing.told.length === 4000);
    const expected = feeds.map(({ name }) => `${name} 1-0 n=${name}`);
    assert.deepEqual(hearing.told.slice(2000).sort(), expected.sort());
  });
});

describe('a stream that was changed while its reader was busy', () => {
  /** Entries 1 to 3 were told; then these commands run while nothing is read. */
  async function after(t: Parameters<typeof following>[0], commands: readonly (readonly string[])[]) {
    const context = await following(t, S);
    for (let i = 1; i <= 3; i += 1) await add(context.client, `${i}-0`);
    await context.hearing.hears('s 3-0 n=3-0');
    await pause(context.source, context.client);
    for (const command of commands) await context.client.command(...command);
    context.source.resume();
    return { ...context, told: () => context.hearing.told.slice(4) };
  }
  const xadd = (id: number, ...more: string[]): string[] => ['XADD', 's', ...more, `${id}-0`, 'n', `${id}-0`];

  test('is trimmed: how many are lost is told before the first that is left', async (t) => {
    const trimmed = Array.from({ length: 8 }, (_, i) => xadd(4 + i, 'MAXLEN', '3'));
    const { hearing, told } = await after(t, trimmed);
    await hearing.hears('s 11-0 n=11-0');
    assert.deepEqual(told(), ['s broken trimmed 5', ...added(9, 11)]);
  });

  test('is trimmed up to its place: nothing is missing', async (t) => {
    const { hearing, told } = await after(t, [xadd(4), xadd(5), ['XTRIM', 's', 'MAXLEN', '2']]);
    await hearing.hears('s 5-0 n=5-0');
    assert.deepEqual(told(), added(4, 5));
  });

  test('is drained and then continued: nothing is missing', async (t) => {
    const { hearing, told, client } = await after(t, [['XTRIM', 's', 'MAXLEN', '0'], xadd(4)]);
    await hearing.hears('s 4-0 n=4-0');
    await client.command('XTRIM', 's', 'MAXLEN', '0');
    await add(client, '5-0');
    await hearing.hears('s 5-0 n=5-0');
    assert.deepEqual(told(), added(4, 5));
  });

  test('has its newest entry deleted by its owner: nothing is missing', async (t) => {
    const { hearing, told } = await after(t, [['XDEL', 's', '3-0'], xadd(4)]);
    await hearing.hears('s 4-0 n=4-0');
    assert.deepEqual(told(), added(4, 4));
  });

  test('is deleted: it begins anew, with whatever ids come', async (t) => {
    const { hearing, told, client } = await after(t, [['DEL', 's']]);
    await hearing.hears('s broken reset null');
    await add(client, '1-0');
    await hearing.hears('s 1-0 n=1-0', 2);
    assert.deepEqual(told(), ['s broken reset null', ...added(1, 1)]);
  });

  test('is deleted and made anew with lower ids: it begins anew', async (t) => {
    const { hearing, told } = await after(t, [
      ['DEL', 's'],
      ['XADD', 's', '0-5', 'n', 'x'],
      ['XADD', 's', '0-6', 'n', 'y'],
    ]);
    await hearing.hears('s 0-6 n=y');
    assert.deepEqual(told(), ['s broken reset null', 's 0-5 n=x', 's 0-6 n=y']);
  });

  test('is deleted and made anew with higher ids: it begins anew', async (t) => {
    const { hearing, told } = await after(t, [['DEL', 's'], xadd(7), xadd(8)]);
    await hearing.hears('s 8-0 n=8-0');
    assert.deepEqual(told(), ['s broken reset null', ...added(7, 8)]);
  });

  test('is flushed away with everything: it begins anew', async (t) => {
    const { hearing, told } = await after(t, [['FLUSHALL'], ['XADD', 's', '0-1', 'n', 'x']]);
    await hearing.hears('s 0-1 n=x');
    assert.deepEqual(told(), ['s broken reset null', 's 0-1 n=x']);
  });

  test('becomes something else: it is broken once, and goes on when it is back', async (t) => {
    const { hearing, told, client } = await after(t, [
      ['RENAME', 's', 'aside'],
      ['SET', 's', 'x'],
    ]);
    await hearing.hears('s broken source-error null');
    await client.command('SET', 's', 'y');
    await client.command('SET', 's', 'z');
    await client.command('RENAME', 'aside', 's');
    await add(client, '4-0');
    await hearing.hears('s 4-0 n=4-0');
    assert.deepEqual(told(), ['s broken source-error null', ...added(4, 4)]);
  });

  test('goes back and another way: it goes on behind what both sides know', async (t) => {
    const { hearing, told, client } = await after(t, [
      ['DEL', 's'],
      xadd(1),
      xadd(2),
      ['XADD', 's', '2-7', 'n', 'other'],
      xadd(4),
    ]);
    await hearing.hears('s 4-0 n=4-0');
    await client.command('XTRIM', 's', 'MAXLEN', '1');
    await add(client, '5-0');
    await hearing.hears('s 5-0 n=5-0');
    assert.deepEqual(told(), ['s broken rolled-back null', 's 2-7 n=other', ...added(4, 5)]);
  });

  test('goes back and stays there: what comes under the same ids again is told', async (t) => {
    const { hearing, told, client } = await after(t, [['DEL', 's'], xadd(1)]);
    await hearing.hears('s broken rolled-back null');
    await add(client, '2-0');
    await hearing.hears('s 2-0 n=2-0', 2);
    assert.deepEqual(told(), ['s broken rolled-back null', ...added(2, 2)]);
  });
});

describe('a stream that cannot be read', () => {
  test('is refused once, and confirmed when it can', async (t) => {
    const { hearing, source, client } = await startBoth(t);
    await client.command('SET', 's', 'x');
    source.follow(S);
    await hearing.hears('refused s');
    await client.command('SET', 's', 'y');
    await client.command('DEL', 's');
    await hearing.hears('confirmed s');
    await add(client, '1-0');
    await hearing.hears('s 1-0 n=1-0');
    assert.deepEqual(hearing.told, ['refused s', 'confirmed s', ...added(1, 1)]);
  });

  test('for want of rights leaves the others readable', async (t) => {
    const redis = await startRedis(t);
    const client = redis.client();
    await client.command('ACL', 'SETUSER', 'gateway', 'on', '>secret', '+@all', '~open*', '&*');
    const address = { host: '127.0.0.1', port: redis.port, db: 0, tls: false, username: 'gateway', password: 'secret' };
    const { source, hearing } = startSource(t, redis.port, { address });
    source.follow(S);
    source.follow({ kind: 'stream', name: 'open' });
    await hearing.hears('refused s');
    await hearing.hears('confirmed open');
    await add(client, '1-0', 'open');
    await hearing.hears('open 1-0 n=1-0');
  });
});

/** Settles when nothing is read any more: a read that was under way has been answered by then. */
async function pause(source: Source, client: RespClient): Promise<void> {
  source.pause();
  for (let time = 0; time < 4; time += 1) await client.command('PING');
}

async function portOf(client: { command(...args: string[]): Promise<unknown> }): Promise<unknown> {
  const answer = await client.command('CONFIG', 'GET', 'port');
  return Array.isArray(answer) ? answer[1] : undefined;
}
