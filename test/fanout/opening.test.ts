/** How a stream begins: after its sources are heard, or after a second; and which gaps are told before and after. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Core } from '../support/core.ts';
import { FakeSource } from '../support/fake-source.ts';
import { gapData, openData } from '../support/gateway-events.ts';
import { quiet } from '../support/turns.ts';

/** A core whose source confirms when it is told to. */
function pendingCore(): { core: Core; source: FakeSource } {
  const source = new FakeSource(false);
  return { core: new Core({ source }), source };
}

describe('gateway.open', () => {
  test('waits until every feed of the subscription is confirmed', async () => {
    const { core, source } = pendingCore();
    const timers = core.clock.pending.length;
    const client = core.subscribe(['a', 'b']);
    source.confirm('a');
    core.clock.advance(999);
    await quiet();
    assert.deepEqual(client.body.events, []);
    source.confirm('b');
    await quiet();
    const [open] = client.body.events;
    assert.ok(open !== undefined);
    assert.deepEqual(openData(open), { channels: ['a', 'b'], resumed: false, pending: [] });
    assert.equal(core.clock.pending.length, timers);
    source.hear('a', 'x');
    source.hear('b', 'y');
    await quiet();
    assert.deepEqual(client.data, ['x', 'y']);
    core.clock.advance(5000);
    await quiet();
    assert.equal(client.body.events.length, 3);
  });

  test('comes at once where all feeds are heard already, before what is published next', async () => {
    const { core, source } = pendingCore();
    core.follow('a');
    source.confirm('a');
    const client = core.subscribe(['a']);
    source.hear('a', 'x');
    assert.equal(client.body.events[0]?.type, 'gateway.open');
    await quiet();
    assert.deepEqual(client.data, ['x']);
  });

  test('has an id from which nothing is missed that is published after it, before any event', async () => {
    const core = new Core();
    const client = core.subscribe(['a']);
    const { lastEventId } = client.body;
    client.socket.hangUp();
    core.publish('a', 'missed');
    const again = core.subscribe(['a'], lastEventId);
    await quiet();
    assert.deepEqual([openOf(again.body.events).resumed, again.data], [true, ['missed']]);
  });

  test('says that the stream is resumed only where there is a cursor and no gap', () => {
    const core = new Core({ history: { events: 1 } });
    core.follow('a');
    for (let i = 0; i < 3; i += 1) core.publish('a', `${i}`);
    const cases = [
      [undefined, false],
      ['here-3', true],
      ['here-2', true],
      ['here-1', false],
      ['there-3', false],
      ['nonsense', false],
    ] as const;
    for (const [id, resumed] of cases) assert.equal(openOf(core.subscribe(['a'], id).body.events).resumed, resumed, id);
  });

  test('goes nowhere where the client left while it was waited for', async () => {
    const { core, source } = pendingCore();
    const client = core.subscribe(['a']);
    client.socket.hangUp();
    await quiet();
    source.confirm('a');
    core.clock.advance(2000);
    await quiet();
    assert.deepEqual([client.body.events, core.fanout.subscribers.size], [[], 0]);
  });
});

describe('gaps that are found when subscribing', () => {
  test('come before gateway.open without an id, so that a cut repeats them', () => {
    const core = new Core({ history: { events: 1 } });
    for (const name of ['a', 'b', 'c']) core.follow(name);
    for (const name of ['a', 'a', 'b', 'c', 'c']) core.publish(name, name);
    const { events } = core.subscribe(['a', 'b', 'c'], 'here-0').body;
    assert.deepEqual(
      events.map(({ type, id }) => [type, id]),
      [
        ['gateway.gap', undefined],
        ['gateway.gap', undefined],
        ['gateway.open', 'here-4,a=here-1,b=here-0'],
      ],
    );
    const reasons = events.slice(0, 2).map((gap) => gapData(gap));
    assert.deepEqual(reasons, [
      { channel: 'a', reason: 'trimmed', after: 'here-0', lost: null },
      { channel: 'c', reason: 'trimmed', after: 'here-0', lost: null },
    ]);
  });

  test('carry the id with the last of them where gateway.open is left out', () => {
    const core = new Core({ history: { events: 1 } });
    const { events } = core.subscribe(['a', 'b'], 'there-1', { announce: false }).body;
    assert.deepEqual(
      events.map(({ type, id }) => [type, id]),
      [
        ['gateway.gap', undefined],
        ['gateway.gap', 'here-0'],
      ],
    );
  });
});

describe('a source that does not confirm within a second', () => {
  test('leaves its channels pending, and what was missed is one gap when it is there', async () => {
    const { core, source } = pendingCore();
    const client = core.subscribe(['a', 'b']);
    source.confirm('a');
    core.clock.advance(1000);
    await quiet();
    assert.deepEqual(openOf(client.body.events), { channels: ['a', 'b'], resumed: false, pending: ['b'] });
    source.hear('a', 'meanwhile');
    source.confirm('b');
    source.hear('b', 'first');
    await quiet();
    const [, , gap] = client.body.events;
    assert.ok(gap !== undefined);
    assert.deepEqual(gapData(gap), { channel: 'b', reason: 'source-lost', after: null, lost: null });
    assert.deepEqual(client.data, ['meanwhile', 'first']);
    const later = core.subscribe(['b']);
    assert.equal(openOf(later.body.events).resumed, false);
    assert.equal(later.body.events.length, 1);
  });

  test('makes one gap however many wait for it', async () => {
    const { core, source } = pendingCore();
    const clients = [core.subscribe(['a']), core.subscribe(['a']), core.subscribe(['a', 'b'])];
    core.clock.advance(1000);
    source.confirm('a');
    source.confirm('b');
    await quiet();
    for (const { body, channels } of clients) {
      assert.equal(body.events.filter(({ type }) => type === 'gateway.gap').length, channels.length);
    }
  });

  test('is told of once to a client that was cut meanwhile: a pending channel without a cursor is not in the id', async () => {
    const { core, source } = pendingCore();
    const client = core.subscribe(['a', 'b']);
    source.confirm('a');
    core.clock.advance(1000);
    await quiet();
    const { lastEventId } = client.body;
    client.socket.hangUp();
    source.hear('a', 'meanwhile');
    source.confirm('b');
    const again = core.subscribe(['a', 'b'], lastEventId);
    await quiet();
    const gaps = again.body.events.filter(({ type }) => type === 'gateway.gap').map((gap) => gapData(gap).channel);
    assert.deepEqual(gaps, ['b']);
    assert.deepEqual(again.data, ['meanwhile']);
  });
});

describe('a channel that its source refuses', () => {
  test('is told of to whoever comes afterwards too: otherwise there would only be silence', async () => {
    const { core, source } = pendingCore();
    core.subscribe(['a']);
    source.refuse('a');
    const late = core.subscribe(['a']);
    core.clock.advance(1000);
    await quiet();
    const gaps = late.body.events.filter(({ type }) => type === 'gateway.gap').map((gap) => gapData(gap).reason);
    assert.deepEqual(gaps, ['source-error']);
  });
});

describe('a channel that has ended on a source of others', () => {
  test('closes who was given the end, and nobody who comes later: it may have been opened again unheard', async () => {
    const source = new FakeSource();
    const reading = { format: 'envelope', encode: 'none', typeOf: undefined } as const;
    const core = new Core({ source, plan: () => ({ reading }) });
    const early = core.subscribe(['a']);
    await quiet();
    source.hear('a', '{"data":"x","end":true}');
    await quiet();
    assert.equal(early.body.complete, true);
    const late = core.subscribe(['a']);
    await quiet();
    assert.deepEqual([late.body.complete, late.body.events.map(({ type }) => type)], [false, ['gateway.open']]);
    source.hear('a', '{"data":"y"}');
    await quiet();
    assert.deepEqual(late.data, ['y']);
  });
});

function openOf(
  events: readonly { type: string; data: string; id: string | undefined }[],
): ReturnType<typeof openData> {
  const open = events.find(({ type }) => type === 'gateway.open');
  assert.ok(open !== undefined, 'the stream is not open');
  return openData(open);
}
