/** Where a stream starts: every cursor that a client may send, readable or not. */
import assert from 'node:assert/strict';
import { before, describe, type TestContext, test } from 'node:test';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { gapData, openData } from '../support/gateway-events.ts';
import { suiteOwner } from '../support/owner.ts';

/** None of these is a position of this process. */
const UNREADABLE = [
  '0',
  '$',
  '-',
  '+',
  '>',
  '*',
  '1-0, 2-0',
  '1-0',
  '^1-0',
  '~0',
  '-1',
  '18446744073709551616',
  '1-1-1',
  'NaN',
  '[object Object]',
  '{"id":1}',
  "' OR 1=1 --",
  '../../etc/passwd',
  'a,b,c',
  '%00',
  '%',
  'gr\u00fcn',
  'x'.repeat(5_000),
];

describe('where a stream starts', () => {
  const owner = suiteOwner();
  let gateway: Gateway;
  before(async () => {
    gateway = await startGateway(owner);
  });

  test('without a cursor: at the head, and gateway.open says so', async (t) => {
    await gateway.publish('plain', 'before');
    const stream = gateway.stream(t, '/events/plain');
    assert.deepEqual(openData(await stream.opened()), { channels: ['plain'], resumed: false, pending: [] });
    await gateway.publish('plain', 'after');
    assert.equal((await stream.next()).data, 'after');
  });

  test('an unreadable cursor is a gap in the stream, then the head; never a refusal and never a replay', async (t) => {
    await gateway.publish('garbage', 'kept');
    for (const [index, cursor] of UNREADABLE.entries()) {
      const stream = gateway.stream(t, '/events/garbage', { lastEventId: Buffer.from(cursor).toString('latin1') });
      assert.equal((await stream.responded()).status, 200, cursor);
      assert.equal(openData(await stream.opened()).resumed, false, cursor);
      const [gap, ...more] = stream.gapsBeforeOpen();
      assert.ok(gap !== undefined && more.length === 0, `${cursor}: ${JSON.stringify(stream.events)}`);
      const { channel, reason } = gapData(gap);
      assert.deepEqual([channel, reason, gap.id], ['garbage', 'unknown-position', undefined], cursor);
      await gateway.publish('garbage', `${index}`);
      assert.equal((await stream.next()).data, `${index}`);
      stream.cut();
    }
  });

  test('an empty cursor is none at all or a gap, never a refusal', async (t) => {
    const stream = gateway.stream(t, '/events/empty', { lastEventId: '' });
    assert.equal(openData(await stream.opened()).resumed, false);
  });

  test('a position of another process is "restarted", one from the future is "unknown-position"', async (t) => {
    const id = await gateway.publish('times', 'x');
    const [epoch = '', number = ''] = id.split('-');
    const cases = [
      [`${otherLetter(epoch)}-${number}`, 'restarted'],
      [`${epoch}-${Number(number) + 1_000_000}`, 'unknown-position'],
      [`${epoch}-99999999999999999999`, 'unknown-position'],
    ] as const;
    for (const [cursor, reason] of cases) {
      const stream = gateway.stream(t, '/events/times', { lastEventId: cursor });
      await stream.opened();
      assert.deepEqual(
        stream.gapsBeforeOpen().map((gap) => gapData(gap).reason),
        [reason],
        cursor,
      );
    }
  });

  test('a cursor with names of other channels neither helps nor hurts', async (t) => {
    const id = await gateway.publish('named', 'one');
    await gateway.publish('named', 'two');
    const stream = gateway.stream(t, '/events/named', { lastEventId: `${id},secret=1-0` });
    assert.equal(openData(await stream.opened()).resumed, true);
    assert.equal((await stream.next()).data, 'two');
  });

  test('with exceptions for channels each goes on from its own place', async (t) => {
    const ids: string[] = [];
    for (const data of ['1', '2', '3', '4']) {
      ids.push(await gateway.publish(Number(data) % 2 === 0 ? 'even' : 'odd', data));
    }
    // Everything of "odd" has been seen, of "even" nothing since the first event.
    const stream = gateway.stream(t, '/events?channel=odd&channel=even', { lastEventId: `${ids[3]},even=${ids[0]}` });
    assert.equal(openData(await stream.opened()).resumed, true);
    assert.deepEqual(
      (await stream.take(2)).map((event) => event.data),
      ['2', '4'],
    );
    const again = gateway.stream(t, '/events?channel=odd&channel=even', { lastEventId: stream.lastEventId });
    await again.opened();
    await gateway.publish('odd', '5');
    assert.equal((await again.next()).data, '5');
  });

  test('a cut in the middle of a merged replay goes on where it was', async (t) => {
    const ids: string[] = [];
    for (let index = 0; index < 20; index += 1) {
      ids.push(await gateway.publish(index % 3 === 0 ? 'merge.a' : 'merge.b', `${index}`));
    }
    const path = '/events?channel=merge.a&channel=merge.b';
    let cursor = `${ids[19]},merge.a=${ids[0]},merge.b=${ids[4]}`;
    const seen: string[] = [];
    while (seen.length < 16) {
      const stream = gateway.stream(t, path, { lastEventId: cursor });
      await stream.opened();
      seen.push((await stream.next()).data);
      cursor = stream.events.find((event) => event.type === 'message')?.id ?? '';
      stream.cut();
    }
    const wanted = ids.map((_, index) => index).filter((index) => (index % 3 === 0 ? index > 0 : index > 4));
    assert.deepEqual(
      seen.map(Number).sort((a, b) => a - b),
      wanted.slice(0, 16),
    );
    for (const rest of [0, 1]) {
      const mine = seen.map(Number).filter((index) => (index % 3 === 0 ? 0 : 1) === rest);
      assert.deepEqual(
        mine,
        [...mine].sort((a, b) => a - b),
      );
    }
  });

  test('the query says it as well, under both names, and the header wins', async (t) => {
    const first = await gateway.publish('query', '1');
    const second = await gateway.publish('query', '2');
    await gateway.publish('query', '3');
    assert.equal(await firstAfter(t, gateway, `lastEventId=${first}`), '2');
    assert.equal(await firstAfter(t, gateway, `last_event_id=${first}`), '2');
    assert.equal(await firstAfter(t, gateway, `lastEventId=${first}`, second), '3');
    assert.equal(await firstAfter(t, gateway, `last_event_id=${second}&lastEventId=${first}`), '2');
  });

  test('a repeated parameter counts by its last value', async (t) => {
    const first = await gateway.publish('query', '4');
    const second = await gateway.publish('query', '5');
    await gateway.publish('query', '6');
    assert.equal(await firstAfter(t, gateway, `lastEventId=${first}&lastEventId=${second}`), '6');
    assert.equal(await firstAfter(t, gateway, `lastEventId=garbage&lastEventId=${first}`), '5');
  });

  test('two Last-Event-ID fields are one cursor that cannot be read', async (t) => {
    const id = await gateway.publish('double', 'x');
    const headers = { 'last-event-id': id, 'Last-Event-ID': id };
    const stream = gateway.stream(t, '/events/double', { headers });
    await stream.opened();
    assert.equal(stream.gapsBeforeOpen().length, 1);
  });

  test('an unreadable cursor makes one gap for each channel', async (t) => {
    const stream = gateway.stream(t, '/events?channel=x&channel=y', { lastEventId: 'garbage' });
    await stream.opened();
    assert.deepEqual(
      stream.gapsBeforeOpen().map((gap) => gapData(gap).channel),
      ['x', 'y'],
    );
  });
});

/** The data of the first event that a stream of `query` brings. */
async function firstAfter(t: TestContext, gateway: Gateway, query: string, lastEventId?: string): Promise<string> {
  const stream = gateway.stream(t, `/events/query?${query}`, { lastEventId });
  assert.equal(openData(await stream.opened()).resumed, true);
  return (await stream.next()).data;
}

/** Another epoch of the same form. */
function otherLetter(epoch: string): string {
  return (epoch.startsWith('a') ? 'b' : 'a') + epoch.slice(1);
}
