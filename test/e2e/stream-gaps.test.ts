/** What is missing from a stream is announced in its place, and nothing is announced where nothing is missing. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { before, describe, type TestContext, test } from 'node:test';
import {
  addEntry,
  addNumbered,
  assertGap,
  atomically,
  dataOf,
  numberedEntries,
  numbers,
  openConfig,
  run,
} from '../support/entries.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { gapData, isPublished, openData } from '../support/gateway-events.ts';
import { heard } from '../support/heard.ts';
import { suiteOwner } from '../support/owner.ts';
import { startReading } from '../support/pair.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';
import type { RespClient } from '../support/resp.ts';
import type { SseStream } from '../support/sse-stream.ts';
import { waitFor } from '../support/wait.ts';

const CHANNELS = [
  's.{n}: {stream: "s:{n}"}',
  'few.{n}: {stream: "few:{n}", history: {events: 1}}',
  'news: {memory: true}',
];

describe('a client that comes back to a stream', () => {
  const owner = suiteOwner();
  let redis: RedisServer;
  let client: RespClient;
  let gateway: Gateway;
  before(async () => {
    redis = await startRedis(owner);
    client = redis.client();
    gateway = await startReading(owner, openConfig(redis, CHANNELS));
  });

  /** Opens `s.NAME` behind `cursor` where one gap for `reason` is due; gives the stream and what the gap says. */
  async function behindGap(t: TestContext, name: string, cursor: string, reason: string) {
    const path = `/events/s.${name}`;
    const options = { lastEventId: cursor };
    // What cannot be read is never confirmed.
    const stream =
      reason === 'source-error' ? gateway.stream(t, path, options) : await heard(t, gateway, path, options);
    const open = await stream.opened();
    assert.equal(openData(open).resumed, false, cursor);
    const gaps = stream.gapsBeforeOpen();
    assert.equal(gaps.length, 1, cursor);
    assert.equal(gaps[0]?.id, undefined);
    return { stream, open, gap: assertGap(gaps[0], `s.${name}`, reason) };
  }

  /** Opens `s.NAME` behind `cursor` where no gap is due. */
  async function without(t: TestContext, name: string, cursor: string): Promise<SseStream> {
    const stream = await heard(t, gateway, `/events/s.${name}`, { lastEventId: cursor });
    assert.equal(openData(await stream.opened()).resumed, true, cursor);
    assert.deepEqual(stream.gapsBeforeOpen(), [], cursor);
    return stream;
  }

  test('that was trimmed behind it is told so, and goes on at the oldest entry that is left', async (t) => {
    await addNumbered(client, 's:trimmed', 1, 10);
    await client.command('XTRIM', 's:trimmed', 'MAXLEN', '4');
    const { stream, open, gap } = await behindGap(t, 'trimmed', '3-0', 'trimmed');
    assert.equal(gap.after, '3-0');
    assert.ok([null, 3].includes(gap.lost), `lost ${gap.lost}`);
    assert.deepEqual(dataOf(await stream.take(4)), numbers(7, 10));
    const again = await without(t, 'trimmed', open.id ?? '');
    assert.deepEqual(dataOf(await again.take(4)), numbers(7, 10));
  });

  test('that was trimmed since its first entry is told how many are gone', async (t) => {
    await addNumbered(client, 's:counted', 1, 10);
    await client.command('XTRIM', 's:counted', 'MAXLEN', '4');
    const { stream, gap } = await behindGap(t, 'counted', '0-0', 'trimmed');
    assert.deepEqual(gap, { after: '0-0', lost: 6 });
    assert.deepEqual(dataOf(await stream.take(4)), numbers(7, 10));
  });

  test('of which the entry that a gap resumes from was trimmed since is told again', async (t) => {
    await addNumbered(client, 's:again', 1, 10);
    await client.command('XTRIM', 's:again', 'MAXLEN', '4');
    assert.deepEqual(dataOf(await (await without(t, 'again', '^7-0')).take(4)), numbers(7, 10));
    await addNumbered(client, 's:again2', 1, 10);
    await client.command('XTRIM', 's:again2', 'MAXLEN', '2');
    const { stream, gap } = await behindGap(t, 'again2', '^7-0', 'trimmed');
    assert.ok([null, 2].includes(gap.lost), `lost ${gap.lost}`);
    assert.deepEqual(dataOf(await stream.take(2)), ['9', '10']);
  });

  test('that was trimmed to nothing is told so where it had not everything, and goes on with what is new', async (t) => {
    await addNumbered(client, 's:emptied', 1, 10);
    await client.command('XTRIM', 's:emptied', 'MAXLEN', '0');
    const all = await without(t, 'emptied', '10-0');
    const { stream } = await behindGap(t, 'emptied', '3-0', 'trimmed');
    await addNumbered(client, 's:emptied', 11, 11);
    for (const each of [all, stream]) assert.deepEqual(dataOf(await each.take(1)), ['11']);
  });

  test('of which only what it has was trimmed or deleted is told nothing', async (t) => {
    await addNumbered(client, 's:prefix', 1, 10);
    await client.command('XTRIM', 's:prefix', 'MAXLEN', '4');
    assert.deepEqual(dataOf(await (await without(t, 'prefix', '7-0')).take(3)), numbers(8, 10));
    await addNumbered(client, 's:newest', 1, 5);
    await client.command('XDEL', 's:newest', '5-0');
    const newest = await without(t, 'newest', '5-0');
    await addNumbered(client, 's:newest', 6, 6);
    assert.deepEqual(dataOf(await newest.take(1)), ['6']);
  });

  test('that was deleted, or that begins anew with lower ids, is told of a reset and given it from its first entry', async (t) => {
    const { stream: gone } = await behindGap(t, 'gone', '100-0', 'reset');
    await addNumbered(client, 's:gone', 1, 2);
    assert.deepEqual(dataOf(await gone.take(2)), ['1', '2']);
    await addNumbered(client, 's:lower', 1, 2);
    const stream = await heard(t, gateway, '/events/s.lower', { lastEventId: '100-0' });
    assert.equal(stream.gapsBeforeOpen().length, 1);
    assert.match(gapData(stream.gapsBeforeOpen()[0] ?? assert.fail()).reason, /^(reset|unknown-position)$/);
  });

  test('that was recreated while somebody followed it is told of a reset and given it from its first entry', async (t) => {
    const witness = await heard(t, gateway, '/events/s.known');
    await addNumbered(client, 's:known', 101, 105);
    await witness.take(5);
    await atomically(client, [['DEL', 's:known'], ...numberedEntries('s:known', 1, 3)]);
    assertGap(await witness.next(), 's.known', 'reset');
    await witness.take(3);
    const stream = gateway.stream(t, '/events/s.known', { lastEventId: '104-0' });
    await stream.until('the newest entry', () => stream.events.some((event) => event.data === '3'));
    const seen = stream.events.filter((event) => event.type !== 'gateway.open');
    // What memory still has of the old stream comes before the gap, and nothing of it behind.
    const place = seen.findIndex((event) => event.type === 'gateway.gap');
    assert.deepEqual(dataOf(seen.slice(0, place)), ['105'].slice(0, place));
    assertGap(seen[place], 's.known', 'reset');
    assert.deepEqual(dataOf(seen.slice(place + 1)), ['1', '2', '3']);
    assert.deepEqual(dataOf(await (await without(t, 'known', '1-0')).take(2)), ['2', '3']);
  });

  test('finds what memory still has although Redis has trimmed it', async (t) => {
    const witness = await heard(t, gateway, '/events/s.memory');
    await addNumbered(client, 's:memory', 1, 10);
    await witness.take(10);
    await client.command('XTRIM', 's:memory', 'MAXLEN', '2');
    const stream = await heard(t, gateway, '/events/s.memory', { lastEventId: '3-0' });
    const gaps = stream.gapsBeforeOpen();
    if (gaps.length === 0) assert.deepEqual(dataOf(await stream.take(7)), numbers(4, 10));
    else {
      assert.deepEqual(assertGap(gaps[0], 's.memory', 'trimmed'), { after: '3-0', lost: 5 });
      assert.deepEqual(dataOf(await stream.take(2)), ['9', '10']);
    }
  });

  test('that is a string is told so, and given the stream when it is one again', async (t) => {
    await client.command('SET', 's:text', 'x');
    const { stream } = await behindGap(t, 'text', '3-0', 'source-error');
    await atomically(client, [['DEL', 's:text'], ...numberedEntries('s:text', 4, 5)]);
    await stream.until('the newest entry', () => stream.events.some((event) => event.data === '5'));
  });
});

describe('a connected client of a stream', () => {
  const owner = suiteOwner();
  let redis: RedisServer;
  let client: RespClient;
  let gateway: Gateway;
  before(async () => {
    redis = await startRedis(owner);
    client = redis.client();
    gateway = await startReading(owner, openConfig(redis, CHANNELS, 'limits: {event_size: 64KiB}\n'));
  });

  /** A stream of `s.NAME` (or `path`) that has the entries 1-0 to 5-0. */
  async function withFive(t: TestContext, name: string, path = `/events/s.${name}`): Promise<SseStream> {
    const stream = await heard(t, gateway, path);
    await addNumbered(client, `s:${name}`, 1, 5);
    assert.deepEqual(dataOf(await stream.take(5)), numbers(1, 5));
    return stream;
  }

  /** Asserts that nothing but the entries `first` to `last` has come since. */
  async function goesOnWith(stream: SseStream, first: number, last: number): Promise<void> {
    assert.deepEqual(dataOf(await stream.take(last - first + 1)), numbers(first, last));
  }

  for (const [how, commands] of [
    ['trimmed', [['XTRIM', 's:%', 'MAXLEN', '1']]],
    ['trimmed to nothing', [['XTRIM', 's:%', 'MAXLEN', '0']]],
    ['rid of its newest entry', [['XDEL', 's:%', '5-0']]],
    ['rid of its oldest entries', [['XDEL', 's:%', '1-0', '2-0']]],
    ['rid of all', [['XDEL', 's:%', '1-0', '2-0', '3-0', '4-0', '5-0']]],
    ['rid of one in the middle and of the newest', [['XDEL', 's:%', '3-0', '5-0']]],
    ['given a higher last id', [['XSETID', 's:%', '5-5']]],
  ] as const) {
    test(`sees no gap when the stream, all of which it has, is ${how}, and then goes on`, async (t) => {
      const name = how.replaceAll(/\W/g, '-');
      const stream = await withFive(t, name);
      const on = commands.map((command) => command.map((word) => word.replace('%', name)));
      await run(client, on);
      await addNumbered(client, `s:${name}`, 6, 7);
      await goesOnWith(stream, 6, 7);
      await atomically(client, [...on.slice(0, 1).map(withoutIds), ...numberedEntries(`s:${name}`, 8, 9)]);
      await goesOnWith(stream, 8, 9);
    });
  }

  test('sees no gap when each entry is taken out as soon as it was added and read', async (t) => {
    const stream = await withFive(t, 'queue');
    for (let number = 6; number < 30; number += 1) {
      await addNumbered(client, 's:queue', number, number);
      await goesOnWith(stream, number, number);
      await client.command('XDEL', 's:queue', `${number}-0`);
    }
  });

  test('is told how many entries are gone that it never saw, right before the first that is left', async (t) => {
    const stream = await withFive(t, 'burst');
    const burst = numberedEntries('s:burst', 6, 13).map(([name = '', key = '', ...rest]) => [
      name,
      key,
      'MAXLEN',
      '3',
      ...rest,
    ]);
    await atomically(client, burst);
    const gap = await stream.next();
    assert.deepEqual(assertGap(gap, 's.burst', 'trimmed'), { after: '5-0', lost: 5 });
    await goesOnWith(stream, 11, 13);
    const again = await heard(t, gateway, '/events/s.burst', { lastEventId: gap.id });
    assert.equal(openData(await again.opened()).resumed, true);
    await goesOnWith(again, 11, 13);
  });

  test('is told of a burst that a gateway slept through', async (t) => {
    const sleeper = await startReading(t, openConfig(redis, CHANNELS));
    const stream = await heard(t, sleeper, '/events?channel=s.sleep&channel=few.sleep');
    await addNumbered(client, 's:sleep', 1, 1);
    await stream.take(1);
    await addNumbered(client, 'few:sleep', 1, 1);
    await stream.take(1);
    sleeper.child.signal('SIGSTOP');
    await waitFor('it to sleep', async () => /\) T /.test(await readFile(`/proc/${sleeper.child.pid}/stat`, 'utf8')));
    for (let number = 2; number <= 9; number += 1) {
      for (const key of ['s:sleep', 'few:sleep']) {
        await client.command('XADD', key, 'MAXLEN', '3', `${number}-0`, 'data', `${number}`);
      }
    }
    sleeper.child.signal('SIGCONT');
    const events = await stream.take(8);
    for (const channel of ['s.sleep', 'few.sleep']) {
      const place = events.findIndex((event) => !isPublished(event) && gapData(event).channel === channel);
      assert.deepEqual(assertGap(events[place], channel, 'trimmed'), { after: '1-0', lost: 5 });
    }
    assert.deepEqual(dataOf(events.filter(isPublished)).sort(), ['7', '7', '8', '8', '9', '9']);
  });

  test('is told of nothing where a burst was trimmed to nothing but what it has not seen', async (t) => {
    const stream = await withFive(t, 'exact');
    await atomically(client, [['XTRIM', 's:exact', 'MAXLEN', '0'], ...numberedEntries('s:exact', 6, 8)]);
    await goesOnWith(stream, 6, 8);
  });

  test('is told where entries came and went unseen and none is left', async (t) => {
    const stream = await withFive(t, 'unseen');
    await atomically(client, [...numberedEntries('s:unseen', 6, 8), ['XTRIM', 's:unseen', 'MAXLEN', '0']]);
    const gap = await stream.next();
    assert.deepEqual(assertGap(gap, 's.unseen', 'trimmed'), { after: '5-0', lost: 3 });
    await addNumbered(client, 's:unseen', 9, 9);
    await goesOnWith(stream, 9, 9);
    const again = await heard(t, gateway, '/events/s.unseen', { lastEventId: gap.id });
    assert.equal(openData(await again.opened()).resumed, true);
    await goesOnWith(again, 9, 9);
  });

  for (const [how, commands] of [
    ['deleted', [['DEL', 's:%']]],
    ['unlinked', [['UNLINK', 's:%']]],
    ['renamed away', [['RENAME', 's:%', 'elsewhere:%']]],
  ] as const) {
    test(`is told once of a reset when the stream is ${how}, and given what comes then`, async (t) => {
      const name = how.replaceAll(' ', '-');
      const stream = await withFive(t, name);
      await run(
        client,
        commands.map((command) => command.map((word) => word.replace('%', name))),
      );
      const gap = await stream.next();
      assert.equal(assertGap(gap, `s.${name}`, 'reset').after, '5-0');
      await addNumbered(client, `s:${name}`, 1, 3);
      await goesOnWith(stream, 1, 3);
      const again = await heard(t, gateway, `/events/s.${name}`, { lastEventId: gap.id });
      assert.equal(openData(await again.opened()).resumed, true);
      await goesOnWith(again, 1, 3);
    });
  }

  for (const [how, first, last] of [
    ['lower ids', 1, 3],
    ['higher ids', 11, 13],
    ['higher ids and more entries', 11, 30],
  ] as const) {
    test(`is told of a reset when the stream is recreated at once with ${how}`, async (t) => {
      const name = how.replaceAll(' ', '-');
      const stream = await heard(t, gateway, `/events/s.${name}`);
      await addNumbered(client, `s:${name}`, 6, 10);
      await stream.take(5);
      await atomically(client, [['DEL', `s:${name}`], ...numberedEntries(`s:${name}`, first, last)]);
      assert.equal(assertGap(await stream.next(), `s.${name}`, 'reset').after, '10-0');
      await goesOnWith(stream, first, last);
    });
  }

  test('is told when the stream is rolled back, and given what came behind the fork', async (t) => {
    const stream = await withFive(t, 'rolled');
    await client.command('COPY', 's:rolled', 'copy:rolled');
    await addNumbered(client, 's:rolled', 6, 7);
    await goesOnWith(stream, 6, 7);
    await atomically(client, [
      ['RENAME', 'copy:rolled', 's:rolled'],
      ['XADD', 's:rolled', '6-1', 'data', 'another'],
    ]);
    assert.equal(assertGap(await stream.next(), 's.rolled', 'rolled-back').after, '7-0');
    assert.deepEqual(dataOf(await stream.take(1)), ['another']);
    await addNumbered(client, 's:rolled', 8, 8);
    await goesOnWith(stream, 8, 8);
  });

  describe('that came when the stream was long there', () => {
    /** Entries 1 to 5 are older than all that the gateway has in memory; a client that came behind them. */
    async function behindFive(t: TestContext, name: string): Promise<SseStream> {
      await addNumbered(client, `s:${name}`, 1, 4);
      await client.command('COPY', `s:${name}`, `copy:${name}`);
      await addNumbered(client, `s:${name}`, 5, 5);
      return await heard(t, gateway, `/events/s.${name}`);
    }

    test('is told how many were deleted before it was given them, and gets nothing again', async (t) => {
      const stream = await behindFive(t, 'older');
      const deleted = [...numberedEntries('s:older', 6, 7), ['XDEL', 's:older', '5-0', '6-0', '7-0']];
      await atomically(client, deleted);
      assert.deepEqual(assertGap(await stream.next(), 's.older', 'trimmed'), { after: '5-0', lost: 2 });
      await addNumbered(client, 's:older', 8, 9);
      await goesOnWith(stream, 8, 9);
    });

    test('is told when the stream is rolled back to before it came, and gets nothing again', async (t) => {
      const stream = await behindFive(t, 'back');
      await client.command('RENAME', 'copy:back', 's:back');
      assert.equal(assertGap(await stream.next(), 's.back', 'rolled-back').after, '5-0');
      await addEntry(client, 's:back', 'new', '4-1');
      assert.deepEqual(dataOf(await stream.take(1)), ['new']);
    });

    test('is told of a reset when another stream with lower ids is in its place, and given that', async (t) => {
      const stream = await behindFive(t, 'lower');
      const another = ['1', '2'].map((number) => ['XADD', 's:lower', `${number}-0`, 'data', `other ${number}`]);
      await atomically(client, [['DEL', 's:lower'], ...another]);
      assert.equal(assertGap(await stream.next(), 's.lower', 'reset').after, '5-0');
      assert.deepEqual(dataOf(await stream.take(2)), ['other 1', 'other 2']);
    });
  });

  test('is told of a string in its place also when it comes back, or comes first, and goes on when that is gone', async (t) => {
    const stream = await withFive(t, 'other');
    await atomically(client, [
      ['RENAME', 's:other', 'kept:other'],
      ['SET', 's:other', 'x'],
    ]);
    assertGap(await stream.next(), 's.other', 'source-error');
    const back = gateway.stream(t, '/events/s.other', { lastEventId: '5-0' });
    const first = gateway.stream(t, '/events/s.other');
    for (const each of [back, first]) {
      assert.equal(openData(await each.opened()).resumed, false);
      assertGap(each.gapsBeforeOpen()[0], 's.other', 'source-error');
    }
    await client.command('RENAME', 'kept:other', 's:other');
    await addNumbered(client, 's:other', 6, 7);
    for (const each of [stream, back, first]) await goesOnWith(each, 6, 7);
  });

  test('is told of a string in its place while the other channels go on, and is served when the stream is back', async (t) => {
    const stream = await withFive(t, 'string', '/events?channel=s.string&channel=s.calm&channel=news');
    await atomically(client, [
      ['RENAME', 's:string', 'kept:string'],
      ['SET', 's:string', 'x'],
    ]);
    await stream.until('the gap', () => gaps(stream).includes('source-error'));
    await addEntry(client, 's:calm', 'calm', '1-0');
    await gateway.publish('news', 'good');
    await stream.until('the others', () => ['calm', 'good'].every((data) => dataOf(stream.events).includes(data)));
    await client.command('RENAME', 'kept:string', 's:string');
    await addNumbered(client, 's:string', 6, 7);
    await stream.until('the newest entry', () => stream.events.some((event) => event.data === '7'));
    assert.equal(gaps(stream).filter((reason) => reason === 'source-error').length, 1);
    const seen = stream.events.filter((event) => /^\d+$/.test(event.data)).map((event) => event.data);
    assert.deepEqual(
      seen,
      numbers(1, 7)
        .slice(0, 5)
        .concat(seen.includes('6') ? ['6', '7'] : ['7']),
    );
    assert.equal(stream.end, undefined);
  });

  test('is told of an entry that is too large, in its place, and goes on behind it', async (t) => {
    const stream = await withFive(t, 'large');
    await addEntry(client, 's:large', 'x'.repeat(70_000), '6-0');
    await addNumbered(client, 's:large', 7, 7);
    const gap = await stream.next();
    assert.equal(assertGap(gap, 's.large', 'too-large').after, '5-0');
    await goesOnWith(stream, 7, 7);
    const again = await heard(t, gateway, '/events/s.large', { lastEventId: gap.id });
    assert.equal(openData(await again.opened()).resumed, true);
    await goesOnWith(again, 7, 7);
  });

  test('is told where there is no right to read it, while the others go on, and is served when there is', async (t) => {
    await client.command('ACL', 'SETUSER', 'app', 'on', '>secret', '~open:*', '&*', '+@all');
    const channels = ['o.{n}: {stream: "open:{n}"}', 's.{n}: {stream: "shut:{n}"}', 'm.{n}: {memory: true}'];
    const url = redis.url.replace('redis://', 'redis://app:secret@');
    const served = await startReading(t, openConfig(url, channels), '/events/o.a');
    await addNumbered(client, 'shut:a', 1, 3);
    const path = '/events?channel=o.a&channel=s.a&channel=m.a';
    const back = served.stream(t, path, { lastEventId: ',o.a=0-0,s.a=2-0' });
    const fresh = served.stream(t, path);
    const alone = served.stream(t, '/events/s.a');
    for (const stream of [back, fresh, alone]) {
      await stream.until('the gap', () => gaps(stream).includes('source-error'));
      await stream.opened();
    }
    await addEntry(client, 'open:a', 'open', '1-0');
    await served.publish('m.a', 'news');
    for (const stream of [back, fresh]) {
      await stream.until('the others', () => ['open', 'news'].every((data) => dataOf(stream.events).includes(data)));
    }
    await client.command('ACL', 'SETUSER', 'app', '~shut:*');
    await back.until('the rest', () => dataOf(back.events).includes('3'));
    await Promise.all(
      [fresh, alone].map((stream) => stream.until('the gap', () => gaps(stream).includes('source-lost'))),
    );
    await addNumbered(client, 'shut:a', 4, 4);
    for (const stream of [back, fresh, alone])
      await stream.until('the next', () => dataOf(stream.events).includes('4'));
    assert.deepEqual(dataOf(back.events.filter((event) => /^\d+$/.test(event.data))), ['3', '4']);
  });

  test('is told once when all of Redis is flushed, on every channel that had something', async (t) => {
    const own = await startRedis(t);
    const its = own.client();
    const served = await startReading(t, openConfig(own, CHANNELS));
    const stream = await heard(t, served, '/events?channel=s.a&channel=s.b&channel=s.empty');
    await addNumbered(its, 's:a', 1, 2);
    await addNumbered(its, 's:b', 1, 2);
    await stream.take(4);
    await its.command('FLUSHALL');
    const seen = await stream.take(2);
    assert.deepEqual(seen.map((event) => gapData(event).channel).sort(), ['s.a', 's.b']);
    for (const event of seen) assert.equal(gapData(event).reason, 'reset');
    await addEntry(its, 's:empty', 'last', '1-0');
    assert.equal((await stream.next()).data, 'last');
  });

  test('sees no gap when Redis restarts with its data, and a reset when it comes back empty', async (t) => {
    const own = await startRedis(t, ['--appendonly', 'yes', '--appendfsync', 'always']);
    const empty = await startRedis(t);
    const lines = ['kept: {source: kept}', 'gone: {source: gone}'].map((line) => line.replace('}', ', stream: s}'));
    const sources = `sources:\n  kept: {redis: "${own.url}"}\n  gone: {redis: "${empty.url}"}\n`;
    const config = openConfig(own, lines, sources).replace(/^redis: .*\n/, '');
    const served = await startGateway(t, { config });
    const stream = await heard(t, served, '/events?channel=kept&channel=gone');
    for (const server of [own, empty]) await addNumbered(server.client(), 's', 1, 3);
    await stream.take(6);
    await Promise.all([own.kill(), empty.kill()]);
    await Promise.all([own.start(), empty.start()]);
    await addNumbered(own.client(), 's', 4, 4);
    await addEntry(empty.client(), 's', '1', '10-0');
    const seen = await stream.take(3);
    assert.deepEqual(
      seen.filter((event) => !isPublished(event)).map((event) => gapData(event).reason),
      ['reset'],
    );
    assert.deepEqual(dataOf(seen.filter(isPublished)).sort(), ['1', '4']);
  });
});

/** XDEL of an id that is gone already would do nothing in a second round. */
function withoutIds(command: readonly string[]): string[] {
  return command[0] === 'XTRIM' ? [...command] : ['PING'];
}

function gaps(stream: SseStream): string[] {
  return stream.events.filter((event) => event.type === 'gateway.gap').map((event) => gapData(event).reason);
}
