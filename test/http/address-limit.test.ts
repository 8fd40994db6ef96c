/** The streams of one address: counted while their sockets live, however those end, and forgotten after. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { AddressLimit } from '../../src/http/address-limit.ts';
import { ClientAddresses } from '../../src/http/client-address.ts';
import { fakeRequest } from '../support/fake-request.ts';
import { FakeSocket } from '../support/fake-socket.ts';

/** A stream from `peer` that asks to be let in. */
function arrive(limit: AddressLimit, peer: string): { admitted: boolean; socket: FakeSocket } {
  const request = fakeRequest();
  Object.defineProperty(request.socket, 'remoteAddress', { value: peer });
  const socket = new FakeSocket(() => undefined);
  socket.on('error', () => undefined);
  return { admitted: limit.admits(request, socket), socket };
}

test('an address has as many streams as it may, and others have theirs', () => {
  const limit = new AddressLimit(2, new ClientAddresses([]));
  const admitted = [
    '192.0.2.1',
    '192.0.2.1',
    '192.0.2.1',
    '192.0.2.2',
    '2001:db8::1',
    '2001:db8::2',
    '2001:db8::3',
  ].map((peer) => arrive(limit, peer).admitted);
  assert.deepEqual(admitted, [true, true, false, true, true, true, false]);
  assert.equal(limit.size, 3);
});

test('a stream that ends in any way makes room, and nothing is kept of an address without streams', async () => {
  const limit = new AddressLimit(1, new ClientAddresses([]));
  const ways: readonly ((socket: FakeSocket) => void)[] = [
    (socket) => socket.destroy(),
    (socket) => socket.hangUp(),
    (socket) => socket.destroySoon(),
  ];
  for (const end of ways) {
    const { admitted, socket } = arrive(limit, '192.0.2.1');
    assert.ok(admitted);
    assert.equal(arrive(limit, '192.0.2.1').admitted, false);
    const closed = new Promise((resolve) => socket.once('close', resolve));
    end(socket);
    await closed;
    assert.equal(limit.size, 0);
  }
});

test('a socket that is gone already is not counted', async () => {
  const limit = new AddressLimit(1, new ClientAddresses([]));
  const request = fakeRequest();
  Object.defineProperty(request.socket, 'remoteAddress', { value: '192.0.2.1' });
  const socket = new FakeSocket(() => undefined);
  socket.destroy();
  await once(socket, 'close');
  limit.admits(request, socket);
  assert.equal(limit.size, 0);
});

test('no limit looks at nothing', () => {
  const limit = new AddressLimit(0, new ClientAddresses([]));
  for (let index = 0; index < 5; index += 1) assert.ok(arrive(limit, '192.0.2.1').admitted);
  assert.equal(limit.size, 0);
});
