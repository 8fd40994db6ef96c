/** Keys as Redis has them: the value first, then only what has changed. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { waitFor } from '../support/wait.ts';
import { callsOf, following, K, startBoth } from './streams.ts';

/** What was told of the key without the digests. */
const values = (told: readonly string[]): string[] =>
  told.map((each) => each.replace(/^k [A-Za-z0-9_-]{22} /, 'k DIGEST '));

describe('a key', () => {
  test('that is not there is told as such, then every change of it until it is gone', async (t) => {
    const { client, hearing } = await following(t, K);
    await client.command('SET', 'k', 'x');
    await hearing.hears('k l0DJ3NtEh9jNY9KlRNjmVz x');
    await client.command('APPEND', 'k', 'y');
    await client.command('DEL', 'k');
    await hearing.hears('k 0 (none)', 2);
    assert.deepEqual(hearing.told.slice(0, 3), ['k 0 (none)', 'confirmed k', 'k l0DJ3NtEh9jNY9KlRNjmVz x']);
  });

  test('is told before it is confirmed, and not again where the same is set', async (t) => {
    const { client, hearing, source } = await startBoth(t);
    await client.command('SET', 'k', 'x');
    source.follow(K);
    await hearing.hears('confirmed k');
    for (let i = 0; i < 5; i += 1) await client.command('SET', 'k', 'x');
    await client.command('SET', 'k', '');
    await waitFor('the empty value', () => hearing.told.length === 3);
    await client.command('DEL', 'k');
    await hearing.hears('k 0 (none)');
    assert.deepEqual(values(hearing.told).filter((each) => each === 'k DIGEST x').length, 1);
    assert.equal(hearing.told[1], 'confirmed k');
  });

  test('that expires is told as gone', async (t) => {
    const { client, hearing } = await following(t, K);
    await client.command('SET', 'k', 'x', 'PX', '600000');
    await hearing.hears('k l0DJ3NtEh9jNY9KlRNjmVz x');
    await client.command('PEXPIRE', 'k', '50');
    await hearing.hears('k 0 (none)', 2);
    assert.deepEqual(values(hearing.told), ['k 0 (none)', 'confirmed k', 'k DIGEST x', 'k 0 (none)']);
  });

  test('that is set 1,000 times at once costs a handful of reads and ends with the last value', async (t) => {
    const { redis, client, hearing } = await following(t, K);
    const before = await callsOf(redis, t, 'getrange');
    await client.pipeline([...Array.from({ length: 999 }, (_, i) => ['SET', 'k', `${i}`]), ['SET', 'k', 'x']]);
    await hearing.hears('k l0DJ3NtEh9jNY9KlRNjmVz x');
    const reads = (await callsOf(redis, t, 'getrange')) - before;
    assert.ok(reads <= 20, `${reads} reads`);
    assert.equal(hearing.told.at(-1), 'k l0DJ3NtEh9jNY9KlRNjmVz x');
  });

  test('that holds a hash is told as JSON, its fields in order', async (t) => {
    const { client, hearing } = await following(t, K);
    await client.command('HSET', 'k', 'b', '2', '__proto__', '"', 'a', '1');
    await waitFor('the hash', () => hearing.told.length === 3);
    assert.equal(values(hearing.told).at(-1), 'k DIGEST {"__proto__":"\\"","a":"1","b":"2"}');
  });

  test('has the same digest for the same hash, however it came to be, and another than its text', async (t) => {
    const { client, hearing } = await following(t, K);
    const digests: string[] = [];
    for (const commands of [
      [['HSET', 'k', 'a', '1', 'b', '2']],
      [
        ['HSET', 'k', 'b', '2'],
        ['HSET', 'k', 'a', '1'],
      ],
      [['SET', 'k', '{"a":"1","b":"2"}']],
    ]) {
      const count = hearing.told.length;
      await client.pipeline([['MULTI'], ...commands, ['EXEC']]);
      await waitFor('the value', () => hearing.told.length > count);
      digests.push(hearing.told.at(-1)?.split(' ')[1] ?? '');
      await client.command('DEL', 'k');
      await hearing.hears('k 0 (none)', digests.length + 1);
    }
    assert.equal(digests[0], digests[1]);
    assert.notEqual(digests[0], digests[2]);
  });

  test('that is too large is broken once for each change, and told again when it is not', async (t) => {
    const { client, hearing } = await following(t, K);
    await client.command('SET', 'k', 'x');
    await hearing.hears('k l0DJ3NtEh9jNY9KlRNjmVz x');
    await client.command('SET', 'k', 'y'.repeat(1001));
    await hearing.hears('k broken too-large null');
    await client.command('SET', 'k', 'y'.repeat(1001));
    await client.command('SET', 'k', 'y'.repeat(1002));
    await hearing.hears('k broken too-large null', 2);
    await client.command('SET', 'k', 'x');
    await hearing.hears('k l0DJ3NtEh9jNY9KlRNjmVz x', 2);
    const fields = Array.from({ length: 10_001 }, (_, i) => [`${i}`, '']).flat();
    await client.pipeline([['MULTI'], ['DEL', 'k'], ['HSET', 'k', ...fields], ['EXEC']]);
    await hearing.hears('k broken too-large null', 3);
    assert.equal(hearing.told.length, 7);
  });

  test('of exactly the limit is told whole', async (t) => {
    const { client, hearing } = await following(t, K);
    await client.command('SET', 'k', 'y'.repeat(1000));
    await waitFor('the value', () => hearing.told.length === 3);
    assert.equal(values(hearing.told).at(-1), `k DIGEST ${'y'.repeat(1000)}`);
  });

  test('that holds something else is broken once, and told again when it does not', async (t) => {
    const { client, hearing } = await following(t, K);
    await client.command('SET', 'k', 'x');
    await hearing.hears('k l0DJ3NtEh9jNY9KlRNjmVz x');
    await client.pipeline([['MULTI'], ['DEL', 'k'], ['LPUSH', 'k', '1'], ['EXEC']]);
    await hearing.hears('k broken source-error null');
    await client.command('LPUSH', 'k', '2');
    await client.command('SET', 'k', 'x');
    await hearing.hears('k l0DJ3NtEh9jNY9KlRNjmVz x', 2);
    assert.equal(hearing.told.length, 5);
  });

  test('that holds something else from the start is refused, and told when it does not', async (t) => {
    const { client, hearing, source } = await startBoth(t);
    await client.command('LPUSH', 'k', '1');
    source.follow(K);
    await hearing.hears('refused k');
    await client.command('SET', 'k', 'x');
    await hearing.hears('confirmed k');
    assert.deepEqual(hearing.told, ['refused k', 'k l0DJ3NtEh9jNY9KlRNjmVz x', 'confirmed k']);
  });
});
