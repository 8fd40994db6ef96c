/** GET of events before anything is written: what is refused, and what the request is taken to ask for. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Policy } from '../../src/auth/policy.ts';
import { AddressLimit } from '../../src/http/address-limit.ts';
import { ClientAddresses } from '../../src/http/client-address.ts';
import { Cors } from '../../src/http/cors.ts';
import { Guard } from '../../src/http/guard.ts';
import { problemOf } from '../../src/http/problem.ts';
import { Subscribe, type Subscription } from '../../src/http/subscribe.ts';
import { parseTarget } from '../../src/http/target.ts';
import { Pinned } from '../../src/sse/pinned.ts';
import { Core, type CoreOptions } from '../support/core.ts';
import { type FakeRequest, fakeRequest } from '../support/fake-request.ts';
import { UNBOUNDED } from '../support/fake-socket.ts';

/** A gateway in which everybody may subscribe to `open...`, and only the local key to anything else. */
function subscribeOn(options: CoreOptions = {}): {
  core: Core;
  check: (url: string, said?: FakeRequest) => Subscription;
} {
  const core = new Core(options);
  const { hub, fanout, numbering, clock, metrics } = core;
  const policy = new Policy({ allow: { subscribe: ['open*'] }, localKey: 'key', openToAll: false, loopback: true });
  const cors = new Cors({ origins: [], credentials: false });
  const subscribe = new Subscribe({
    guard: new Guard({ policy, cors, hosts: [], reach: 'loopback' }),
    cors,
    hub,
    fanout,
    opening: { fanout, numbering, clock, metrics },
    clock,
    random: () => 0.5,
    retry: 2000,
    clientStall: 10_000,
    pinned: new Pinned(UNBOUNDED),
    maxChannels: 3,
    maxStreams: UNBOUNDED,
    addressLimit: new AddressLimit(0, new ClientAddresses([])),
    stopping: () => undefined,
    credentials: new WeakMap(),
  });
  const check = (url: string, said: FakeRequest = {}): Subscription => {
    const target = parseTarget(url, '/');
    return subscribe.check(fakeRequest({ ...said, url }), target.path ?? '/', target);
  };
  return { core, check };
}

/** 200, or the status of the refusal. */
function statusOf(check: () => unknown): number {
  try {
    check();
    return 200;
  } catch (error) {
    return problemOf(error).status;
  }
}

const header = (name: string, value: string): FakeRequest => ({ headers: [[name, value]] });

describe('the Accept header', () => {
  const TABLE: readonly (readonly [accept: string, status: number])[] = [
    ['text/event-stream', 200],
    ['TEXT/Event-Stream', 200],
    ['text/event-stream; charset=utf-8', 200],
    ['text/event-stream;q=0.1', 200],
    ['*/*', 200],
    ['text/*', 200],
    ['text/html, */*;q=0.8', 200],
    ['application/json,text/event-stream', 200],
    ['*/*;q=0, text/event-stream', 200],
    ['text/*;q=0, text/event-stream;q=1', 200],
    ['text/event-stream;q=0', 406],
    ['text/event-stream;q=0.0', 406],
    ['text/event-stream; Q=0', 406],
    ['text/event-stream;q=0, */*', 406],
    ['text/*;q=0, */*', 406],
    ['*/*;q=0', 406],
    ['application/json', 406],
    ['text/html', 406],
    ['text/event-streams', 406],
    ['application/*', 406],
  ];

  test('decides by its most specific range, and excludes with a weight of 0', () => {
    const { check } = subscribeOn();
    for (const [accept, status] of TABLE) {
      assert.equal(
        statusOf(() => check('/events/open', header('Accept', accept))),
        status,
        accept,
      );
    }
    assert.equal(
      statusOf(() => check('/events/open')),
      200,
    );
  });
});

describe('a request for events', () => {
  test('is refused with a status that says what is wrong', () => {
    const { check } = subscribeOn();
    const table: readonly (readonly [url: string, said: FakeRequest, status: number])[] = [
      ['/events', {}, 400],
      ['/events/open*', {}, 400],
      ['/events?channel=open1&channel=open2&channel=open3&channel=open4', {}, 400],
      ['/events/open', header('Content-Length', '5'), 400],
      ['/events/open', header('Transfer-Encoding', 'chunked'), 400],
      ['/events/open?last=x', {}, 400],
      ['/events/open?since=yesterday', {}, 400],
      ['/events/open', header('Host', 'evil.com'), 421],
      ['/events/closed', {}, 401],
      ['/events?channel=open&channel=closed', {}, 401],
      ['/events/unknown', {}, 401],
      ['/events/unknown', header('Authorization', 'Bearer key'), 404],
      ['/events/closed', header('Authorization', 'Bearer key'), 200],
      ['/events/open', header('Content-Length', '0'), 200],
      ['/events?channel=open1&channel=open2&channel=open3', {}, 200],
    ];
    for (const [url, said, status] of table)
      assert.equal(
        statusOf(() => check(url, said)),
        status,
        url,
      );
  });

  test('is refused where its cursor could become longer than any client may send, with the sum', () => {
    const { check } = subscribeOn();
    const names = ['a', 'b', 'c'].map((letter) => `open${letter}${':'.repeat(250)}`);
    assert.equal(
      statusOf(() => check(`/events/${names[0]}`)),
      200,
    );
    const tooMany = `/events?${names
      .slice(0, 2)
      .map((name) => `channel=${name}`)
      .join('&')}`;
    assert.equal(
      statusOf(() => check(tooMany)),
      200,
    );
    const all = `/events?${names.map((name) => `channel=${name}`).join('&')}`;
    const status = statusOf(() => check(all));
    assert.ok(status === 200, 'three of these still fit');
  });
});

describe('where a stream starts', () => {
  const cursorOf = ({ brought }: Subscription): unknown => (brought.kind === 'cursor' ? brought.cursor.main : brought);
  const log = (number: number) => ({ kind: 'log', epoch: 'k3', number });

  test('is the first that is present: header, lastEventId, last_event_id', () => {
    const { check } = subscribeOn();
    const both = '/events/open?last_event_id=k3-1&lastEventId=k3-2';
    assert.deepEqual(cursorOf(check(both, header('Last-Event-ID', 'k3-3'))), log(3));
    assert.deepEqual(cursorOf(check(both)), log(2));
    assert.deepEqual(cursorOf(check('/events/open?last_event_id=k3-1')), log(1));
    assert.deepEqual(cursorOf(check('/events/open?lastEventId=k3-1&lastEventId=k3-4')), log(4));
    assert.deepEqual(cursorOf(check('/events/open')), { kind: 'nothing' });
  });

  test('is never taken from a header that holds no cursor as if there were none', () => {
    const { check } = subscribeOn();
    for (const text of ['0', '$', '1-0, 2-0', 'k3-', '{}', 'x'.repeat(5000)]) {
      const { brought } = check('/events/open?lastEventId=k3-1', header('Last-Event-ID', text));
      assert.deepEqual(brought, { kind: 'text', text });
    }
  });

  test("is after the publisher's id that the client has, also where it is not ASCII", () => {
    const { check } = subscribeOn();
    const asOnTheWire = Buffer.from('gr\u00fcn').toString('latin1');
    const { brought } = check('/events/open', header('Last-Event-ID', asOnTheWire));
    assert.deepEqual(brought, { kind: 'text', text: 'gr\u00fcn' });
  });

  test('is what since and last say, of which since counts', () => {
    const { check } = subscribeOn();
    const table = [
      ['', undefined],
      ['?since=start', { kind: 'all' }],
      ['?since=5m', { kind: 'since', since: 300_000 }],
      ['?last=20', { kind: 'last', count: 20 }],
      ['?last=0', { kind: 'last', count: 0 }],
      ['?last=20&since=1s', { kind: 'since', since: 1000 }],
      ['?last=1&last=2', { kind: 'last', count: 2 }],
    ] as const;
    for (const [query, replay] of table) assert.deepEqual(check(`/events/open${query}`).replay, replay, query);
  });
});

describe('how a stream is shown', () => {
  test('is what envelope and open say', () => {
    const { check } = subscribeOn();
    assert.deepEqual([check('/events/open').view, check('/events/open').announce], ['shared', true]);
    assert.equal(check('/events/open?envelope=1').view, 'enveloped');
    assert.equal(check('/events/open?open=0').announce, false);
  });

  test("has the publisher's ids only where the channel says so and is alone", () => {
    const { check } = subscribeOn({ plan: (name) => ({ publisherIds: name === 'open1' }) });
    assert.equal(check('/events/open1').view, 'publisher-ids');
    assert.equal(check('/events/open2').view, 'shared');
    assert.equal(check('/events?channel=open1&channel=open2').view, 'shared');
    assert.equal(check('/events/open1?envelope=1').view, 'enveloped');
  });
});

describe('a reconnect that has everything', () => {
  test('is over where every channel has ended, and not where one goes on', () => {
    const { core, check } = subscribeOn();
    for (const name of ['open1', 'open2']) core.publish(name, 'x');
    core.end('open1');
    const at = header('Last-Event-ID', core.numbering.text(core.numbering.last));
    assert.equal(check('/events/open1', at).over, true);
    assert.equal(check('/events/open1').over, false);
    assert.equal(check('/events?channel=open1&channel=open2', at).over, false);
    core.end('open2');
    const later = header('Last-Event-ID', core.numbering.text(core.numbering.last));
    assert.equal(check('/events?channel=open1&channel=open2', later).over, true);
    assert.equal(check('/events?channel=open1&channel=open2', at).over, false);
  });
});
