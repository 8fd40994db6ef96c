/** One channel, sixteen clients that people have: all of them see the same, over cuts, ends and restarts. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { browserClients } from '../support/browser-clients.ts';
import { COMMAND_CLIENTS } from '../support/command-clients.ts';
import type { Away } from '../support/cutting-proxy.ts';
import { startGateway } from '../support/gateway.ts';
import { isPublished, openData } from '../support/gateway-events.ts';
import { NODE_CLIENTS } from '../support/node-clients.ts';
import { once } from '../support/once.ts';
import { type Owner, suiteOwner } from '../support/owner.ts';
import { startRedis, subscribersOf } from '../support/redis.ts';
import { tableRow } from '../support/samples.ts';
import { freePort } from '../support/scratch.ts';
import type { ReceivedEvent } from '../support/sse-reader.ts';
import { visitors } from '../support/visitor.ts';
import { waitFor } from '../support/wait.ts';

/** Connections are short, so that each client sees an orderly end too, and comes back soon. Nobody is cut for being slow. */
const config = (redis: string) => `
redis: ${redis}
server: {retry: 100ms, heartbeat: 500ms, max_connection_age: 5s}
limits: {client_stall: 4s}
channels: {news: {format: envelope}}
`;

type Published = Readonly<{ data: string; event?: string }>;

const LIVE: readonly Published[] = [
  { data: 'plain' },
  { data: '42', event: 'price' },
  { data: 'two\nlines' },
  { data: '' },
  { data: 'grün 🎈 \u2028 one line \u2029 \u0085 still' },
  { data: '  indented: with a colon' },
  { data: 'trailing\n' },
  { data: '\n\nleading', event: 'price' },
  { data: 'x'.repeat(65_536) },
  { data: 'end of live' },
];
/** Everybody loses the connection in the middle of the first of these. */
const MISSED: readonly Published[] = [
  { data: 'a whole line\nfirst half, second half' },
  { data: 'missed' },
  { data: 'missed price', event: 'price' },
];
const AFTER_END: readonly Published[] = [{ data: 'after an orderly end' }];
const PUBLISHED = [...LIVE, ...MISSED, ...AFTER_END];

/** The first test that asks waits for everything that all clients go through, in milliseconds. */
const TIMEOUT = 300_000;

const CLIENTS = [...COMMAND_CLIENTS, ...NODE_CLIENTS, ...browserClients()];

/** This one drops empty lines at the beginning of data. */
const DROPS_LEADING_LINES = '@microsoft/fetch-event-source in Chromium';

/** This one puts the lines that it has of an event that was cut in half in front of the next event. */
const KEEPS_HALF_EVENTS = 'npm eventsource 2';

describe('of the clients that follow one channel', () => {
  const owner = suiteOwner();
  const outcomes = once(() => visit(owner));

  for (const { name } of CLIENTS) {
    test(`${name} sees each event once and in order, over a cut and an orderly end`, { timeout: TIMEOUT }, async () => {
      const { failure, events } = outcomeOf(await outcomes(), name);
      if (failure !== undefined) throw failure;
      const published = events.filter(isPublished);
      assert.deepEqual(
        published.map(({ type, data }) => ({ type, data: short(data) })),
        PUBLISHED.map(({ data, event = 'message' }) => ({
          type: event,
          data: short(name === DROPS_LEADING_LINES ? data.replace(/^\n+/, '') : data),
        })),
      );
      const others = outcomeOf(await outcomes(), 'curl').events.filter(isPublished);
      assert.deepEqual(
        published.map(({ id }) => id),
        others.map(({ id }) => id),
      );
    });

    test(`${name} sees gateway.open on each connection, and no gap`, { timeout: TIMEOUT }, async () => {
      const { events } = outcomeOf(await outcomes(), name);
      const opens = events.filter(({ type }) => type === 'gateway.open');
      assert.ok(opens.length >= 3);
      assert.deepEqual(
        opens.map((open) => openData(name === KEEPS_HALF_EVENTS ? withoutHalf(open) : open).resumed),
        opens.map((_, index) => index > 0),
      );
      assert.deepEqual(
        events.filter(({ type }) => type === 'gateway.gap'),
        [],
      );
    });

    test(`${name} does what the documentation says when the gateway is away`, { timeout: TIMEOUT }, async () => {
      assert.deepEqual(outcomeOf(await outcomes(), name).survived, promised(name));
    });
  }
});

interface Outcome {
  readonly name: string;
  readonly failure: unknown;
  /** What it had seen before the gateway went away for the first time. */
  readonly events: readonly ReceivedEvent[];
  readonly survived: Record<Away, boolean>;
}

/** Takes all clients through everything together. */
async function visit(owner: Owner): Promise<readonly Outcome[]> {
  const redis = await startRedis(owner);
  const options = { config: config(redis.url), port: await freePort(owner) };
  const client = redis.client();
  const publish = (events: readonly Published[]) =>
    client.pipeline(events.map((event) => ['PUBLISH', 'news', JSON.stringify(event)]));
  let gateway = await startGateway(owner, options);
  await gateway.becomes(200);
  const all = await visitors(owner, CLIENTS, gateway.port, '/events/news');
  await Promise.all(all.map((visitor) => visitor.open()));
  await publish(LIVE);
  await Promise.all(all.map((visitor) => visitor.sees('end of live')));
  for (const { proxy } of all) proxy.cutBehind('first half');
  await publish(MISSED);
  await Promise.all(all.map((visitor) => visitor.sees('missed price')));
  await Promise.all(all.map((visitor) => visitor.seesAnother('gateway.open')));
  await publish(AFTER_END);
  await Promise.all(all.map((visitor) => visitor.sees('after an orderly end')));
  const outcomes = all.map(({ name, failure, events }) => ({
    ...{ name, failure, events: [...events] },
    survived: { reset: false, 'bad-gateway': false },
  }));
  for (const away of ['reset', 'bad-gateway'] as const) {
    const turnedAway = all.map((visitor) => visitor.isTurnedAway(away));
    await gateway.child.kill();
    await Promise.all(turnedAway);
    const back = all.filter(({ name }) => promised(name)[away]);
    // Counted from before the start: who comes at once may see it before the gateway has said that it listens.
    const told = back.map((visitor) => visitor.seesAnother('gateway.gap'));
    gateway = await startGateway(owner, options);
    await Promise.all(told);
    await gateway.becomes(200);
    await waitFor('the gateway to hear the channel', async () => (await subscribersOf(client, 'news')) === 1);
    await publish([{ data: away }]);
    await Promise.all(back.map((visitor) => visitor.sees(away)));
    for (const [index, visitor] of all.entries()) {
      const survived = visitor.events.some(({ data }) => data === away);
      Object.assign(outcomes[index]?.survived ?? {}, { [away]: survived });
      if (!survived && away === 'reset') await visitor.open();
    }
  }
  return outcomes;
}

/** What the page says about a client. */
function promised(name: string): Record<Away, boolean> {
  const [, reset, badGateway] = tableRow('docs/clients.md', name);
  return { reset: reset === 'yes', 'bad-gateway': badGateway === 'yes' };
}

function outcomeOf(outcomes: readonly Outcome[], name: string): Outcome {
  const found = outcomes.find((outcome) => outcome.name === name);
  assert.ok(found !== undefined);
  return found;
}

function withoutHalf(event: ReceivedEvent): ReceivedEvent {
  return { ...event, data: event.data.replace(/^a whole line\n/, '') };
}

/** Long lines would hide everything else where a comparison fails. */
function short(data: string): string {
  return data.replace(/x{100,}/, ({ length }) => `${length} times x`);
}
