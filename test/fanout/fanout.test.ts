/** The fan-out, case by case: when bytes are written, to whom, and what a stream looks like at its special places. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Core } from '../support/core.ts';
import { FakeSource } from '../support/fake-source.ts';
import { gapData, parseObject } from '../support/gateway-events.ts';
import { quiet, turn, turnUntil } from '../support/turns.ts';
import { HurryingClock } from './hurrying-clock.ts';

describe('an event', () => {
  test('reaches everybody at the head as soon as the running callback is done', async () => {
    const core = new Core();
    const clients = [
      core.subscribe(['a']),
      core.subscribe(['a', 'b']),
      core.subscribe(['a'], undefined, { form: 'plain' }),
    ];
    await quiet();
    core.publish('a', 'now');
    assert.deepEqual(
      clients.flatMap(({ data }) => data),
      [],
    );
    await Promise.resolve();
    assert.deepEqual(
      clients.map(({ data }) => data),
      [['now'], ['now'], ['now']],
    );
  });

  test('is written together with all that came in the same callback', async () => {
    const core = new Core();
    const client = core.subscribe(['a', 'b']);
    await turn();
    const writes: number[] = [];
    const { socket } = client;
    const write = socket._write.bind(socket);
    socket._write = (chunk, encoding, done) => {
      writes.push(chunk.length);
      write(chunk, encoding, done);
    };
    for (let i = 0; i < 50; i += 1) core.publish(i % 2 === 0 ? 'a' : 'b', `${i}`);
    await turn();
    assert.equal(writes.length, 1);
    assert.deepEqual(
      client.data,
      Array.from({ length: 50 }, (_, i) => `${i}`),
    );
  });

  test('comes from all channels of a connection in the order of their numbers', async () => {
    const core = new Core();
    const client = core.subscribe(['c', 'a', 'b']);
    await turn();
    for (const name of ['b', 'a', 'c', 'c', 'a', 'b']) core.publish(name, name);
    await turn();
    assert.deepEqual(client.data, ['b', 'a', 'c', 'c', 'a', 'b']);
    assert.deepEqual(
      client.body.events.slice(1).map(({ id }) => id),
      [1, 2, 3, 4, 5, 6].map((number) => `here-${number}`),
    );
  });

  test('is not held up by a client that reads nothing', async () => {
    const core = new Core();
    const slow = core.subscribe(['a'], undefined, { room: 0 });
    const fast = core.subscribe(['a']);
    await turn();
    for (let i = 0; i < 3; i += 1) {
      core.publish('a', `${i}`);
      await turn();
    }
    assert.deepEqual(fast.data, ['0', '1', '2']);
    slow.socket.give(10_000);
    await turnUntil('the slow one has all', () => slow.data.length === 3);
  });

  test('does not wait until a whole crowd has another one', async () => {
    const core = new Core({ clock: new HurryingClock(11) });
    const crowd = Array.from({ length: 300 }, () => core.subscribe(['crowd']));
    const few = core.subscribe(['few']);
    await quiet(700);
    core.publish('crowd', 'x');
    core.publish('few', 'y');
    const served = (): number => crowd.filter(({ data }) => data.length > 0).length;
    await turnUntil('the few are served', () => few.data.length > 0);
    assert.ok(served() > 0 && served() < 300, `${served()} of the crowd`);
    await turnUntil('all are served', () => served() === 300);
  });
});

describe('a client that is too slow', () => {
  test('is told after which event something is missing, how much, and goes on with the oldest that is kept', async () => {
    for (const beside of [['a'], ['a', 'b']]) {
      const core = new Core({ history: { events: 1 }, limits: { window: 200 } });
      core.subscribe(beside);
      const client = core.subscribe(['a'], undefined, { room: 0 });
      await quiet();
      client.catchUp();
      for (let i = 1; i <= 12; i += 1) {
        core.publish('a', `${i}`);
        await quiet();
        if (i === 1) client.catchUp();
      }
      client.socket.give(100_000);
      await turnUntil('the newest has come', () => client.data.at(-1) === '12');
      const at = client.body.events.findIndex(({ type }) => type === 'gateway.gap');
      const [before, gap, after] = client.body.events.slice(at - 1);
      assert.ok(before !== undefined && gap !== undefined && after !== undefined);
      const lost = Number(after.data) - Number(before.data) - 1;
      assert.deepEqual(gapData(gap), { channel: 'a', reason: 'too-slow', after: before.id ?? '', lost });
      assert.equal(gap.id, `here-${Number(after.data) - 1}`);
      assert.equal(core.metrics.read('gaps'), 1);
    }
  });

  test('holds up neither its source nor the memory of the gateway, also where nobody else listens', async () => {
    const source = new FakeSource();
    const core = new Core({ source, history: { events: 1 }, limits: { window: 1000 } });
    const client = core.subscribe(['a'], undefined, { room: 0 });
    await quiet();
    for (let i = 0; i < 20; i += 1) {
      source.hear('a', 'x'.repeat(200));
      await quiet();
    }
    assert.deepEqual([client.data, source.asked.at(-1)], [[], 'resume']);
    assert.ok(core.channel('a').log.windowBytes <= 1000, `${core.channel('a').log.windowBytes} bytes are kept for it`);
  });

  test('is told nothing of the kind while the window has room', async () => {
    const core = new Core({ history: { events: 1 }, limits: { window: 100_000 } });
    const client = core.subscribe(['a'], undefined, { room: 0 });
    for (let i = 0; i < 100; i += 1) {
      core.publish('a', `${i}`);
      await turn();
    }
    client.socket.give(100_000);
    await turnUntil('all has come', () => client.data.length === 100);
    assert.ok(client.body.events.every(({ type }) => type !== 'gateway.gap'));
    assert.equal(core.keeping.context.held.window, 0);
  });
});

describe('a stream that is ended', () => {
  test('still brings what is pending and ends as a response should, whatever is published meanwhile', async () => {
    const core = new Core();
    const client = core.subscribe(['a'], undefined, { room: 250 });
    await turn();
    core.publish('a', 'x'.repeat(300));
    await turn();
    client.outlet.end('max-age');
    core.publish('a', 'after');
    await quiet();
    client.socket.give(10_000);
    await turnUntil('the stream is gone', () => core.fanout.subscribers.size === 0);
    assert.deepEqual([client.data.length, client.body.complete], [1, true]);
  });

  test('is forgotten, and its channels are given back', async () => {
    const source = new FakeSource();
    const core = new Core({ source });
    const clients = [core.subscribe(['a', 'b']), core.subscribe(['b'])];
    await turn();
    for (const { socket } of clients) socket.hangUp();
    await turnUntil('both are gone', () => core.fanout.subscribers.size === 0);
    assert.deepEqual([core.channel('a').followers, core.channel('b').followers], [0, 0]);
    assert.equal(core.channel('a').log.readers.size, 0);
    core.clock.advance(60_000);
    assert.deepEqual([source.followed, core.hub.live.size], [[], 0]);
  });
});

describe('the end of a channel', () => {
  test('is told at its place, and ends the connection when all of its channels have ended', async () => {
    const core = new Core();
    const client = core.subscribe(['a', 'b']);
    await turn();
    core.publish('a', 'last of a');
    core.end('a');
    core.publish('b', 'one more');
    await turn();
    assert.deepEqual(
      client.body.events.slice(1).map(({ type }) => type),
      ['message', 'gateway.end', 'message'],
    );
    assert.equal(client.body.complete, false);
    const end = core.end('b');
    await turnUntil('the stream ends', () => client.body.complete);
    const last = client.body.events.at(-1);
    assert.deepEqual(parseObject(last?.data ?? ''), { channel: 'b', reason: 'ended' });
    assert.equal(last?.id, `here-${end}`);
  });

  test('is told to whoever comes later, who is let go at once', async () => {
    const core = new Core();
    core.follow('a');
    core.publish('a', 'x');
    core.end('a');
    const client = core.subscribe(['a']);
    await turnUntil('the stream ends', () => client.body.complete);
    assert.deepEqual(
      client.body.events.map(({ type }) => type),
      ['gateway.open', 'gateway.end'],
    );
  });

  test('is over once somebody publishes again', async () => {
    const core = new Core();
    core.follow('a');
    core.end('a');
    core.publish('a', 'again');
    const client = core.subscribe(['a'], 'here-0');
    await turn();
    assert.deepEqual(
      client.body.events.map(({ type }) => type),
      ['gateway.open', 'gateway.end', 'message'],
    );
    assert.equal(client.body.complete, false);
  });
});

describe('a view', () => {
  const publishers = (): Core => new Core({ plan: () => ({ publisherIds: true }) });

  test('that is enveloped names channel, type and id in the data, and leaves gaps as they are', async () => {
    const core = new Core({ history: { events: 1 } });
    core.follow('a');
    core.publish('a', 'old');
    core.publish('a', 'line 1\r\nline 2', { type: 'tick', id: 'mine' });
    const client = core.subscribe(['a'], 'here-0', { view: 'enveloped' });
    core.publish('a', '\u2028');
    await turn();
    const [gap, , first, second] = client.body.events;
    assert.equal(gapData(gap ?? { type: '', data: '', id: undefined }).reason, 'trimmed');
    assert.deepEqual([first?.type, first?.id], ['tick', 'here-2']);
    assert.deepEqual(parseObject(first?.data ?? ''), {
      channel: 'a',
      event: 'tick',
      id: 'mine',
      data: 'line 1\nline 2',
    });
    assert.deepEqual(parseObject(second?.data ?? ''), { channel: 'a', event: 'message', id: null, data: '\u2028' });
  });

  test("with the publisher's ids has the gateway's where there is none or it could be taken for a cursor", async () => {
    const core = publishers();
    const client = core.subscribe(['a'], undefined, { view: 'publisher-ids' });
    await turn();
    for (const id of ['mine', undefined, 'here-1', '1-0', '~0', 'a_b']) {
      core.publish('a', 'x', id === undefined ? {} : { id });
    }
    await turn();
    assert.deepEqual(
      client.body.events.slice(1).map(({ id }) => id),
      ['mine', 'here-2', 'here-3', 'here-4', 'here-5', 'a_b'],
    );
  });

  test("with the publisher's ids is resumed from any of them", async () => {
    const core = publishers();
    core.follow('a');
    const ids = ['p', undefined, 'q', 'here-9', 'r'];
    for (const [i, id] of ids.entries()) core.publish('a', `${i}`, id === undefined ? {} : { id });
    const first = core.subscribe(['a'], undefined, { view: 'publisher-ids', replay: { kind: 'all' } });
    await turn();
    for (const [i, { id }] of first.body.events.entries()) {
      const again = core.subscribe(['a'], id, { view: 'publisher-ids' });
      await turn();
      assert.deepEqual(again.data, first.data.slice(i), `${id}`);
    }
  });
});
