/** Following a channel through everything that a gateway, a proxy or a network can do. */
import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { parseAddress } from '../../src/client/address.ts';
import { type FollowEnd, type FollowItem, type FollowStart, follow } from '../../src/client/follow.ts';
import type { StreamEvent } from '../../src/client/parser.ts';
import { freePort } from '../support/scratch.ts';
import { FakeClock } from './fake-clock.ts';
import { problem, type StubAnswer, type StubGateway, startStub, startTcp, stream } from './stub-gateway.ts';

describe('following', () => {
  test('gives the events of a channel as they come', async (t) => {
    const { following, stub } = await followStub(t, (response) => {
      stream(response, 'data: one\nid: k-1\n\nevent: tick\ndata: two\n');
      response.write('id: k-2\n\n');
    });
    assert.deepEqual(await following.take(2), [
      { type: 'message', data: 'one', lastEventId: 'k-1' },
      { type: 'tick', data: 'two', lastEventId: 'k-2' },
    ]);
    assert.equal(stub.requests[0]?.path, '/events/a%3Ab');
    assert.equal(stub.requests[0]?.headers.accept, 'text/event-stream');
    assert.equal(stub.requests[0]?.headers['last-event-id'], undefined);
  });

  test('asks for several channels on one connection', async (t) => {
    const { stub, following } = await followStub(t, (response) => stream(response), { channels: ['a', 'b&c'] });
    await following.item();
    assert.equal(stub.requests[0]?.path, '/events?channel=a&channel=b%26c');
  });

  test('asks for what to begin with, and for envelopes', async (t) => {
    const paths: readonly (readonly [FollowOptions, string])[] = [
      [{ channels: ['a'], start: { kind: 'last', count: 3 } }, '/events/a?last=3'],
      [{ channels: ['a'], start: { kind: 'since', since: '5m' }, enveloped: true }, '/events/a?since=5m&envelope=1'],
      [
        { channels: ['a', 'b'], start: { kind: 'since', since: 'start' }, enveloped: true },
        '/events?channel=a&channel=b&since=start&envelope=1',
      ],
    ];
    for (const [options, path] of paths) {
      const { stub, following } = await followStub(t, (response) => stream(response), options);
      await following.item();
      assert.equal(stub.requests[0]?.path, path);
    }
  });

  test('resumes after a cut with the id of the last event, and takes nothing of the half one', async (t) => {
    const { following, stub } = await followStub(t, (response, _request, index) => {
      if (index > 0) return stream(response, 'data: three\nid: k-3\n\n');
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('data: one\nid: k-1\n\nid: k-2\ndata: ha', () => response.destroy());
    });
    assert.deepEqual(dataOf(await following.take(2)), ['one', 'three']);
    assert.equal(stub.requests[1]?.headers['last-event-id'], 'k-1');
  });

  test('starts from the id that it was given, in its UTF-8 bytes', async (t) => {
    const { stub, following } = await followStub(t, (response) => stream(response), { lastEventId: '…1' });
    await following.item();
    assert.equal(Buffer.from(String(stub.requests[0]?.headers['last-event-id']), 'latin1').toString(), '…1');
  });

  test('keeps two events that carry the same id', async (t) => {
    const { following } = await followStub(t, (response) => stream(response, 'id: 1\ndata: a\n\nid: 1\ndata: b\n\n'));
    assert.deepEqual(dataOf(await following.take(2)), ['a', 'b']);
  });

  test('misses and repeats nothing over 100 restarts of the gateway', async (t) => {
    const port = await freePort();
    const answer: StubAnswer = (response, { headers }) => {
      const next = Number(headers['last-event-id'] ?? 0) + 1;
      stream(response, `retry: 10\nid: ${next}\ndata: ${next}\n\n`);
    };
    let stub = await startStub(t, answer, { port });
    const following = followUrl(t, stub.url);
    const seen: string[] = [];
    for (let index = 0; index < 100; index += 1) {
      seen.push(...dataOf(await following.take(1)));
      await stub.stop();
      stub = await startStub(t, answer, { port });
    }
    assert.deepEqual(
      seen,
      Array.from({ length: 100 }, (_, index) => String(index + 1)),
    );
  });

  test('waits at least as long as the gateway asked for, and longer at each failure', async (t) => {
    const { following } = await followStub(t, (response, _request, index) => {
      if (index === 0) response.writeHead(200, { 'content-type': 'text/event-stream' }).end('retry: 5000\n\n');
      else response.writeHead(503).end();
    });
    const waits: number[] = [];
    while (waits.length < 8) {
      const item = await following.item();
      if (item.kind === 'cut') waits.push(item.ms);
    }
    assert.ok(
      waits.every((ms) => ms >= 5000 && ms <= 30_000),
      waits.join(' '),
    );
    assert.ok((waits.at(-1) ?? 0) > 14_000, waits.join(' '));
  });

  test('waits as long as Retry-After says', async (t) => {
    const { following } = await followStub(t, (response) => response.writeHead(429, { 'retry-after': '20' }).end());
    const item = await following.item();
    assert.ok(item.kind === 'cut' && item.ms >= 20_000, JSON.stringify(item));
  });

  test('ends with 204 and with gateway.end', async (t) => {
    const gone = await followStub(t, (response) => response.writeHead(204).end());
    assert.deepEqual(await gone.following.end(), { kind: 'ended' });
    const ending = await followStub(t, (response) => stream(response, 'event: gateway.end\ndata: {}\nid: k-1\n\n'));
    assert.deepEqual(await ending.following.end(), { kind: 'ended' });
  });

  test('goes on after the end of one of several channels', async (t) => {
    const { following } = await followStub(
      t,
      (response, _request, index) => {
        if (index > 0) response.writeHead(204).end();
        else
          stream(
            response,
            'event: gateway.end\ndata: {"channel":"a"}\nid: 1\n\ndata: b\n\nevent: gateway.end\ndata: {}\n\n',
          );
        response.end();
      },
      { channels: ['a', 'b'] },
    );
    assert.deepEqual(dataOf(await following.take(3)), ['{"channel":"a"}', 'b', '{}']);
    assert.deepEqual(await following.end(), { kind: 'ended' });
  });

  test('asks at once whether all channels have ended, but not again and again', async (t) => {
    const end = 'event: gateway.end\ndata: {"channel":"a"}\n\n';
    const { following, stub } = await followStub(
      t,
      (response) => {
        stream(response, end);
        response.end();
      },
      { channels: ['a', 'b'] },
      'manual',
    );
    const kinds: string[] = [];
    while (kinds.at(-1) !== 'cut') kinds.push((await following.item()).kind);
    assert.deepEqual(kinds, ['connected', 'events', 'connected', 'events', 'cut']);
    assert.equal(stub.requests.length, 2);
  });

  for (const status of [400, 401, 403, 404, 406, 421]) {
    test(`ends with ${status} and the words of the gateway`, async (t) => {
      const { following, stub } = await followStub(t, (response) => problem(response, status, 'because of that'));
      const end = await following.end();
      assert.ok(
        end.kind === 'refused' && end.refusal.status === status && end.refusal.message.includes('because of that'),
      );
      assert.equal(stub.requests.length, 1);
    });
  }

  test('follows no redirect, least of all with a credential', async (t) => {
    const other = await startStub(t, (response) => stream(response, 'data: x\n\n'));
    const { following } = await followStub(t, (response) => response.writeHead(302, { location: other.url }).end());
    const end = await following.end();
    assert.ok(end.kind === 'refused' && end.refusal.message.includes(other.url));
    assert.equal(other.requests.length, 0);
  });

  test('takes HTML, and an answer of no type, for no stream', async (t) => {
    const page = await followStub(t, (response) => {
      response.writeHead(200, { 'content-type': 'text/html' }).end('data: <p>\n\n');
    });
    const end = await page.following.end();
    assert.ok(end.kind === 'refused' && end.refusal.message.includes('text/html'));
    const untyped = await followStub(t, (response) => response.writeHead(200).end('data: x\n\n'));
    assert.equal((await untyped.following.end()).kind, 'refused');
  });

  test('takes any case and any parameter of the right type', async (t) => {
    const { following } = await followStub(t, (response) => {
      response.writeHead(200, { 'content-type': 'Text/Event-Stream;charset=windows-1252' });
      response.write('data: ü\n\n');
    });
    assert.deepEqual(dataOf(await following.take(1)), ['ü']);
  });

  test('refuses a compressed stream and names the compression', async (t) => {
    const { following } = await followStub(t, (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream', 'content-encoding': 'gzip' });
      response.end(gzipSync('data: x\n\n'));
    });
    const end = await following.end();
    assert.ok(end.kind === 'refused' && end.refusal.message.includes('gzip'));
  });

  test('gives a gateway that never answers 10 s', async (t) => {
    const { following, stub, clock } = await followStub(t, () => undefined);
    const end = following.end();
    await stub.request(0);
    clock.advance(10_000);
    assert.deepEqual(await end, { kind: 'unreachable', reason: 'no answer in 10 s' });
  });

  test('gives up a stream that says nothing, and resumes', async (t) => {
    const { following, stub, clock } = await followStub(t, (response) => stream(response, 'id: k-1\ndata: x\n\n'));
    await following.take(1);
    const cut = following.item();
    await following.asked();
    clock.advance(45_000);
    assert.equal((await cut).kind, 'cut');
    await following.take(1);
    assert.equal(stub.requests[1]?.headers['last-event-id'], 'k-1');
  });

  test('ends where nobody listens at the start, and waits where nobody listens any more', async (t) => {
    const { following, stub } = await followStub(t, (response) => stream(response, 'data: x\n\n'));
    await following.take(1);
    await stub.stop();
    for (let index = 0; index < 3; index += 1) {
      const item = await following.item();
      assert.equal(item.kind, 'cut');
    }
    const end = await followUrl(t, stub.url).end();
    assert.ok(end.kind === 'unreachable' && end.reason.startsWith('no gateway listens on'));
  });

  test('ends where what listens speaks no HTTP', async (t) => {
    const end = await followUrl(t, await startTcp(t, (socket) => socket.end('+PONG\r\n'))).end();
    assert.ok(end.kind === 'unreachable' && end.reason.includes('does not speak HTTP'), JSON.stringify(end));
  });

  test('stops when it is told to: before the answer, in the stream and in a wait', async (t) => {
    const silent = await followStub(t, () => undefined);
    const inStream = await followStub(t, (response) => stream(response, 'data: x\n\n'));
    await inStream.following.take(1);
    const waiting = await followStub(t, (response) => response.writeHead(500).end(), {}, 'manual');
    assert.equal((await waiting.following.item()).kind, 'cut');
    for (const { following } of [silent, inStream, waiting]) {
      const end = following.end();
      following.stop();
      assert.deepEqual(await end, { kind: 'stopped' });
    }
  });
});

/** One run of `follow` whose waits between connections pass at once, unless they are left to the test. */
class Run {
  readonly #items: AsyncGenerator<FollowItem, FollowEnd, void>;
  readonly #clock: FakeClock;
  readonly #stop = new AbortController();
  readonly #waits: 'pass' | 'manual';
  readonly #events: StreamEvent[] = [];
  #waiting: number | undefined;

  constructor(url: string, options: FollowOptions, clock: FakeClock, waits: 'pass' | 'manual') {
    this.#clock = clock;
    this.#waits = waits;
    this.#items = follow(
      { address: parseAddress(url), token: () => 'secret' },
      { channels: ['a:b'], lastEventId: '', ...options, clock, random: () => 0.5, signal: this.#stop.signal },
    );
  }

  stop(): void {
    this.#stop.abort();
  }

  /** The next item; the one after a cut comes when its wait is over. */
  async item(): Promise<FollowItem> {
    const { done, value } = await this.#next();
    assert.ok(done !== true, `it ended: ${JSON.stringify(value)}`);
    return value;
  }

  /** The next `count` events. */
  async take(count: number): Promise<StreamEvent[]> {
    while (this.#events.length < count) {
      const item = await this.item();
      if (item.kind === 'events') this.#events.push(...item.events);
    }
    return this.#events.splice(0, count);
  }

  /** How it ends, whatever comes before. */
  async end(): Promise<FollowEnd> {
    for (;;) {
      const { done, value } = await this.#next();
      if (done === true) return value;
    }
  }

  /** Lets everything run that is ready to: the generator then waits for bytes. */
  async asked(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
  }

  async #next(): Promise<IteratorResult<FollowItem, FollowEnd>> {
    const next = this.#items.next();
    if (this.#waiting !== undefined && this.#waits === 'pass') {
      await this.asked();
      this.#clock.advance(this.#waiting);
    }
    const result = await next;
    this.#waiting = result.done !== true && result.value.kind === 'cut' ? result.value.ms : undefined;
    return result;
  }
}

interface FollowOptions {
  readonly channels?: readonly string[];
  readonly lastEventId?: string;
  readonly start?: FollowStart;
  readonly enveloped?: boolean;
}

function followUrl(t: TestContext, url: string): Run {
  const run = new Run(url, {}, new FakeClock(), 'pass');
  t.after(() => run.stop());
  return run;
}

async function followStub(
  t: TestContext,
  answer: StubAnswer,
  options: FollowOptions = {},
  waits: 'pass' | 'manual' = 'pass',
): Promise<{ following: Run; stub: StubGateway; clock: FakeClock }> {
  const stub = await startStub(t, answer);
  const clock = new FakeClock();
  const following = new Run(stub.url, options, clock, waits);
  t.after(() => following.stop());
  return { following, stub, clock };
}

function dataOf(events: readonly StreamEvent[]): string[] {
  return events.map(({ data }) => data);
}
