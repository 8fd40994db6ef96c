/** The clients that people have, through what happens in production: restarts, cuts, refusals. */
import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { browserEventSource } from '../support/chromium.ts';
import { startGateway } from '../support/gateway.ts';
import { npmEventSource } from '../support/npm-eventsource.ts';
import { freePort } from '../support/scratch.ts';
import type { ReceivedEvent } from '../support/sse-reader.ts';

/** Between two events, in milliseconds. */
const PACE_MS = 5;

const TYPES = ['message', 'gateway.open', 'gateway.gap'];

/** Clients come back soon, connections are short, and the history holds all that is published while one is away. */
const RESTLESS = `
server: {retry: 100ms, heartbeat: 500ms, max_connection_age: 1s, drain: {window: 1s, retry: 200ms}}
limits: {client_stall: 500ms}
allow: {publish: ["*"]}
channels: {"*": {memory: true, history: {events: 100000}}}
`;

const CLIENTS = { 'a browser': browserEventSource, 'npm eventsource': npmEventSource };

describe('ordinary clients', () => {
  for (const [name, open] of Object.entries(CLIENTS)) {
    test(`${name} whose connection ends again and again sees each event once`, async (t) => {
      const gateway = await startGateway(t, { config: RESTLESS });
      const client = await open(t, `${gateway.url}/events/news`, TYPES);
      await client.until('gateway.open', isType('gateway.open'));
      const sent: string[] = [];
      while (client.events.filter(isType('gateway.open')).length < 4) {
        sent.push(`${sent.length}`);
        await gateway.publish('news', `${sent.length - 1}`);
        await delay(PACE_MS);
      }
      await gateway.publish('news', 'last');
      await client.until('the last event', (event) => event.data === 'last');
      assert.deepEqual(
        client.events.filter(isType('message')).map((event) => event.data),
        [...sent, 'last'],
      );
      assert.equal(client.events.filter(isType('gateway.gap')).length, 0);
    });

    test(`${name} survives a crash of the gateway and is told of the gap`, async (t) => {
      await survivesRestart(t, open, (gateway) => gateway.child.kill());
    });

    test(`${name} survives an orderly restart and is told of the gap`, async (t) => {
      await survivesRestart(t, open, async (gateway) => void (await gateway.terminate()));
    });
  }
});

type Open = (typeof CLIENTS)[keyof typeof CLIENTS];
type Running = Awaited<ReturnType<typeof startGateway>>;

async function survivesRestart(t: TestContext, open: Open, stop: (gateway: Running) => Promise<void>): Promise<void> {
  const port = await freePort(t);
  const first = await startGateway(t, { config: RESTLESS, port });
  const client = await open(t, `${first.url}/events/news`, TYPES);
  await client.until('gateway.open', isType('gateway.open'));
  await first.publish('news', 'before');
  await client.until('the event before', (event) => event.data === 'before');
  await stop(first);
  const second = await startGateway(t, { config: RESTLESS, port });
  const gap = await client.until('the gap', isType('gateway.gap'));
  assert.match(gap.data, /"reason":"restarted"/);
  await second.publish('news', 'after');
  await client.until('the event after', (event) => event.data === 'after');
}

function isType(type: string): (event: ReceivedEvent) => boolean {
  return (event) => event.type === type;
}
