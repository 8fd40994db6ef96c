/** How long the past is kept, and what a client is told who comes back later than that. */
import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { type GapData, gapData, openData } from '../support/gateway-events.ts';
import { waitFor } from '../support/wait.ts';

const OPEN_TO_ALL = 'allow: {subscribe: ["*"], publish: ["*"]}\n';

describe('history', { concurrency: 4 }, () => {
  test('is bounded by events: what is older is a gap, once, before what is kept', async (t) => {
    const gateway = await withHistory(t, '{events: 5}');
    const id = await gateway.publish('news', 'seen');
    for (let index = 1; index <= 20; index += 1) await gateway.publish('news', `${index}`);
    const { gaps, resumed, next } = await comesBack(t, gateway, id, 5);
    assert.equal(resumed, false);
    assert.deepEqual(
      gaps.map(({ channel, reason }) => [channel, reason]),
      [['news', 'trimmed']],
    );
    assert.ok([15, null].includes(gaps[0]?.lost ?? null), `lost ${gaps[0]?.lost}`);
    assert.deepEqual(next, ['16', '17', '18', '19', '20']);
  });

  test('gives a client that is just within it everything, without a gap', async (t) => {
    const gateway = await withHistory(t, '{events: 5}');
    const id = await gateway.publish('news', 'seen');
    for (let index = 1; index <= 5; index += 1) await gateway.publish('news', `${index}`);
    const { gaps, resumed, next } = await comesBack(t, gateway, id, 5);
    assert.deepEqual([gaps, resumed], [[], true]);
    assert.deepEqual(next, ['1', '2', '3', '4', '5']);
  });

  test('is bounded by bytes', async (t) => {
    const gateway = await withHistory(t, '{bytes: 256KiB}', 'limits: {event_size: 64KiB}\n');
    const id = await gateway.publish('news', 'seen');
    for (let index = 0; index < 20; index += 1) await gateway.publish('news', `${index} `.padEnd(60_000, 'x'));
    const { gaps, next } = await comesBack(t, gateway, id, 1);
    assert.equal(gaps[0]?.reason, 'trimmed');
    assert.ok(Number.parseInt(next[0] ?? '', 10) >= 15, next[0]?.slice(0, 5));
  });

  test('is bounded by age; a client who has seen everything is never told of a gap for that', async (t) => {
    const gateway = await withHistory(t, '{age: 1s}');
    const first = await gateway.publish('news', 'one');
    const last = await gateway.publish('news', 'two');
    await waitFor('the first event to be dropped', async () => {
      const { resumed } = await comesBack(t, gateway, first, 0);
      return !resumed;
    });
    const { gaps, resumed } = await comesBack(t, gateway, last, 0);
    assert.deepEqual([gaps, resumed], [[], true]);
  });

  test('of all channels together is bounded, and what is dropped for that is a gap as well', async (t) => {
    const limits = 'limits: {event_size: 64KiB, history_total: 1MiB}\n';
    const gateway = await withHistory(t, '{bytes: 1MiB}', limits);
    const id = await gateway.publish('news', 'seen');
    await gateway.publish('news', 'missed');
    for (let channel = 0; channel < 20; channel += 1) {
      for (let index = 0; index < 4; index += 1) await gateway.publish(`other.${channel}`, 'x'.repeat(60_000));
    }
    const { gaps, resumed } = await comesBack(t, gateway, id, 0);
    assert.equal(resumed, false);
    assert.equal(gaps.length, 1);
  });

  test('of one event keeps the newest, and live events flow', async (t) => {
    const gateway = await withHistory(t, '{events: 1}');
    const stream = gateway.stream(t, '/events/news');
    await stream.opened();
    const ids: string[] = [];
    for (const data of ['one', 'two', 'three']) {
      ids.push(await gateway.publish('news', data));
      assert.equal((await stream.next()).data, data);
    }
    assert.deepEqual((await comesBack(t, gateway, ids[1] ?? '', 1)).next, ['three']);
    const { gaps, next } = await comesBack(t, gateway, ids[0] ?? '', 1);
    assert.deepEqual([gaps.map(({ reason }) => reason), next], [['trimmed'], ['three']]);
  });
});

interface Return {
  readonly gaps: readonly GapData[];
  readonly resumed: boolean;
  /** The data of the first events. */
  readonly next: readonly string[];
}

/** Resumes after `id` and leaves again. */
async function comesBack(t: TestContext, gateway: Gateway, id: string, count: number): Promise<Return> {
  const stream = gateway.stream(t, '/events/news', { lastEventId: id });
  const { resumed } = openData(await stream.opened());
  const next = (await stream.take(count)).map((event) => event.data);
  stream.cut();
  return { gaps: stream.gapsBeforeOpen().map(gapData), resumed, next };
}

function withHistory(t: TestContext, history: string, limits = ''): Promise<Gateway> {
  return startGateway(t, { config: `${limits}${OPEN_TO_ALL}channels: {"*": {memory: true, history: ${history}}}\n` });
}
