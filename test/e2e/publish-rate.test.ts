/** limits.publish_rate on the wire: what is refused, that nothing of it is written, and how publishers come through. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { runCommand, startGateway } from '../support/gateway.ts';
import { assertProblem } from '../support/problem.ts';

const config = (rate: number) => `limits: {publish_rate: ${rate}}
server: {trusted_proxies: [loopback]}
allow: {subscribe: ["*"], publish: ["*"], admin: true}
channels: {"*": {memory: true, history: {events: 100000}}}
`;

describe('limits.publish_rate', () => {
  test('refuses with 429 what one client publishes too fast, writes nothing of it, and lets others publish', async (t) => {
    const gateway = await startGateway(t, { config: config(1) });
    const stream = gateway.stream(t, '/events/news');
    await stream.opened();
    const from = (address: string) => ({ headers: { 'x-forwarded-for': address } });
    const items = (data: string) => ['a', 'b', 'c'].map((each) => ({ channel: 'news', data: `${data}${each}` }));
    const batch = (address: string, data: string) =>
      gateway.get('/events', {
        method: 'POST',
        body: JSON.stringify(items(data)),
        headers: { ...from(address).headers, 'content-type': 'application/json' },
      });
    // A batch that is more than a second's worth passes once, and is waited for afterwards.
    assert.equal((await batch('192.0.2.1', 'first ')).status, 200);
    const refused = await gateway.post('news', 'no', '', from('192.0.2.1'));
    const wait = Number(refused.headers.get('retry-after'));
    assert.ok(wait >= 1 && wait <= 3, `${wait}`);
    await assertProblem(refused, 429);
    await assertProblem(await batch('192.0.2.1', 'no '), 429);
    const end = await gateway.get('/events/news', { method: 'DELETE', ...from('192.0.2.1') });
    await assertProblem(end, 429);
    assert.equal((await gateway.post('news', 'another', '', from('192.0.2.2'))).status, 200);
    assert.deepEqual(
      (await stream.take(4)).map(({ data }) => data),
      ['first a', 'first b', 'first c', 'another'],
    );
    assert.match(await (await gateway.get('/metrics')).text(), /^sse_gateway_publishes_refused_by_rate_total 5$/m);
  });

  test('does not hold for the command line of this user; without its key, lines wait for their turn', async (t) => {
    const gateway = await startGateway(t, { config: config(1000) });
    const input = Array.from({ length: 2500 }, (_, index) => `${index}\n`).join('');
    for (const runtimeFolder of [gateway.runtimeFolder, '/nonexistent']) {
      const stream = gateway.stream(t, '/events/log');
      await stream.opened();
      const lines = runCommand(t, ['publish', 'log', '--lines', '--url', gateway.url], { runtimeFolder, input });
      assert.equal((await lines.ends()).code, 0, lines.stderr);
      assert.deepEqual(
        (await stream.take(2500)).map(({ data }) => Number(data)),
        Array.from({ length: 2500 }, (_, index) => index),
      );
      stream.cut();
    }
    const refused = /^sse_gateway_publishes_refused_by_rate_total (\d+)$/m.exec(
      await (await gateway.get('/metrics')).text(),
    );
    assert.ok(Number(refused?.[1]) > 0, 'nobody had to wait');
  });
});
