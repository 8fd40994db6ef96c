/** What a newcomer tries first: something is published, and every kind of client shows the same event. */
import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { type Child, startChild } from '../support/child.ts';
import { browserEventSource } from '../support/chromium.ts';
import { type Gateway, runCommand, startGateway } from '../support/gateway.ts';
import { parseObject } from '../support/gateway-events.ts';
import { heard } from '../support/heard.ts';
import { npmEventSource } from '../support/npm-eventsource.ts';
import { startRedis } from '../support/redis.ts';
import { type ReceivedEvent, SseReader } from '../support/sse-reader.ts';
import { waitFor } from '../support/wait.ts';

describe('the first run', () => {
  test('a PUBLISH in Redis reaches curl, a browser, npm eventsource, tail and a bare socket as the same event', async (t) => {
    const redis = await startRedis(t);
    const gateway = await startGateway(t, { args: ['--redis', redis.url] });
    const client = redis.client();
    await everybodySees(t, gateway, async (data) => void (await client.publish('prices', data)));
  });

  test('without any config a POST reaches them all as the same event', async (t) => {
    const gateway = await startGateway(t);
    await everybodySees(t, gateway, async (data) => void (await gateway.publish('prices', data)));
  });

  test('a PUBLISH is at the client within milliseconds', async (t) => {
    const redis = await startRedis(t);
    const gateway = await startGateway(t, { args: ['--redis', redis.url] });
    const client = redis.client();
    const stream = await heard(t, gateway, '/events/prices');
    const took: number[] = [];
    const asked: number[] = [];
    for (let index = 0; index < 50; index += 1) {
      const start = performance.now();
      await client.publish('prices', `${index}`);
      assert.equal((await stream.next()).data, `${index}`);
      const seen = performance.now();
      took.push(seen - start);
      await client.command('PING');
      await gateway.readiness();
      asked.push(performance.now() - seen);
    }
    // On a busy machine everything is late: what both take to answer at all says by how much.
    const limit = 20 + 5 * median(asked);
    assert.ok(median(took) < limit, `half of them took longer than ${median(took)} ms; the limit was ${limit} ms`);
  });

  test('serve prints lines that can be pasted: curl, publish and tail', async (t) => {
    const gateway = await startGateway(t);
    await gateway.child.printed('stderr', /curl -N\S* .*\/events\//);
    await gateway.child.printed('stderr', /\bpublish \S+ \S+/);
    await gateway.child.printed('stderr', /\btail \S+/);
    const [, address = ''] = await gateway.child.printed('stderr', /curl -N\S* '?"?(http:\S+?)['"]?\s/);
    const curl = startChild(t, 'curl', ['-sN', address], { env: { PATH: process.env['PATH'] ?? '' } });
    await curl.printed('stdout', /event: gateway\.open\n/);
  });
});

/** Follows `prices` with every kind of client, publishes, and compares what they saw. */
async function everybodySees(
  t: TestContext,
  gateway: Gateway,
  publish: (data: string) => Promise<void>,
): Promise<void> {
  const url = `${gateway.url}/events/prices`;
  const types = ['message', 'gateway.open'];
  const isOpen = (event: ReceivedEvent) => event.type === 'gateway.open';
  const stream = gateway.stream(t, '/events/prices');
  const curl = startChild(t, 'curl', ['-sN', url], { env: { PATH: process.env['PATH'] ?? '' } });
  const npm = npmEventSource(t, url, types);
  const tail = runCommand(t, ['tail', 'prices', '--json', '--url', gateway.url], gateway);
  const browser = await browserEventSource(t, url, types);
  await stream.opened();
  await curl.printed('stdout', /event: gateway\.open\n/);
  await npm.until('gateway.open', isOpen);
  await browser.until('gateway.open', isOpen);
  await tailFollows(tail, publish);

  const data = '{"price": 42, "note": "grün\u2028🎈"}';
  await publish(data);
  const isIt = (event: ReceivedEvent) => event.data === data;
  const seen = await stream.until('the event', () => stream.events.find(isIt));
  assert.equal(seen.type, 'message');
  assert.deepEqual(await npm.until('the event', isIt), seen);
  assert.deepEqual(await browser.until('the event', isIt), seen);
  await curl.printed('stdout', new RegExp(`\nid: ${seen.id}\n\n`));
  assert.deepEqual(eventsOf(curl.stdout).find(isIt), seen);
  await tail.printed('stdout', /note.*\n/);
  const line = parseObject(tail.stdout.split('\n').find((each) => each.includes('note')) ?? '');
  assert.deepEqual({ type: line['event'], data: line['data'], id: line['id'] }, seen);
  assert.ok('time' in line, JSON.stringify(line));
}

/** `tail` tells nobody when it is there; so publish until it prints. */
async function tailFollows(tail: Child, publish: (data: string) => Promise<void>): Promise<void> {
  await waitFor(
    () => `a line of tail, which said: ${tail.stderr}`,
    async () => {
      await publish('warm-up');
      return tail.stdout.includes('warm-up');
    },
  );
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}

function eventsOf(text: string): ReceivedEvent[] {
  const events: ReceivedEvent[] = [];
  const ignore = () => undefined;
  new SseReader({ event: (event) => events.push(event), comment: ignore, retry: ignore }).push(Buffer.from(text));
  return events;
}
