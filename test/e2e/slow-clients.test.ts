/** Clients that read slowly or not at all: what they lose, when they are dropped, and what they cost the others. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { gapData, isPublished } from '../support/gateway-events.ts';
import type { SseStream } from '../support/sse-stream.ts';
import { waitFor } from '../support/wait.ts';

const OPEN_TO_ALL = 'allow: {subscribe: ["*"], publish: ["*"]}\nchannels: {"*": {memory: true}}\n';
const SHORT_HISTORY = OPEN_TO_ALL.replace('{memory: true}', '{memory: true, history: {events: 10}}');

/** More than the kernel buffers of a loopback connection hold, in events of 64 KiB. */
const FLOOD_EVENTS = 800;
const FLOOD_BYTES = 64 * 1024 - 16;

/** In milliseconds: so long that a client on a busy machine which does read is not taken for stuck. */
const STALL_MS = 6000;

/** A client that reads this much, in bytes, and then pauses, in milliseconds, takes twice as long for all of the flood. */
const PIECE_BYTES = 2 * 2 ** 20;
const PAUSE_MS = 500;

/** `limits.buffered_total`, which bounds what slow clients pin, and as much again for the heap. */
const STUCK_COST_BYTES = 512 * 2 ** 20;

describe('clients that are slow or stuck', { concurrency: 2 }, () => {
  test('who reads nothing is dropped after client_stall, and nobody else notices', async (t) => {
    const gateway = await startGateway(t, { config: `limits: {client_stall: ${STALL_MS}ms}\n${OPEN_TO_ALL}` });
    const healthy = gateway.stream(t, '/events/flood');
    const stuck = gateway.stream(t, '/events/flood');
    await Promise.all([healthy.opened(), stuck.opened()]);
    stuck.pause();
    await flood(gateway);
    await received(healthy, FLOOD_EVENTS);
    await waitFor('the stuck client to be dropped', async () => !(await gateway.holds(stuck)));
    assert.ok(await gateway.holds(healthy));
    stuck.resume();
    assert.equal(await stuck.ended(), 'cut');
    const again = gateway.stream(t, '/events/flood', { lastEventId: stuck.lastEventId });
    await again.opened();
    assert.equal(healthy.end, undefined);
  });

  test('a slow client loses nothing while it stays within the window', async (t) => {
    const gateway = await startGateway(t, {
      config: `limits: {window: 64MiB, client_stall: 10m}\n${SHORT_HISTORY}`,
    });
    const slow = gateway.stream(t, '/events/flood');
    await slow.opened();
    slow.pause();
    await flood(gateway);
    slow.resume();
    await received(slow, FLOOD_EVENTS);
    assert.equal(slow.events.filter((event) => event.type === 'gateway.gap').length, 0);
  });

  test('a client too slow for the window is told so at that place, once, and goes on', async (t) => {
    const gateway = await startGateway(t, {
      config: `limits: {window: 4MiB, client_stall: 10m}\n${SHORT_HISTORY}`,
    });
    const healthy = gateway.stream(t, '/events/flood');
    const slow = gateway.stream(t, '/events/flood');
    await Promise.all([healthy.opened(), slow.opened()]);
    slow.pause();
    await flood(gateway);
    await received(healthy, FLOOD_EVENTS);
    slow.resume();
    await slow.until('the last event', () => lastNumber(slow) === FLOOD_EVENTS - 1);
    const place = slow.events.findIndex((event) => event.type === 'gateway.gap');
    const gap = gapData(slow.events[place] ?? { type: 'none', data: '', id: '' });
    assert.equal(gap.reason, 'too-slow');
    assert.equal(slow.events.filter((event) => event.type === 'gateway.gap').length, 1);
    const before = slow.events.slice(0, place).filter(isPublished);
    const after = slow.events.slice(place + 1).filter(isPublished);
    assert.deepEqual(numbers(before), range(0, before.length));
    assert.deepEqual(numbers(after), range(FLOOD_EVENTS - after.length, FLOOD_EVENTS));
    assert.ok([null, FLOOD_EVENTS - before.length - after.length].includes(gap.lost), `lost ${gap.lost}`);
    assert.equal(gap.after, before.at(-1)?.id);
  });

  test('a client that reads a little at a time is slow, not stuck', async (t) => {
    const gateway = await startGateway(t, {
      config: `limits: {window: 64MiB, client_stall: ${STALL_MS}ms}\n${OPEN_TO_ALL}`,
    });
    const slow = gateway.stream(t, '/events/flood');
    await slow.opened();
    const start = performance.now();
    await Promise.all([flood(gateway), readInPieces(slow)]);
    assert.equal(lastNumber(slow), FLOOD_EVENTS - 1);
    assert.equal(slow.end, undefined);
    assert.ok(performance.now() - start > STALL_MS, 'it was slow for too short a time');
  });

  test('a channel that overtakes a slow client costs it nothing of the other channels', async (t) => {
    const gateway = await startGateway(t, { config: `limits: {window: 4MiB, client_stall: 10m}\n${SHORT_HISTORY}` });
    const slow = gateway.stream(t, '/events?channel=flood&channel=calm');
    await slow.opened();
    slow.pause();
    for (let index = 0; index < 5; index += 1) await gateway.publish('calm', `calm ${index}`);
    await flood(gateway);
    for (let index = 5; index < 10; index += 1) await gateway.publish('calm', `calm ${index}`);
    slow.resume();
    await slow.until('the last event', () => slow.events.some((event) => event.data === 'calm 9'));
    await slow.until('the end of the flood', () => floodNumbers(slow).at(-1) === FLOOD_EVENTS - 1);
    const gaps = slow.events.filter((event) => event.type === 'gateway.gap').map(gapData);
    assert.deepEqual(
      gaps.map(({ channel, reason }) => [channel, reason]),
      [['flood', 'too-slow']],
    );
    assert.deepEqual(
      slow.events.filter((event) => event.data.startsWith('calm')).map((event) => event.data),
      range(0, 10).map((index) => `calm ${index}`),
    );
  });

  test('a hundred stuck clients share what they wait for', async (t) => {
    const gateway = await startGateway(t, { config: `limits: {client_stall: 10m}\n${OPEN_TO_ALL}` });
    const healthy = gateway.stream(t, '/events/flood');
    const stuck = Array.from({ length: 100 }, () => gateway.stream(t, '/events/flood'));
    await Promise.all([healthy, ...stuck].map((stream) => stream.opened()));
    for (const stream of stuck) stream.pause();
    const before = await gateway.residentBytes();
    await flood(gateway);
    await received(healthy, FLOOD_EVENTS);
    const grown = (await gateway.residentBytes()) - before;
    assert.ok(grown < STUCK_COST_BYTES, `${Math.round(grown / 2 ** 20)} MiB more`);
  });
});

/** Publishes numbered events of 64 KiB, one after the other. */
async function flood(gateway: Gateway): Promise<void> {
  for (let index = 0; index < FLOOD_EVENTS; index += 1) {
    await gateway.publish('flood', `${index} `.padEnd(FLOOD_BYTES, 'x'));
  }
}

/** Reads a piece at a time, with pauses; settles when the last event or the end has come. */
async function readInPieces(stream: SseStream): Promise<void> {
  const isOver = () => lastNumber(stream) === FLOOD_EVENTS - 1 || stream.end !== undefined;
  while (!isOver()) {
    const wanted = stream.bytes + PIECE_BYTES;
    stream.resume();
    await stream.until('a piece', () => stream.bytes >= wanted || isOver());
    stream.pause();
    await delay(PAUSE_MS);
  }
}

/** Settles when `stream` has numbers 0 to `count`, each once and in order. */
async function received(stream: SseStream, count: number): Promise<void> {
  await stream.until('all events', () => stream.events.filter(isPublished).length >= count);
  assert.deepEqual(numbers(stream.events.filter(isPublished)), range(0, count));
}

/** The numbers of the flood that arrived, on a connection with other channels. */
function floodNumbers(stream: SseStream): number[] {
  return numbers(stream.events.filter((event) => event.data.endsWith('x')));
}

function lastNumber(stream: SseStream): number {
  return Number.parseInt(stream.events.at(-1)?.data ?? '', 10);
}

function numbers(events: readonly { readonly data: string }[]): number[] {
  return events.map((event) => Number.parseInt(event.data, 10));
}

function range(start: number, end: number): number[] {
  return Array.from({ length: end - start }, (_, index) => start + index);
}
