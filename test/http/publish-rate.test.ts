/** How fast one client may publish: what passes at once, what is waited for, and what is remembered. */
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import type { Credential } from '../../src/auth/policy.ts';
import { ClientAddresses } from '../../src/http/client-address.ts';
import { RequestRefused } from '../../src/http/problem.ts';
import { PublishRate } from '../../src/http/publish-rate.ts';
import { FakeClock } from '../client/fake-clock.ts';
import { fakeRequest } from '../support/fake-request.ts';

let clock: FakeClock;
let rate: PublishRate;
beforeEach(() => {
  clock = new FakeClock();
  rate = new PublishRate(clock);
  rate.limit(10, new ClientAddresses([]));
});

/** Publishes: undefined where it passed, else after how many seconds it is worth trying again. */
function refusedFor(peer: string, events = 1, credential: Credential = 'nobody'): number | undefined {
  const request = fakeRequest();
  Object.defineProperty(request.socket, 'remoteAddress', { value: peer });
  try {
    rate.spend(request, credential, events);
    return undefined;
  } catch (error) {
    assert.ok(error instanceof RequestRefused && error.status === 429);
    return Number(error.headers['Retry-After']);
  }
}

test("a second's worth passes at once, then one after the other at the rate", () => {
  for (let i = 0; i < 10; i += 1) assert.equal(refusedFor('192.0.2.1'), undefined);
  assert.equal(refusedFor('192.0.2.1'), 1);
  clock.advance(99);
  assert.equal(refusedFor('192.0.2.1'), 1);
  clock.advance(1);
  assert.equal(refusedFor('192.0.2.1'), undefined);
  assert.equal(refusedFor('192.0.2.1'), 1);
});

test("over a long time no more passes than the rate and one second's worth", () => {
  let passed = 0;
  for (let ms = 0; ms < 60_000; ms += 7) {
    clock.advance(7);
    if (refusedFor('192.0.2.1') === undefined) passed += 1;
  }
  assert.ok(passed >= 600 && passed <= 611, `${passed}`);
});

test("a batch that is larger than a second's worth passes after a rest, and is waited for afterwards", () => {
  assert.equal(refusedFor('192.0.2.1', 45), undefined);
  assert.equal(refusedFor('192.0.2.1'), 4);
  assert.equal(refusedFor('192.0.2.1', 45), 5);
  clock.advance(3600);
  assert.equal(refusedFor('192.0.2.1'), undefined);
  assert.equal(refusedFor('192.0.2.1', 2), 1);
});

test('each address has its own, an IPv6 client one for its /64, and the command line of this user has no limit', () => {
  assert.equal(refusedFor('192.0.2.1', 10), undefined);
  assert.deepEqual([refusedFor('192.0.2.1'), refusedFor('192.0.2.2')], [1, undefined]);
  assert.equal(refusedFor('2001:db8::1', 10), undefined);
  assert.deepEqual([refusedFor('2001:db8::2'), refusedFor('2001:db8:0:1::1')], [1, undefined]);
  assert.equal(refusedFor('192.0.2.1', 1000, 'local-key'), undefined);
});

test('what has rested is forgotten, however many there were', () => {
  for (let i = 0; i < 1000; i += 1) assert.equal(refusedFor(`192.0.${i >> 8}.${i & 255}`), undefined);
  assert.equal(rate.size, 1000);
  clock.advance(1000);
  assert.equal(refusedFor('192.0.2.1'), undefined);
  assert.equal(rate.size, 1);
});

test('0 is no limit', () => {
  rate.limit(0, new ClientAddresses([]));
  assert.equal(refusedFor('192.0.2.1', 1_000_000), undefined);
  assert.equal(rate.size, 0);
});
