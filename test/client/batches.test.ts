/** Publishing many events: what a request carries, what its answer means, and when nothing more is sent. */
import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { parseAddress } from '../../src/client/address.ts';
import { Batches } from '../../src/client/batches.ts';
import type { Publication, PublishOutcome } from '../../src/client/publish.ts';
import { systemClock } from '../../src/clock.ts';
import { parseObject } from '../support/gateway-events.ts';
import { freePort } from '../support/scratch.ts';
import { waitFor } from '../support/wait.ts';
import { FakeClock } from './fake-clock.ts';
import { json, problem, type StubAnswer, type StubRequest, startStub } from './stub-gateway.ts';

const taking: StubAnswer = (response, request) =>
  json(response, 200, { results: itemsOf(request).map(({ data }) => ({ channel: 'news', id: `k-${data}` })) });

describe('a batch', () => {
  test('says all that an event has, and nothing that it has not', async (t) => {
    const { outcomes, requests } = await publish(t, taking, [
      { channel: 'news', data: Buffer.from('a\n"b" ü') },
      { channel: 'news', data: Buffer.from(''), type: 'tick', id: '7', end: true },
      { channel: 'news', end: true },
    ]);
    assert.deepEqual(requests.flatMap(itemsOf), [
      { channel: 'news', data: 'a\n"b" ü' },
      { channel: 'news', data: '', event: 'tick', id: '7', end: true },
      { channel: 'news', end: true },
    ]);
    assert.deepEqual(
      outcomes.map(({ kind }) => kind),
      ['published', 'published', 'published'],
    );
    assert.deepEqual(outcomes[0], { kind: 'published', answer: { channel: 'news', id: 'k-a\n"b" ü' } });
  });

  test('is split where it is larger than 1 MiB, in order, on one connection', async (t) => {
    const sockets = new Set<Socket>();
    const answer: StubAnswer = (response, request, index) => {
      if (response.socket !== null) sockets.add(response.socket);
      taking(response, request, index);
    };
    const events = Array.from({ length: 30 }, (_, index) => event(`${index} ${'x'.repeat(100_000)}`));
    const { outcomes, requests } = await publish(t, answer, events);
    assert.equal(outcomes.length, 30);
    assert.deepEqual(
      requests.flatMap(itemsOf).map(({ data }) => Number.parseInt(String(data), 10)),
      Array.from({ length: 30 }, (_, index) => index),
    );
    assert.ok(requests.length === 3 && requests.every(({ body }) => body.length <= 1024 * 1024));
    assert.equal(sockets.size, 1);
  });

  test('carries one event that is larger alone', async (t) => {
    const { requests } = await publish(t, taking, [event('a'), event('x'.repeat(2_000_000)), event('b')]);
    assert.deepEqual(
      requests.map((request) => itemsOf(request).length),
      [1, 1, 1],
    );
  });

  test('is made smaller where the gateway or a proxy takes less, and nothing is sent twice', async (t) => {
    const small: StubAnswer = (response, request, index) => {
      if (request.body.length <= 200) taking(response, request, index);
      else if (index === 0) problem(response, 413, 'too large');
      else response.writeHead(413, { 'content-type': 'text/html' }).end('<p>'.repeat(1000));
    };
    const { outcomes, requests } = await publish(
      t,
      small,
      Array.from({ length: 20 }, (_, index) => event(`${index}`)),
    );
    assert.ok(outcomes.length === 20 && outcomes.every(({ kind }) => kind === 'published'));
    assert.deepEqual(
      requests
        .filter(({ body }) => body.length <= 200)
        .flatMap(itemsOf)
        .map(({ data }) => Number(data)),
      Array.from({ length: 20 }, (_, index) => index),
    );
  });

  test('waits where the gateway says that it is too fast, and is sent again then', async (t) => {
    const clock = new FakeClock();
    const stub = await startStub(t, (response, request, index) => {
      if (index > 1) taking(response, request, index);
      else response.writeHead(429, { 'retry-after': `${index + 1}` }).end();
    });
    const batches = new Batches(gatewayAt(stub.url), { timeout: 60_000, clock });
    t.after(() => batches.close());
    const outcomes = batches.publish(['a', 'b'].map(event), new AbortController().signal);
    for (const wait of [1000, 2000]) {
      await waitFor('it to wait', () => clock.pending.length === 1 && clock.pending[0] === wait);
      clock.advance(wait);
    }
    assert.deepEqual(
      (await outcomes).map(({ kind }) => kind),
      ['published', 'published'],
    );
    assert.equal(stub.requests.length, 3);
  });

  test('is not sent again by who was interrupted while it waited', async (t) => {
    const clock = new FakeClock();
    const stub = await startStub(t, (response) => response.writeHead(429, { 'retry-after': '9' }).end());
    const batches = new Batches(gatewayAt(stub.url), { timeout: 60_000, clock });
    t.after(() => batches.close());
    const stop = new AbortController();
    const outcomes = batches.publish(['a', 'b'].map(event), stop.signal);
    await waitFor('it to wait', () => clock.pending[0] === 9000);
    stop.abort();
    assert.deepEqual(await outcomes, []);
    assert.deepEqual([stub.requests.length, clock.pending], [1, []]);
  });

  test('is refused by a gateway that gives no time, or one that nobody would wait for', async (t) => {
    for (const headers of [{}, { 'retry-after': '3600' }, { 'retry-after': 'tomorrow' }]) {
      const { outcomes } = await publish(t, (response) => response.writeHead(429, headers).end(), [event('a')]);
      assert.deepEqual(
        outcomes.map(({ kind }) => kind),
        ['refused'],
      );
    }
  });

  test('is refused event by event', async (t) => {
    const error = { status: 413, code: 'too-large', detail: 'too large' };
    const lost = { status: 504, code: 'outcome-unknown', detail: 'lost' };
    const results = [{ channel: 'news', id: 'k-1' }, { error }, { error: lost }];
    const { outcomes } = await publish(
      t,
      (response) => json(response, 413, { results }),
      ['a', 'b', 'c', 'd'].map(event),
    );
    assert.deepEqual(outcomes, [
      { kind: 'published', answer: { channel: 'news', id: 'k-1' } },
      { kind: 'refused', refusal: { status: 413, message: 'too large (413)', hint: undefined } },
      { kind: 'unknown', reason: 'lost (504)' },
      { kind: 'unknown', reason: 'the answer has too few results' },
    ]);
  });

  const wholes: readonly (readonly [what: string, answer: StubAnswer, kind: PublishOutcome['kind']])[] = [
    ['is refused whole', (response) => problem(response, 403, 'no'), 'refused'],
    ['is too large with one event', (response) => problem(response, 413, 'no'), 'refused'],
    [
      'is answered by a page',
      (response) => response.writeHead(200, { 'content-type': 'text/html' }).end('ok'),
      'refused',
    ],
    ['is lost by a proxy', (response) => response.writeHead(502).end(), 'unknown'],
    ['is answered by no results', (response) => json(response, 200, { channel: 'news', id: 'k-1' }), 'unknown'],
    ['has its connection broken', (response) => response.destroy(), 'unknown'],
  ];
  for (const [what, answer, kind] of wholes) {
    test(`that ${what} is ${kind}, and nothing is sent behind it`, async (t) => {
      const { outcomes, requests } = await publish(t, answer, [event('x'.repeat(1024 * 1024)), event('b')]);
      assert.deepEqual(
        outcomes.map((outcome) => outcome.kind),
        [kind],
      );
      assert.equal(requests.length, 1);
    });
  }

  test('is not published where nobody listens', async () => {
    const batches = new Batches(gatewayAt(`http://127.0.0.1:${await freePort()}`), OPTIONS);
    const outcomes = await batches.publish([event('a'), event('b')], new AbortController().signal);
    assert.deepEqual(
      outcomes.map(({ kind }) => kind),
      ['unreachable', 'unreachable'],
    );
    await batches.close();
  });

  test('does not know its outcome when it is interrupted', async (t) => {
    const stub = await startStub(t, () => undefined);
    const batches = new Batches(gatewayAt(stub.url), OPTIONS);
    t.after(() => batches.close());
    const stop = new AbortController();
    const outcomes = batches.publish([event('a')], stop.signal);
    await stub.request(0);
    stop.abort();
    assert.deepEqual(await outcomes, [{ kind: 'unknown', reason: 'interrupted' }]);
  });

  test('goes out on a new connection where the last one was closed meanwhile', async (t) => {
    const stub = await startStub(t, (response, request, index) => {
      response.setHeader('connection', 'close');
      taking(response, request, index);
    });
    const batches = new Batches(gatewayAt(stub.url), OPTIONS);
    t.after(() => batches.close());
    for (let index = 0; index < 3; index += 1) {
      const [outcome] = await batches.publish([event('a')], new AbortController().signal);
      assert.equal(outcome?.kind, 'published');
    }
  });
});

const OPTIONS = { timeout: 60_000, clock: systemClock };

function gatewayAt(url: string) {
  return { address: parseAddress(url), token: () => undefined };
}

function event(data: string): Publication {
  return { channel: 'news', data: Buffer.from(data) };
}

async function publish(t: TestContext, answer: StubAnswer, publications: readonly Publication[]) {
  const stub = await startStub(t, answer);
  const batches = new Batches(gatewayAt(stub.url), OPTIONS);
  const outcomes = await batches.publish(publications, new AbortController().signal);
  await batches.close();
  return { outcomes, requests: stub.requests };
}

function itemsOf({ body }: StubRequest): Record<string, unknown>[] {
  return body.toString().trimEnd().split('\n').map(parseObject);
}
