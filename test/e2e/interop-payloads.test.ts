/** Ten thousand payloads of every kind, by way of Redis and the gateway to three parsers: all read what the standards say. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { payloads } from '../support/arbitrary.ts';
import { browserEventSource } from '../support/chromium.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { heard } from '../support/heard.ts';
import { followWithParser } from '../support/node-clients.ts';
import { once } from '../support/once.ts';
import { type Owner, suiteOwner } from '../support/owner.ts';
import { startRedis } from '../support/redis.ts';

const COUNT = 10_000;
const SEED = 20_261;
const MIB = 1024 * 1024;

/** How long reading all of them may take, and the first test, which waits for that, in milliseconds. */
const READ_MS = 200_000;
const TIMEOUT = 300_000;

/** One feed, carried in three ways; nobody is overtaken or cut for reading slowly. */
const config = (redis: string) => `
redis: ${redis}
limits: {window: 128MiB, client_stall: 5m}
channels:
  plain: {pubsub: payloads}
  json: {pubsub: payloads, encode: json}
  base64: {pubsub: payloads, encode: base64}
`;

/** As large as an event may be, and larger on the wire: one line, many, nothing but line ends or NUL, little that is UTF-8. */
const LARGE = ['x', 'line\r\n', '\n', '\0', Buffer.from('c3a4ffe280a8f09f9880ed', 'hex')].map((fill) =>
  Buffer.alloc(MIB, fill),
);

const SENT = [...fc.sample(payloads(), { numRuns: COUNT, seed: SEED }), ...LARGE];

describe(`${COUNT} payloads`, () => {
  const owner = suiteOwner();
  const everybody = once(() => sendToEverybody(owner));

  for (const client of ['a strict reader', 'eventsource-parser', 'Chromium'] as const) {
    test(`are read by ${client} as the standards say`, { timeout: TIMEOUT }, async () => {
      same((await everybody())[client], SENT, (payload) => textOf(payload).replaceAll(/\r\n?/g, '\n'));
    });
  }

  test('keep every character with encode: json', { timeout: TIMEOUT }, async () => {
    same((await everybody()).json, SENT, textOf, (data) => JSON.parse(data));
  });

  test('keep every byte with encode: base64', { timeout: TIMEOUT }, async () => {
    same((await everybody()).base64, SENT, (payload) => payload.toString('base64'));
  });
});

/** Publishes everything while everybody listens; settles with the data that each saw, in order. */
async function sendToEverybody(owner: Owner) {
  const redis = await startRedis(owner);
  const gateway = await startGateway(owner, { config: config(redis.url) });
  // The strict one comes first: where it is heard, so is everybody.
  const readers = [
    await strictly(owner, gateway, 'plain'),
    await withParser(owner, gateway),
    await inChromium(owner, gateway),
    await strictly(owner, gateway, 'json'),
    await strictly(owner, gateway, 'base64'),
  ];
  const received = readers.map((all) => all());
  const client = redis.client();
  await client.pipeline(SENT.map((payload) => ['PUBLISH', 'payloads', payload]));
  const [strict = [], parser = [], chromium = [], json = [], base64 = []] = await Promise.all(received);
  return { 'a strict reader': strict, 'eventsource-parser': parser, Chromium: chromium, json, base64 };
}

/** A client that is there; called, it settles with all data. */
type Reader = () => Promise<string[]>;

async function strictly(owner: Owner, gateway: Gateway, channel: string): Promise<Reader> {
  const stream = await heard(owner, gateway, `/events/${channel}`);
  return async () => (await stream.take(SENT.length, READ_MS)).map(({ data }) => data);
}

async function withParser(owner: Owner, gateway: Gateway): Promise<Reader> {
  const leaving = new AbortController();
  owner.after(() => leaving.abort());
  const events = (await followWithParser(`${gateway.url}/events/plain`, leaving.signal))[Symbol.asyncIterator]();
  assert.equal((await events.next()).value?.event, 'gateway.open');
  return async () => {
    const all: string[] = [];
    while (all.length < SENT.length) all.push((await events.next()).value?.data);
    return all;
  };
}

async function inChromium(owner: Owner, gateway: Gateway): Promise<Reader> {
  const { page, until } = await browserEventSource(owner, `${gateway.url}/events/plain`, ['gateway.open']);
  await page.evaluate(`{
    const data = [];
    globalThis.all = new Promise((resolve) => {
      const take = (event) => data.push(event.data) === ${SENT.length} && resolve(data);
      for (const type of ['message', 'gateway.gap']) source.addEventListener(type, take);
    });
    undefined;
  }`);
  await until('gateway.open', () => true);
  return () => page.evaluate('all');
}

/** The Encoding standard's UTF-8 decode, without taking a byte order mark off. */
function textOf(payload: Buffer): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(payload);
}

/** Compares one by one, so that a difference can be read; `meaning` is what the data stands for. */
function same(
  actual: readonly string[],
  sent: readonly Buffer[],
  expected: (payload: Buffer) => string,
  meaning: (data: string) => unknown = (data) => data,
): void {
  assert.equal(actual.length, sent.length);
  for (const [index, payload] of sent.entries()) {
    const data = meaning(actual[index] ?? '');
    if (data === expected(payload)) continue;
    assert.equal(String(data).slice(0, 500), expected(payload).slice(0, 500), `payload ${index}`);
    assert.fail(`payload ${index} differs after 500 characters`);
  }
}
