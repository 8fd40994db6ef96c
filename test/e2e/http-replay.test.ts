/** What a client gets that brings no cursor, and that every id it saw on the way resumes with exactly the rest. */
import assert from 'node:assert/strict';
import { before, describe, type TestContext, test } from 'node:test';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { openData, parseObject } from '../support/gateway-events.ts';
import { suiteOwner } from '../support/owner.ts';
import type { ReceivedEvent } from '../support/sse-reader.ts';
import { waitFor } from '../support/wait.ts';

const CONFIG = `
allow: {subscribe: ["*"], publish: ["*"]}
channels:
  none.{n}: {memory: true}
  all.{n}: {memory: true, replay: all}
  two.{n}: {memory: true, replay: 2}
  short.{n}: {memory: true, replay: all, history: {events: 3}}
`;

const FIVE = ['1', '2', '3', '4', '5'];

describe('a stream without a cursor', () => {
  const owner = suiteOwner();
  let gateway: Gateway;
  before(async () => {
    gateway = await startGateway(owner, { config: CONFIG });
  });

  /** The data that a new stream brings before what is published after it. */
  async function replayOf(t: TestContext, name: string, query = '', lastEventId?: string): Promise<string[]> {
    const stream = gateway.stream(t, `/events/${name}${query}`, { lastEventId });
    await stream.opened();
    assert.deepEqual(stream.gapsBeforeOpen(), []);
    const live = await gateway.publish(name, 'live');
    const seen: string[] = [];
    for (let id: string | undefined; id !== live; ) {
      const event = await stream.next();
      seen.push(event.data);
      id = event.id;
    }
    stream.cut();
    return seen.slice(0, -1);
  }

  test('starts as the channel is configured: with none, all, the newest N, or what is kept', async (t) => {
    const cases = [
      ['none.a', []],
      ['all.a', FIVE],
      ['two.a', ['4', '5']],
      ['short.a', ['3', '4', '5']],
    ] as const;
    for (const [name, wanted] of cases) {
      assert.deepEqual(await replayOf(t, name.replace('.a', '.empty')), [], name);
      await publishFive(gateway, name);
      assert.deepEqual(await replayOf(t, name), wanted, name);
    }
  });

  test('last=N and since= are asked for, whatever the channel is configured to', async (t) => {
    const cases = [
      ['?last=3', ['3', '4', '5']],
      ['?last=1', ['5']],
      ['?last=1000000', FIVE],
      ['?since=5m', FIVE],
      ['?since=24h', FIVE],
      ['?since=start', FIVE],
      ['?last=1&since=start', FIVE],
      ['?last=1&last=2', ['4', '5']],
    ] as const;
    for (const [index, [query, wanted]] of cases.entries()) {
      for (const kind of ['none', 'all', 'two']) {
        const name = `${kind}.asked${index}`;
        await publishFive(gateway, name);
        assert.deepEqual(await replayOf(t, name, query), wanted, `${name}${query}`);
      }
    }
  });

  test('since= leaves out what is older', async (t) => {
    await publishFive(gateway, 'all.old');
    await waitFor('the five to be older than a second', async () => {
      const seen = await replayOf(t, 'all.old', '?since=1s');
      return !seen.includes('5');
    });
    assert.deepEqual((await replayOf(t, 'all.old', '?since=60s')).slice(0, 5), FIVE);
  });

  test('beyond what is kept last=N and since= give what is kept, without a gap', async (t) => {
    for (const [index, query] of ['?last=5', '?since=start', '?since=1h'].entries()) {
      await publishFive(gateway, `short.kept${index}`);
      assert.deepEqual(await replayOf(t, `short.kept${index}`, query), ['3', '4', '5'], query);
    }
  });

  test('a cursor wins over all of them', async (t) => {
    for (const [index, query] of ['?last=5', '?since=start', '?since=5m&last=1', ''].entries()) {
      for (const kind of ['none', 'all', 'two']) {
        const name = `${kind}.cursor${index}`;
        const ids = await publishFive(gateway, name);
        assert.deepEqual(await replayOf(t, name, query, ids[3]), ['5'], `${name}${query}`);
      }
    }
    const ids = await publishFive(gateway, 'all.query');
    assert.deepEqual(await replayOf(t, 'all.query', `?since=start&lastEventId=${ids[2]}`), ['4', '5']);
  });

  test('is not resumed, and the id of gateway.open is behind nothing of the replay', async (t) => {
    await publishFive(gateway, 'all.open');
    const stream = gateway.stream(t, '/events/all.open');
    const open = await stream.opened();
    assert.equal(openData(open).resumed, false);
    stream.cut();
    assert.deepEqual(await replayOf(t, 'all.open', '', open.id), FIVE);
  });
});

/** Channels of one connection, in an order that is not that of their names. */
const MIXED = ['two.m', 'all.m', 'none.m', 'short.m'];
const MIXED_PATH = `/events?${MIXED.map((name) => `channel=${name}`).join('&')}&envelope=1`;

describe('several channels that replay differently', () => {
  const owner = suiteOwner();
  let gateway: Gateway;
  before(async () => {
    gateway = await startGateway(owner, { config: CONFIG });
    for (let index = 0; index < 24; index += 1) {
      await gateway.publish(MIXED[(index * 7 + (index >> 2)) % 4] ?? '', `${index}`);
    }
  });

  for (const [how, query] of [
    ['as configured', ''],
    ['with last=3', '&last=3'],
    ['with since=start', '&since=start'],
  ] as const) {
    test(`${how}: resuming from any id that was seen gives exactly the rest`, async (t) => {
      const first = gateway.stream(t, MIXED_PATH + query);
      const open = await first.opened();
      await gateway.publish('none.m', `live ${how}`);
      await gateway.publish('all.m', `live too ${how}`);
      await first.until('the live events', () => first.events.some((event) => event.data.includes('live too')));
      const all = first.events.slice(first.events.indexOf(open));
      const cuts = all.map((event, index) => ({
        rest: all.slice(index + 1),
        stream: gateway.stream(t, MIXED_PATH + query, { lastEventId: event.id }),
      }));
      await Promise.all(
        cuts.map(async ({ stream }) => {
          assert.equal(openData(await stream.opened()).resumed, true, stream.lastEventId);
        }),
      );
      await gateway.publish('short.m', `marker ${how}`);
      for (const [index, { rest, stream }] of cuts.entries()) {
        const seen = await stream.take(rest.length + 1);
        assert.deepEqual(byChannel(seen.slice(0, -1)), byChannel(rest), `cut behind ${JSON.stringify(all[index])}`);
        assert.match(seen.at(-1)?.data ?? '', /marker/);
      }
    });
  }

  test('a client that is cut behind each single event sees what one sees that is never cut', async (t) => {
    const whole = gateway.stream(t, `${MIXED_PATH}&since=start`);
    await whole.opened();
    await gateway.publish('two.m', 'last');
    await whole.until('the last event', () => whole.events.some((event) => event.data.includes('"last"')));
    const wanted = whole.events.slice(1);
    const seen: ReceivedEvent[] = [];
    let stream = gateway.stream(t, `${MIXED_PATH}&since=start`);
    while (seen.length < wanted.length) {
      await stream.opened();
      const event = await stream.next();
      seen.push(event);
      stream.cut();
      stream = gateway.stream(t, `${MIXED_PATH}&since=start`, { lastEventId: event.id });
    }
    assert.deepEqual(byChannel(seen), byChannel(wanted));
  });
});

async function publishFive(gateway: Gateway, name: string): Promise<string[]> {
  const ids: string[] = [];
  for (const data of FIVE) ids.push(await gateway.publish(name, data));
  return ids;
}

/** The data of enveloped events for each channel, in its order. */
function byChannel(events: readonly ReceivedEvent[]): Record<string, unknown[]> {
  const parsed = events.map((event) => parseObject(event.data));
  return Object.fromEntries(
    MIXED.map((name) => [name, parsed.filter(({ channel }) => channel === name).map(({ data }) => data)]),
  );
}
