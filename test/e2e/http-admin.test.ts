/** `/channels`, `/channels/{channel}` and `/metrics`: what is live, for those who may know. */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { parseObject } from '../support/gateway-events.ts';
import { suiteOwner } from '../support/owner.ts';
import { assertProblem } from '../support/problem.ts';
import { waitFor } from '../support/wait.ts';

const NAMES = ['x1', 'x.two', 'y1'];

/** Three live channels, for whom `admin` allows. */
function configOf(admin: string): string {
  return `allow: {subscribe: ["*"], publish: ["*"]${admin}}\nchannels: {"*": {memory: true}}\n`;
}

describe('without the right admin', () => {
  const owner = suiteOwner();
  let gateway: Gateway;
  before(async () => {
    gateway = await startGateway(owner, { config: configOf('') });
    for (const name of NAMES) await gateway.publish(name, 'x');
  });

  test('all of it is 401, whether a channel is live or not', async () => {
    const texts: string[] = [];
    for (const path of ['/channels', '/metrics', '/channels/x1', '/channels/nobody']) {
      const response = await gateway.get(path);
      assert.match(response.headers.get('www-authenticate') ?? '', /Bearer/);
      texts.push(await assertProblem(response, 401));
      assert.equal((await gateway.get(path, { method: 'HEAD' })).status, 401);
    }
    assert.equal(texts[2]?.replaceAll('x1', 'NAME'), texts[3]?.replaceAll('nobody', 'NAME'));
    assert.match(texts[0] ?? '', /admin/);
  });

  test('a credential that nobody knows helps nothing', async () => {
    for (const path of ['/channels', '/metrics', '/channels/x1']) {
      await assertProblem(await gateway.get(path, { headers: { authorization: 'Bearer junk' } }), 401);
    }
  });
});

describe('with the right admin over everything', () => {
  const owner = suiteOwner();
  let gateway: Gateway;
  const ids = new Map<string, string>();
  before(async () => {
    gateway = await startGateway(owner, { config: configOf(', admin: true') });
    for (const name of NAMES) ids.set(name, await gateway.publish(name, 'x'));
  });

  test('/channels lists what is live, by name, and /channels/{channel} is one of them', async (t) => {
    const streams = [gateway.stream(t, '/events/x1'), gateway.stream(t, '/events?channel=x1&channel=y1')];
    await Promise.all(streams.map((stream) => stream.opened()));
    const states = await channels(gateway);
    assert.deepEqual(
      states.map((state) => state['channel']),
      ['x.two', 'x1', 'y1'],
    );
    assert.deepEqual(
      states.map((state) => state['subscribers']),
      [0, 2, 1],
    );
    for (const state of states) {
      const { channel, subscribers, head, base, events, bytes, rate, source, feed, ...more } = state;
      assert.deepEqual(more, {});
      assert.equal(head, ids.get(String(channel)));
      assert.equal(events, 1);
      assert.ok(Number(bytes) > 0 && Number.isFinite(rate) && Number(rate) >= 0);
      assert.deepEqual(
        [subscribers, base, source, feed].map((each) => typeof each).join(),
        'number,string,string,string',
      );
      const one = await gateway.get(`/channels/${channel}`);
      assert.equal(one.headers.get('cache-control')?.includes('no-store'), true);
      assert.deepEqual({ ...parseObject(await one.text()), rate: 0 }, { ...state, rate: 0 });
    }
  });

  test('who leaves is counted no more', async (t) => {
    const stream = gateway.stream(t, '/events/x.two');
    await stream.opened();
    const count = async () => (await channels(gateway)).find((state) => state['channel'] === 'x.two')?.['subscribers'];
    assert.equal(await count(), 1);
    stream.cut();
    await waitFor('nobody to be left', async () => (await count()) === 0);
  });

  test('a channel that is not live is 404, a wrong method 405', async () => {
    await assertProblem(await gateway.get('/channels/never-used'), 404);
    for (const path of ['/channels', '/channels/x1', '/metrics']) {
      const response = await gateway.get(path, { method: 'POST', body: 'x' });
      assert.match(response.headers.get('allow') ?? '', /GET/);
      await assertProblem(response, 405);
    }
  });

  test('/metrics is the text format of Prometheus, each family told once', async () => {
    const response = await gateway.get('/metrics');
    assert.match(response.headers.get('content-type') ?? '', /^text\/plain;.*version=0\.0\.4/);
    const text = await response.text();
    assert.ok(text.endsWith('\n'));
    const lines = text.trimEnd().split('\n');
    const families = lines.filter((line) => line.startsWith('# TYPE ')).map((line) => line.split(' ')[2] ?? '');
    assert.equal(new Set(families).size, families.length);
    for (const line of lines) {
      if (/^# (HELP|TYPE) \S+ \S/.test(line)) continue;
      const [, name = ''] =
        /^(sse_gateway_\w+)(?:\{\w+="[^"\n]*"(?:,\w+="[^"\n]*")*\})? -?[0-9.e+-]+$/.exec(line) ?? [];
      assert.ok(families.includes(name), line);
    }
  });

  test('publishing counts', async () => {
    const before = await metrics(gateway);
    for (let count = 0; count < 3; count += 1) await gateway.publish('x1', 'x');
    const after = await metrics(gateway);
    const risen = [...after].filter(([name, value]) => value - (before.get(name) ?? 0) === 3).map(([name]) => name);
    assert.ok(
      risen.some((name) => name.includes('publish')),
      `${risen}`,
    );
  });
});

describe('with the right admin over some channels', () => {
  const owner = suiteOwner();
  let gateway: Gateway;
  before(async () => {
    gateway = await startGateway(owner, { config: configOf(', admin: ["x*"]') });
    for (const name of NAMES) await gateway.publish(name, 'x');
  });

  test('only those are shown', async () => {
    assert.deepEqual(
      (await channels(gateway)).map((state) => state['channel']),
      ['x.two', 'x1'],
    );
    assert.equal((await gateway.get('/channels/x1')).status, 200);
    for (const name of ['y1', 'nobody']) await assertProblem(await gateway.get(`/channels/${name}`), 401);
    await assertProblem(await gateway.get('/channels/xnobody'), 404);
  });

  test('the metrics are not', async () => {
    await assertProblem(await gateway.get('/metrics'), 401);
  });
});

async function channels(gateway: Gateway): Promise<Record<string, unknown>[]> {
  const response = await gateway.get('/channels');
  const text = await response.text();
  assert.equal(response.status, 200, text);
  const { channels: states, ...more } = parseObject(text);
  assert.ok(Array.isArray(states), text);
  assert.deepEqual(more, {});
  return states.map((state) => parseObject(JSON.stringify(state)));
}

/** Every sample by its name and labels. */
async function metrics(gateway: Gateway): Promise<Map<string, number>> {
  const lines = (await (await gateway.get('/metrics')).text()).split('\n').filter((line) => /^\w/.test(line));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
  );
}
