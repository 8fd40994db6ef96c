/** The bench itself: a tiny load through a real gateway ends whole, and a mistyped command line is explained. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type GatewaySubject, sources } from '../../bench/gateway.ts';
import type { Load } from '../../bench/generator/spec.ts';
import { nodeFloor } from '../../bench/peers/node-floor.ts';
import { obstacleTo, runRound } from '../../bench/round.ts';
import { startChild } from '../support/child.ts';
import { waitFor } from '../support/wait.ts';

const TINY: Load = {
  kind: 'flow',
  streams: 10,
  channels: 2,
  publishers: 4,
  via: 'http',
  size: 128,
  warmUp: { seconds: 10, messages: 20, window: 5 },
  measured: { seconds: 60, messages: 100, window: 5 },
};

/** Other tests need the CPUs as well. */
const ANYWHERE = { problem: 'this is a test' };

const plain = sources('this');

/** The gateway, ready before it is measured: a stream that it opens before it hears its Redis is opened again. */
const gateway: GatewaySubject = {
  ...plain,
  start: async (owner, load, placement) => {
    const running = await plain.start(owner, load, placement);
    await waitFor('/readyz to be 200', async () => {
      const response = await fetch(`http://127.0.0.1:${running.port}/readyz`);
      await response.text();
      return response.status === 200;
    });
    const subscribe = { ...running.dialect.subscribe, settle: 100 };
    return { ...running, dialect: { ...running.dialect, subscribe } };
  },
};

describe('the bench', () => {
  for (const via of ['http', 'redis', 'stream'] as const) {
    test(`10 streams have 100 messages by ${via}, once and in order`, async () => {
      const figures = await runRound(gateway, { ...TINY, via }, ANYWHERE);
      assert.deepEqual(figures.faults, []);
      assert.equal(figures.whole, true);
      assert.equal(figures.flow?.published, 100);
      assert.equal(figures.flow.deliveries, 500, 'each channel has half of the messages and half of the streams');
      assert.ok(figures.flow.max >= figures.flow.p99 && figures.flow.p99 >= figures.flow.p50 && figures.flow.p50 > 0);
    });
  }

  test('idle streams are told what they cost', async () => {
    const idle: Load = { ...TINY, streams: 200, channels: 1, publishers: 1, kind: 'idle', via: 'none' };
    const figures = await runRound(gateway, idle, ANYWHERE);
    assert.equal(figures.whole, true);
    assert.ok(Number.isFinite(figures.bytesPerStream));
  });

  test('a channel that all streams follow is measured apart from their own', async () => {
    const load: Load = { ...TINY, channels: 10, publishers: 10, via: 'redis', shared: 5 };
    const figures = await runRound(gateway, load, ANYWHERE);
    assert.equal(figures.whole, true);
    assert.equal(figures.flow?.deliveries, 80 + 20 * 10, 'each fifth message goes to all ten');
    assert.ok(figures.shared !== undefined && figures.shared.max >= figures.shared.p99 && figures.shared.p50 > 0);
  });

  test('payloads that hold no time have latencies as well', async () => {
    const figures = await runRound(gateway, { ...TINY, channels: 1, size: 16 }, ANYWHERE);
    assert.equal(figures.whole, true);
    assert.equal(figures.flow?.deliveries, 1000);
    assert.ok(figures.flow.p50 > 0 && figures.flow.max < 60_000);
  });

  test('the gateway tells how late its event loop was', async () => {
    const { loop } = await runRound(gateway, TINY, ANYWHERE);
    assert.ok(loop !== undefined && loop.max >= loop.p999 && loop.p999 >= 0);
  });

  test('streams that do not read are set against a run without them', async () => {
    const figures = await runRound(gateway, { ...TINY, kind: 'slow', slow: 3 }, ANYWHERE);
    assert.equal(figures.whole, true);
    const { slow, flow } = figures;
    assert.ok(slow !== undefined && flow !== undefined && Math.abs(slow.ratio - flow.p99 / slow.before.p99) < 1e-9);
  });

  test('a client that is behind gets all that it missed while more comes', async () => {
    const pace = { seconds: 1, rate: 200, window: 100 };
    const load: Load = {
      ...TINY,
      kind: 'behind',
      channels: 1,
      publishers: 1,
      via: 'stream',
      behind: 3000,
      measured: pace,
    };
    const { whole, behind } = await runRound(gateway, load, ANYWHERE);
    assert.equal(whole, true);
    assert.ok(behind !== undefined && behind.seconds > 0 && behind.growth >= 0);
  });

  test('a start is timed', async () => {
    const { start } = await runRound(gateway, { ...TINY, kind: 'start' }, ANYWHERE);
    assert.ok(start !== undefined && start > 10);
  });

  test('another server is loaded the same way', async () => {
    const figures = await runRound(nodeFloor, TINY, ANYWHERE);
    assert.equal(figures.whole, true);
    assert.equal(figures.flow?.deliveries, 500);
    assert.equal(figures.loop, undefined);
  });

  test('more streams than files may be open are an obstacle', () => {
    assert.equal(obstacleTo(TINY), undefined);
    assert.match(obstacleTo({ ...TINY, streams: 1e9 }) ?? '', /open files/);
  });

  test('a case that does not exist is answered with those that do', async (t) => {
    const script = fileURLToPath(new URL('../../bench/run.ts', import.meta.url));
    const child = startChild(t, process.execPath, [script, '--case', 'busy']);
    assert.equal((await child.ends()).code, 2);
    assert.match(child.stderr, /there is no case "busy"; there are saturated, .*start\n/);
  });
});
