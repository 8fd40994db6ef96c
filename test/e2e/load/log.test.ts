/** A gateway whose log cannot be written: it serves on, and counts what nobody will read. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Gateway, startGateway } from '../../support/gateway.ts';
import { metric } from '../../support/gauges.ts';
import type { Owner } from '../../support/owner.ts';
import { startByShell } from '../../support/shell-gateway.ts';
import { waitFor } from '../../support/wait.ts';

const OPEN = 'allow: {subscribe: ["*"], publish: ["*"], admin: true}\n';

describe('without a place for its log', { concurrency: 2 }, () => {
  const config = `log: {level: debug}\nserver: {drain: {window: 1s, retry: 2s}}\n${OPEN}channels: {news: {memory: true}}\n`;

  test('a gateway whose log goes to a full disk serves on and counts the lines', async (t) => {
    const gateway = await startByShell(t, { shell: 'exec "$@" 2>/dev/full', config });
    await comeAndGo(t, gateway, 100);
    await countsLines(gateway, 100);
    assert.equal((await gateway.terminate()).code, 0);
  });

  test('a gateway whose log reader dies serves on and counts the lines', async (t) => {
    const gateway = await startGateway(t, { config });
    gateway.child.process.stderr?.destroy();
    await comeAndGo(t, gateway, 100);
    await countsLines(gateway, 100);
    assert.equal((await gateway.terminate()).code, 0);
  });

  test('a gateway whose log reader hangs serves on', async (t) => {
    const gateway = await startGateway(t, { config });
    gateway.child.process.stderr?.pause();
    // More than a pipe and a socket hold.
    for (let round = 0; round < 20; round += 1) await comeAndGo(t, gateway, 200);
    gateway.child.process.stderr?.resume();
    assert.equal((await gateway.terminate()).code, 0);
  });
});

/** Settles when so many lines are counted as dropped: a pipe without a reader says so a little later. */
async function countsLines(gateway: Gateway, least: number): Promise<void> {
  let counted = 0;
  const isEnough = async () => {
    counted = await metric(gateway, 'log_lines_dropped');
    return counted >= least;
  };
  await waitFor(() => `${least} lines to be counted; ${counted} are`, isEnough);
}

/** Opens a stream and leaves it, `count` times, and sees that it works. */
async function comeAndGo(owner: Owner, gateway: Gateway, count: number): Promise<void> {
  const streams = Array.from({ length: count }, () => gateway.stream(owner, '/events/news'));
  await Promise.all(streams.map((stream) => stream.opened()));
  for (const stream of streams) stream.cut();
  await waitFor('everybody to be gone', async () => (await metric(gateway, 'subscribers')) === 0);
}
