/** Publishing over HTTP: what was answered, what was refused, and what nobody can know. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { parseAddress } from '../../src/client/address.ts';
import { type Publication, type PublishOutcome, publish } from '../../src/client/publish.ts';
import { systemClock } from '../../src/clock.ts';
import { scratchFolder } from '../support/scratch.ts';
import { FakeClock } from './fake-clock.ts';
import { json, problem, type StubAnswer, type StubGateway, startStub, startTcp } from './stub-gateway.ts';

const PUBLICATION: Publication = { channel: 'news', data: Buffer.from('x') };

describe('publishing', () => {
  test('sends the data byte for byte, with the type and the id, to the channel', async (t) => {
    const stub = await startStub(t, (response) => json(response, 200, { channel: 'a', id: 'k-1' }));
    const data = Buffer.from([0, 255, 10, 13]);
    const outcome = await publishTo(stub.url, { channel: 'a:b@c|d', data, type: 'tick & tock', id: 'ü' });
    assert.deepEqual(outcome, { kind: 'published', answer: { channel: 'a', id: 'k-1' } });
    const [request] = stub.requests;
    assert.equal(request?.method, 'POST');
    assert.equal(request?.path, '/events/a%3Ab%40c%7Cd?event=tick+%26+tock&id=%C3%BC');
    assert.deepEqual(request?.body, data);
  });

  test('sends the credential to the address that it was given for', async (t) => {
    const stub = await startStub(t, (response) => json(response, 200, { channel: 'news', id: 'k-1' }));
    await publishTo(stub.url, PUBLICATION, 'secret');
    await publishTo(stub.url, PUBLICATION);
    assert.deepEqual(
      stub.requests.map(({ headers }) => headers.authorization),
      ['Bearer secret', undefined],
    );
  });

  test('reaches a gateway on a unix socket', async (t) => {
    const path = join(await scratchFolder(t), 'gateway.sock');
    const stub = await startStub(t, (response) => json(response, 200, { channel: 'news', id: 'k-1' }), { path });
    assert.equal((await publishTo(stub.url)).kind, 'published');
  });

  test('tells the refusal in the words of the gateway', async (t) => {
    const outcome = await answered(t, (response) => problem(response, 413, 'the event is too large'));
    assert.ok(outcome.kind === 'refused');
    assert.equal(outcome.refusal.status, 413);
    assert.match(outcome.refusal.message, /the event is too large/);
  });

  test('follows no redirect, least of all with a credential', async (t) => {
    const other = await startStub(t, (response) => json(response, 200, {}));
    const stub = await startStub(t, (response) => response.writeHead(307, { location: other.url }).end());
    const outcome = await publishTo(stub.url, PUBLICATION, 'secret');
    assert.ok(outcome.kind === 'refused' && outcome.refusal.message.includes(other.url));
    assert.equal(other.requests.length, 0);
  });

  test('takes a page that is no answer of a gateway for a refusal', async (t) => {
    const outcome = await answered(t, (response) =>
      response.writeHead(200, { 'content-type': 'text/html' }).end('<p>'),
    );
    assert.ok(outcome.kind === 'refused' && outcome.refusal.message.includes('text/html'));
  });

  test('takes a compressed answer for a refusal that names the compression', async (t) => {
    const outcome = await answered(t, (response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' }).end(gzipSync('{}'));
    });
    assert.ok(outcome.kind === 'refused' && outcome.refusal.message.includes('gzip'));
  });

  for (const status of [502, 504]) {
    test(`does not know the outcome after ${status}`, async (t) => {
      assert.equal((await answered(t, (response) => problem(response, status, 'lost'))).kind, 'unknown');
    });
  }

  test('does not know the outcome when the connection breaks before the answer, and sends nothing twice', async (t) => {
    const stub = await startStub(t, (response) => response.destroy());
    assert.equal((await publishTo(stub.url)).kind, 'unknown');
    assert.equal(stub.requests.length, 1);
  });

  test('does not know the outcome when the answer breaks off', async (t) => {
    const outcome = await answered(t, (response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' });
      response.write('{"channel"', () => response.destroy());
    });
    assert.equal(outcome.kind, 'unknown');
  });

  test('does not know the outcome where what listens speaks no HTTP', async (t) => {
    const url = await startTcp(t, (socket) => socket.end("-ERR wrong number of arguments for 'get' command\r\n"));
    const outcome = await publishTo(url);
    assert.ok(outcome.kind === 'unknown' && outcome.reason.includes('does not speak HTTP'), JSON.stringify(outcome));
  });

  test('does not know the outcome when no answer comes in time', async (t) => {
    const stub = await startStub(t, () => undefined);
    const clock = new FakeClock();
    const outcome = start(stub, clock);
    await stub.request(0);
    clock.advance(5000);
    const { kind, reason } = await outcome.settled;
    assert.deepEqual([kind, reason], ['unknown', 'no answer in 5 s']);
  });

  test('ends when it is interrupted', async (t) => {
    const stub = await startStub(t, () => undefined);
    const outcome = start(stub, systemClock);
    await stub.request(0);
    outcome.stop.abort();
    assert.equal((await outcome.settled).kind, 'unknown');
  });

  test('knows that nothing was published where nobody listens', async (t) => {
    const stub = await startStub(t, () => undefined);
    await stub.stop();
    const outcome = await publishTo(stub.url);
    assert.ok(outcome.kind === 'unreachable' && outcome.reason.startsWith('no gateway listens on 127.0.0.1:'));
  });

  test('knows that nothing was published where there is no socket', async (t) => {
    const outcome = await publishTo(`unix:${join(await scratchFolder(t), 'none.sock')}`);
    assert.ok(outcome.kind === 'unreachable' && outcome.reason.startsWith('no gateway listens on unix:'));
  });
});

async function answered(t: TestContext, answer: StubAnswer): Promise<PublishOutcome> {
  return await publishTo((await startStub(t, answer)).url);
}

function publishTo(url: string, publication = PUBLICATION, token?: string): Promise<PublishOutcome> {
  const options = { timeout: 60_000, clock: systemClock, signal: new AbortController().signal };
  return publish({ address: parseAddress(url), token: () => token }, publication, options);
}

function start(stub: StubGateway, clock: FakeClock | typeof systemClock) {
  const stop = new AbortController();
  const gateway = { address: parseAddress(stub.url), token: () => undefined };
  const settled = publish(gateway, PUBLICATION, { timeout: 5000, clock, signal: stop.signal }).then((outcome) => {
    return { kind: outcome.kind, reason: 'reason' in outcome ? outcome.reason : '' };
  });
  return { stop, settled };
}
