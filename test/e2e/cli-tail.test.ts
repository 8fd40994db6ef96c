/** `sse-gateway tail`: its lines, its way through restarts, and how it ends. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { runCommand, startGateway } from '../support/gateway.ts';
import { parseObject } from '../support/gateway-events.ts';
import { impostor } from '../support/impostor.ts';
import { freePort } from '../support/scratch.ts';
import { waitFor } from '../support/wait.ts';

/** How long it may take to come back: the longer a gateway is away, the longer are its waits. */
const COMES_BACK_MS = 60_000;

/** Between two events, in milliseconds. */
const PACE_MS = 20;

/** Connections are short, and the history holds all that is published while one is away. */
const RESTLESS = `
server: {max_connection_age: 1s, heartbeat: 500ms, retry: 100ms}
limits: {client_stall: 500ms}
channels: {news: {memory: true, history: {events: 100000}}}
allow: {publish: ["*"]}
`;

describe('tail', () => {
  test('--json prints one object a line; which names the channel', async (t) => {
    const gateway = await startGateway(t);
    const tail = runCommand(t, ['tail', 'news', '--json', '--url', gateway.url], gateway);
    await waitFor('a line', async () => {
      await gateway.publish('news', 'a\n"b" \u2028', '?event=price');
      return tail.stdout.includes('\n');
    });
    const { id, time, ...line } = parseObject((await tail.lines(1))[0] ?? '');
    assert.deepEqual(line, { channel: 'news', event: 'price', data: 'a\n"b" \u2028' });
    assert.ok(typeof id === 'string' && time !== undefined);
    tail.signal('SIGINT');
    assert.deepEqual(await tail.ends(), { code: 130, signal: null });
    assert.equal(tail.stdout.split('\n').filter((each) => each.includes('gateway.')).length, 0);
  });

  test('goes on by itself when the gateway restarts, and shows the gap on stderr', async (t) => {
    const port = await freePort(t);
    const first = await startGateway(t, { port });
    const tail = runCommand(t, ['tail', 'news', '--json', '--url', first.url], first);
    await waitFor('a line', async () => {
      await first.publish('news', 'before');
      return tail.stdout.includes('before');
    });
    await first.child.kill();
    const second = await startGateway(t, { port, runtimeFolder: first.runtimeFolder });
    await waitFor(
      () => `the line after the restart; tail said ${tail.stderr}`,
      async () => {
        await second.publish('news', 'after');
        return tail.stdout.includes('after');
      },
      COMES_BACK_MS,
    );
    await tail.printed('stderr', /gap|restarted/);
    assert.doesNotMatch(tail.stdout, /restarted/);
  });

  test('goes on without a gap when its connection is ended again and again, and prints nothing twice', async (t) => {
    const gateway = await startGateway(t, { config: RESTLESS });
    const tail = runCommand(t, ['tail', 'news', '--json', '--gateway-events', '--url', gateway.url], gateway);
    const connections = () => tail.stdout.split('"gateway.open"').length - 1;
    await waitFor('a line', async () => {
      await gateway.publish('news', 'warm-up');
      return tail.stdout.includes('warm-up');
    });
    const wanted: string[] = [];
    while (connections() < 4) {
      wanted.push(`n${wanted.length}`);
      await gateway.publish('news', wanted.at(-1) ?? '');
      await delay(PACE_MS);
    }
    await gateway.publish('news', 'last');
    await tail.printed('stdout', /"last"[^\n]*\n/);
    const lines = tail.stdout.trimEnd().split('\n').map(parseObject);
    const printed = lines.filter(({ event }) => event === 'message').map(({ data }) => data);
    assert.deepEqual(
      printed.filter((data) => data !== 'warm-up'),
      [...wanted, 'last'],
    );
    assert.doesNotMatch(tail.stderr, /gap/i);
  });

  test('exits by the class of a refusal and never prints a page as events', async (t) => {
    const gateway = await startGateway(t, { config: 'channels: {news: {memory: true}}\nallow: {subscribe: ["*"]}\n' });
    const unknown = runCommand(t, ['tail', 'nobody', '--json', '--url', gateway.url], gateway);
    assert.equal((await unknown.ends()).code, 1, unknown.stderr);
    assert.equal(unknown.stdout, '');
    const url = await impostor(t, 200, 'text/html', '<p>data: not an event</p>\n\n');
    const page = runCommand(t, ['tail', 'news', '--json', '--url', url]);
    assert.equal((await page.ends()).code, 1, page.stderr);
    assert.equal(page.stdout, '');
  });

  test('a reader of its output that goes away ends it quietly', async (t) => {
    const gateway = await startGateway(t);
    const tail = runCommand(t, ['tail', 'news', '--json', '--url', gateway.url], gateway);
    await waitFor('a line', async () => {
      await gateway.publish('news', 'x');
      return tail.stdout.includes('x');
    });
    tail.process.stdout?.destroy();
    await waitFor('tail to end', async () => {
      await gateway.publish('news', 'y');
      return tail.process.exitCode !== null;
    });
    assert.doesNotMatch(tail.stderr, /EPIPE|^\s+at /m);
  });
});
