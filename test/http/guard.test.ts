/** The guard: which hosts are served, which origins may write, who is known, and how a missing right is told. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Policy, type PolicyOptions } from '../../src/auth/policy.ts';
import { ForbiddenError, UnauthenticatedError } from '../../src/errors.ts';
import { Cors, type CorsOptions } from '../../src/http/cors.ts';
import { Guard, type GuardOptions } from '../../src/http/guard.ts';
import { RequestRefused } from '../../src/http/problem.ts';
import { type FakeRequest, fakeRequest } from '../support/fake-request.ts';

function guard(
  options: Partial<Pick<GuardOptions, 'hosts' | 'reach'>> & {
    policy?: Partial<PolicyOptions>;
    cors?: Partial<CorsOptions>;
  } = {},
): Guard {
  const policy = new Policy({ allow: {}, localKey: 'key', openToAll: false, loopback: true, ...options.policy });
  const cors = new Cors({ origins: [], credentials: false, ...options.cors });
  return new Guard({ policy, cors, hosts: options.hosts ?? [], reach: options.reach ?? 'loopback' });
}

/** 200, or the status of the refusal. */
function statusOf(check: () => void): number {
  try {
    check();
    return 200;
  } catch (error) {
    assert.ok(error instanceof RequestRefused, String(error));
    assert.notEqual(error.detail, '');
    return error.status;
  }
}

const hostStatus = (checked: Guard, said: FakeRequest): number => statusOf(() => checked.checkHost(fakeRequest(said)));
const host = (value: string): FakeRequest => ({ headers: [['Host', value]] });

describe('the Host header', () => {
  test('may be any that the command line of this user came by, with the key that no page has', () => {
    const checked = guard({ hosts: ['api.example.com'], reach: 'open' });
    const from = (key: string): FakeRequest => ({
      headers: [
        ['Host', '127.0.0.1:8080'],
        ['Authorization', `Bearer ${key}`],
      ],
    });
    assert.equal(hostStatus(checked, from('key')), 200);
    assert.equal(hostStatus(checked, from('another')), 421);
  });

  const TABLE: readonly (readonly [value: string, onLoopback: number, withHosts: number, open: number])[] = [
    ['localhost', 200, 421, 200],
    ['LOCALHOST:8080', 200, 421, 200],
    ['127.0.0.1', 200, 421, 200],
    ['127.0.0.1:8080', 200, 421, 200],
    ['127.255.0.9:1', 200, 421, 200],
    ['[::1]', 200, 421, 200],
    ['[::1]:8080', 200, 421, 200],
    ['api.example.com', 421, 200, 200],
    ['API.Example.com:443', 421, 200, 200],
    ['example.com', 421, 421, 200],
    ['api.example.com.evil.com', 421, 421, 200],
    ['evil.com:8080', 421, 421, 200],
    ['localhost.evil.com', 421, 421, 200],
    ['127.0.0.1.evil.com', 421, 421, 200],
    ['1.127.0.0.1', 421, 421, 200],
    ['0.0.0.0', 421, 421, 200],
    ['[::]', 421, 421, 200],
    ['10.0.0.1', 421, 421, 200],
    ['', 400, 400, 400],
    [':8080', 400, 400, 400],
    ['localhost:99999', 400, 400, 400],
    ['localhost:65536', 400, 400, 400],
    ['localhost:-1', 400, 400, 400],
    ['localhost:80:80', 400, 400, 400],
    ['user@localhost', 400, 400, 400],
    ['localhost/', 400, 400, 400],
    ['local host', 400, 400, 400],
    ['localhost, evil.com', 400, 400, 400],
    ['::1', 400, 400, 400],
    ['[::1', 400, 400, 400],
    ['loc\u00e4lhost', 400, 400, 400],
    ['localhost\0', 400, 400, 400],
    ['*', 400, 400, 400],
  ];

  test('is one that is served, a loopback name on loopback, or any where nothing is said', () => {
    for (const [value, onLoopback, withHosts, open] of TABLE) {
      const wanted = [onLoopback, withHosts, open];
      const guards = [guard(), guard({ reach: 'open', hosts: ['api.example.com'] }), guard({ reach: 'open' })];
      assert.deepEqual(
        guards.map((each) => hostStatus(each, host(value))),
        wanted,
        JSON.stringify(value),
      );
    }
  });

  test('is a loopback name on loopback also where other names are served', () => {
    const both = guard({ hosts: ['api.example.com'] });
    assert.deepEqual(
      ['localhost', 'api.example.com', 'evil.com'].map((value) => hostStatus(both, host(value))),
      [200, 200, 421],
    );
  });

  test('is there once, except in HTTP/1.0, which may leave it out', () => {
    assert.equal(hostStatus(guard(), { hostless: true }), 400);
    assert.equal(hostStatus(guard(), { hostless: true, version: '1.0' }), 200);
    const twice: FakeRequest = {
      headers: [
        ['Host', 'localhost'],
        ['host', 'localhost'],
      ],
    };
    for (const reach of ['loopback', 'open'] as const) assert.equal(hostStatus(guard({ reach }), twice), 400);
  });

  test('is not looked at on a unix socket, where no web page can come from', () => {
    for (const said of [host('evil.com'), host(''), { hostless: true }]) {
      assert.equal(hostStatus(guard({ reach: 'unix' }), said), 200);
    }
  });
});

describe('the Origin of a request that writes', () => {
  const write = (checked: Guard, origin: string | undefined, more: FakeRequest['headers'] = []): number => {
    const headers = [['Host', 'localhost:8080'] as const, ...more];
    if (origin !== undefined) headers.push(['Origin', origin]);
    return statusOf(() => checked.checkOrigin(fakeRequest({ method: 'POST', headers })));
  };

  const TABLE: readonly (readonly [origin: string | undefined, status: number])[] = [
    [undefined, 200],
    ['http://localhost:8080', 200],
    ['https://localhost:8080', 200],
    ['HTTP://LOCALHOST:8080', 200],
    ['https://app.example.com', 200],
    ['http://app.example.com', 403],
    ['https://app.example.com:444', 403],
    ['https://app.example.com.evil.com', 403],
    ['https://evil.com', 403],
    ['http://localhost', 403],
    ['http://localhost:8081', 403],
    ['http://localhost:8080.evil.com', 403],
    ['http://127.0.0.1:8080', 403],
    ['null', 403],
    ['', 403],
    ['localhost:8080', 403],
    ['http://', 403],
    ['file://localhost:8080', 403],
    ['http://localhost:8080, http://evil.com', 403],
  ];

  test('is ours or one that is allowed, whatever the credential', () => {
    const checked = guard({ cors: { origins: ['https://app.example.com'] } });
    for (const [origin, status] of TABLE) {
      assert.equal(write(checked, origin), status, `${origin}`);
      assert.equal(write(checked, origin, [['Authorization', 'Bearer key']]), status, `${origin} with a key`);
    }
  });

  test('is any where every origin is allowed, if the page brings a credential that is one', () => {
    const checked = guard({ cors: { origins: ['*'] } });
    assert.equal(write(checked, 'https://evil.com'), 403);
    assert.equal(write(checked, 'https://evil.com', [['Authorization', 'Bearer guessed']]), 403);
    assert.equal(write(checked, 'https://evil.com', [['Authorization', 'Bearer key']]), 200);
    assert.equal(write(checked, 'http://localhost:8080'), 200);
  });

  test('is not ours where it comes twice', () => {
    const said = {
      headers: [
        ['Origin', 'http://localhost'],
        ['Origin', 'https://evil.com'],
      ] as const,
    };
    assert.equal(
      statusOf(() => guard().checkOrigin(fakeRequest(said))),
      403,
    );
  });
});

describe('a credential', () => {
  const identify = (...values: readonly string[]) =>
    guard().identify(fakeRequest({ headers: values.map((value) => ['Authorization', value] as const) }));

  test('is the key behind Bearer, in any case of that word', () => {
    for (const value of ['Bearer key', 'bearer key', 'BEARER   key  '])
      assert.equal(identify(value), 'local-key', value);
  });

  test('that is unknown or of another kind is nobody', () => {
    for (const value of ['', 'key', 'Bearer', 'Bearer ', 'Bearer KEY', 'Bearer key key', 'Basic key', 'Bearerkey']) {
      assert.equal(identify(value), 'nobody', value);
    }
    assert.equal(identify(), 'nobody');
  });

  test('that comes twice is refused', () => {
    assert.throws(() => identify('Bearer key', 'Bearer other'), RequestRefused);
  });
});

describe('a right', () => {
  test('that lacks is named, with what to do about it', () => {
    const checked = guard();
    assert.throws(
      () => checked.require('publish', 'chat.1', 'nobody'),
      (error) => {
        assert.ok(error instanceof UnauthenticatedError && !(error instanceof ForbiddenError));
        assert.match(error.message, /"publish" on "chat\.1"/);
        assert.match(error.hint ?? '', /Authorization.*allow/);
        return true;
      },
    );
    assert.throws(() => checked.require('admin', undefined, 'nobody'), /"admin" needs/);
  });

  test('that is there is not spoken of', () => {
    guard().require('publish', 'chat.1', 'local-key');
    guard().require('subscribe', 'chat.1', 'nobody');
    assert.deepEqual([guard().may('subscribe', 'a', 'nobody'), guard().may('publish', 'a', 'nobody')], [true, false]);
  });
});
