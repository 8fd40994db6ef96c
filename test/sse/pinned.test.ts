/** What slow clients keep in memory together. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Holder, Pinned } from '../../src/sse/pinned.ts';

class Client implements Holder {
  readonly pending: number;
  readonly endings: string[] = [];

  constructor(pending: number) {
    this.pending = pending;
  }

  destroy(ending: string): void {
    this.endings.push(ending);
  }
}

describe('memory that is pinned by slow clients', () => {
  test('is counted once however many hold it, and not any more when the last lets go', () => {
    const pinned = new Pinned(1000);
    const slab = Buffer.allocUnsafeSlow(800);
    const clients = [1, 2, 3].map((pending) => new Client(pending));
    for (const client of clients) pinned.hold(client, slab.subarray(0, 10));
    assert.equal(pinned.bytes, 800);
    for (const client of clients) pinned.release(client);
    for (const client of clients) pinned.release(client);
    assert.equal(pinned.bytes, 0);
    assert.deepEqual(
      clients.flatMap(({ endings }) => endings),
      [],
    );
  });

  test('is what a client waits for last', () => {
    const pinned = new Pinned(1000);
    const client = new Client(1);
    pinned.hold(client, Buffer.allocUnsafeSlow(700));
    pinned.hold(client, Buffer.allocUnsafeSlow(600));
    assert.equal(pinned.bytes, 600);
  });

  test('costs those their connection who have most pending, once it is too much', () => {
    const pinned = new Pinned(1000);
    const [small, large, middle] = [new Client(10), new Client(30), new Client(20)];
    pinned.hold(small, Buffer.allocUnsafeSlow(400));
    pinned.hold(large, Buffer.allocUnsafeSlow(400));
    pinned.hold(middle, Buffer.allocUnsafeSlow(400));
    assert.deepEqual([small.endings, large.endings, middle.endings], [[], ['crowded'], []]);
    assert.equal(pinned.bytes, 800);
  });
});
