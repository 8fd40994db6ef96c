/** The way out to a client: nothing but whole frames reaches the wire, and its owner is told once what became of it. */
import assert from 'node:assert/strict';
import { connect, createServer, type Socket } from 'node:net';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { encodeEvent, encodeRetry, HEARTBEAT } from '../../src/sse/encode.ts';
import { type Form, unframe } from '../../src/sse/framing.ts';
import { Outlet } from '../../src/sse/outlet.ts';
import { Pinned } from '../../src/sse/pinned.ts';
import { FakeSocket } from '../support/fake-socket.ts';
import { ResponseBody } from '../support/response-body.ts';
import { turn } from '../support/turns.ts';

const STALL_MS = 10_000;

/** An outlet on a fake socket with all that its client and its owner see. */
class Station {
  readonly body = new ResponseBody();
  readonly socket: FakeSocket;
  readonly outlet: Outlet;
  readonly told: string[] = [];

  constructor(form: Form = 'chunked', room = Number.POSITIVE_INFINITY) {
    this.socket = new FakeSocket((bytes) => this.body.push(bytes), room);
    this.outlet = new Outlet(this.socket, form, STALL_MS, new Pinned(Number.POSITIVE_INFINITY));
    this.outlet.own({
      drained: () => void this.told.push('drained'),
      closed: (ending) => void this.told.push(ending),
    });
    this.outlet.writeHead(`HTTP/1.1 200 OK\r\n${form === 'chunked' ? 'Transfer-Encoding: chunked\r\n' : ''}\r\n`);
  }
}

const event = (size: number): Buffer => encodeEvent({ data: Buffer.alloc(size, 'x'), id: 'k3-1' });

/** What may be done with an outlet, each as often and in whatever order. */
const act = fc.oneof(
  fc.record({ kind: fc.constant('write' as const), sizes: fc.array(fc.nat(300), { minLength: 1, maxLength: 4 }) }),
  fc.record({ kind: fc.constant('shared' as const), sizes: fc.array(fc.nat(300), { minLength: 1, maxLength: 4 }) }),
  fc.constantFrom({ kind: 'heartbeat' as const }, { kind: 'retry' as const }, { kind: 'whenDrained' as const }),
  fc.constantFrom({ kind: 'turn' as const }, { kind: 'turn' as const }),
  fc.record({ kind: fc.constant('give' as const), bytes: fc.nat(500) }),
);
type Act = typeof act extends fc.Arbitrary<infer T> ? T : never;

describe('what is written', () => {
  test('is a response of whole frames whatever is mixed, and all of it after a proper end', async () => {
    const acts = fc.array(act, { maxLength: 30 });
    const form = fc.constantFrom<Form>('chunked', 'plain');
    await fc.assert(
      fc.asyncProperty(form, fc.nat(2000), acts, acts, async (inForm, room, before, after) => {
        const station = new Station(inForm, room);
        const written: Buffer[] = [];
        for (const each of before) await perform(station, each, (frames) => written.push(frames));
        station.outlet.end('max-age');
        for (const each of after) if (each.kind !== 'whenDrained') await perform(station, each, () => undefined);
        station.socket.give(Number.POSITIVE_INFINITY);
        while (!station.socket.closed) await turn();
        station.body.close();
        assert.ok(station.body.complete);
        assert.deepEqual(station.body.payload, unframe(Buffer.concat(written)));
        assert.deepEqual(
          station.told.filter((each) => each !== 'drained'),
          ['max-age'],
        );
      }),
    );
  });

  test('stays a response that can be read up to where the socket is destroyed', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(2000), fc.array(act, { maxLength: 30 }), async (room, acts) => {
        const station = new Station('chunked', room);
        for (const each of acts) await perform(station, each, () => undefined);
        station.outlet.destroy('stalled');
        while (!station.socket.closed) await turn();
        await turn();
        assert.equal(station.body.complete, false);
        assert.deepEqual(
          station.told.filter((each) => each !== 'drained'),
          ['stalled'],
        );
      }),
    );
  });

  test('has no framing for HTTP/1.0', () => {
    const { outlet, body } = new Station('plain');
    outlet.write(Buffer.concat([encodeRetry(2000), event(1)]));
    outlet.write(HEARTBEAT);
    assert.equal(body.payload.toString(), 'retry: 2000\n:\ndata: x\nid: k3-1\n\n:\n');
  });

  test('goes nowhere once the end has begun', () => {
    const { outlet, body } = new Station();
    outlet.end('drain');
    assert.equal(outlet.open, false);
    outlet.write(event(1));
    outlet.end('overload');
    assert.deepEqual(body.events, []);
  });
});

describe('what is pending', () => {
  test('is what the socket has not taken', async () => {
    const { outlet, socket } = new Station('chunked', 200);
    outlet.write(event(50));
    assert.equal(outlet.pending, 0);
    outlet.write(event(500));
    assert.ok(outlet.pending > 500);
    socket.give(1000);
    await turn();
    assert.equal(outlet.pending, 0);
  });

  test('is told to be gone once for each time that was asked, on a turn of its own', async () => {
    const { outlet, socket, told } = new Station('chunked', 100);
    outlet.write(event(500));
    outlet.whenDrained();
    await turn();
    assert.deepEqual(told, []);
    socket.give(1000);
    assert.deepEqual(told, []);
    await turn();
    assert.deepEqual(told, ['drained']);
    outlet.whenDrained();
    assert.deepEqual(told, ['drained']);
    await turn();
    assert.deepEqual(told, ['drained', 'drained']);
  });

  test('is watched by a timer of the socket, and nothing else is', async () => {
    const { outlet, socket } = new Station('chunked', 100);
    assert.equal(socket.timeoutMs, 0);
    outlet.write(event(500));
    assert.equal(socket.timeoutMs, STALL_MS);
    socket.give(1000);
    await turn();
    assert.equal(socket.timeoutMs, 0);
    outlet.write(event(5000));
    assert.equal(socket.timeoutMs, STALL_MS);
  });

  test('is still sent after the end, whoever waited for it to be gone', async () => {
    const { outlet, socket, body, told } = new Station('chunked', 200);
    outlet.write(event(500));
    outlet.end('drain');
    // The fan-out may have been about to ask when the end came.
    outlet.whenDrained();
    socket.give(Number.POSITIVE_INFINITY);
    while (!socket.closed) await turn();
    assert.deepEqual([body.events.length, body.complete], [1, true]);
    assert.deepEqual(told, ['drain']);
  });
});

describe('the owner', () => {
  const ends: readonly (readonly [ending: string, how: (station: Station) => void])[] = [
    ['client-left', ({ socket }) => socket.halfClose()],
    ['client-error', ({ socket }) => socket.hangUp()],
    ['second-request', ({ socket }) => socket.say('GET /events/b HTTP/1.1\r\n\r\n')],
    ['stalled', ({ socket }) => void socket.emit('timeout')],
    ['max-age', ({ outlet }) => outlet.end('max-age')],
    ['drain', ({ outlet }) => outlet.destroy('drain')],
  ];

  test('is told once why it ended, on a turn of its own', async () => {
    for (const [ending, how] of ends) {
      const station = new Station();
      how(station);
      assert.deepEqual(station.told, [], ending);
      await turn();
      await turn();
      assert.deepEqual(station.told, [ending]);
      assert.equal(station.outlet.open, false);
    }
  });

  test('is told once why it ended where bytes were pending and somebody waited for them', async () => {
    for (const [ending, how] of ends.filter(([name]) => name !== 'max-age')) {
      const station = new Station('chunked', 100);
      station.outlet.write(event(500));
      station.outlet.whenDrained();
      how(station);
      await turn();
      await turn();
      assert.deepEqual(station.told, [ending]);
    }
  });

  test('is told the first reason, whatever comes after it', async () => {
    const { outlet, socket, told } = new Station('chunked', 100);
    outlet.write(event(500));
    outlet.end('max-age');
    outlet.destroy('drain');
    socket.emit('timeout');
    await turn();
    await turn();
    assert.deepEqual(told, ['max-age']);
  });

  test('is told where the socket was gone before there was an owner', async () => {
    const socket = new FakeSocket(() => undefined);
    const outlet = new Outlet(socket, 'chunked', STALL_MS, new Pinned(Number.POSITIVE_INFINITY));
    socket.hangUp();
    await turn();
    const told: string[] = [];
    outlet.own({ drained: () => assert.fail('drained'), closed: (ending) => void told.push(ending) });
    assert.deepEqual(told, []);
    await turn();
    assert.deepEqual(told, ['client-error']);
  });

  test('is told where somebody else destroys the socket, and no more is written to it', async () => {
    const { outlet, socket, told } = new Station('chunked', 100);
    outlet.write(event(500));
    socket.give(600);
    outlet.write(event(5000));
    socket.destroy();
    await turn();
    await turn();
    assert.deepEqual(told, ['client-left']);
  });
});

describe('a client that takes nothing', () => {
  test('is let go after the stall time, and not before it has anything pending', async (t) => {
    const server = createServer();
    const accepted = new Promise<Socket>((resolve) => void server.once('connection', resolve));
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    assert.ok(typeof address === 'object' && address !== null);
    const client = connect(address.port, '127.0.0.1').pause();
    t.after(() => void client.destroy());
    t.after(() => void server.close());
    const outlet = new Outlet(await accepted, 'chunked', 50, new Pinned(Number.POSITIVE_INFINITY));
    const ended = new Promise<string>((resolve) => outlet.own({ drained: () => undefined, closed: resolve }));
    outlet.write(event(10));
    while (outlet.pending === 0) outlet.write(event(2 ** 20));
    assert.equal(await ended, 'stalled');
  });
});

async function perform({ outlet, socket }: Station, each: Act, wrote: (frames: Buffer) => void): Promise<void> {
  const write = (frames: Buffer, formed: boolean): void => {
    if (formed) outlet.writeFormed(outlet.form === 'plain' ? unframe(frames) : frames);
    else outlet.write(frames);
    wrote(frames);
  };
  switch (each.kind) {
    case 'write':
    case 'shared':
      return write(Buffer.concat(each.sizes.map(event)), each.kind === 'shared');
    case 'heartbeat':
      return write(HEARTBEAT, false);
    case 'retry':
      return write(encodeRetry(2000), false);
    case 'whenDrained':
      return outlet.whenDrained();
    case 'turn':
      return await turn();
    case 'give':
      return socket.give(each.bytes);
    default:
      return each satisfies never;
  }
}
