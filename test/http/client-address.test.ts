/** Whom a request is counted under: the address of the socket, and what proxies that are believed say. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseTrustedProxy, type TrustedProxy } from '../../src/config/ip.ts';
import { ClientAddresses, MAX_HEADER_LINES } from '../../src/http/client-address.ts';
import { fakeRequest } from '../support/fake-request.ts';

const trusted = (...texts: readonly string[]): TrustedProxy[] =>
  texts.map((text) => parseTrustedProxy(text).value ?? assert.fail(text));

/** The address that a request from `peer` (undefined: by a unix socket) is counted under. */
function clientOf(peer: string | undefined, lines: readonly string[], proxies: readonly TrustedProxy[], more = 0) {
  const filling = Array.from({ length: more }, (_, index) => [`X-${index}`, '1'] as const);
  const request = fakeRequest({ headers: [...filling, ...lines.map((line) => ['X-Forwarded-For', line] as const)] });
  Object.defineProperty(request.socket, 'remoteAddress', { value: peer });
  return new ClientAddresses(proxies).of(request);
}

describe('the address of a client', () => {
  test('is that of its socket where nobody is believed, whatever it says', () => {
    assert.equal(clientOf('192.0.2.1', [], []), '192.0.2.1');
    assert.equal(clientOf('192.0.2.1', ['203.0.113.9'], []), '192.0.2.1');
    assert.equal(clientOf('192.0.2.1', ['127.0.0.1'], trusted('loopback', 'unix', '10.0.0.0/8')), '192.0.2.1');
    assert.equal(clientOf('::ffff:192.0.2.1', [], []), '192.0.2.1');
  });

  test('is for IPv6 the network that one client has', () => {
    assert.equal(clientOf('2001:db8:1:2:3:4:5:6', [], []), '2001:db8:1:2::/64');
    assert.equal(clientOf('2001:db8:1:2::1', [], []), '2001:db8:1:2::/64');
    assert.equal(clientOf('::1', [], []), '0:0:0:0::/64');
    assert.equal(clientOf('fe80::1%eth0', [], []), 'fe80:0:0:0::/64');
  });

  test('is the last one in X-Forwarded-For that is no proxy of ours', () => {
    const proxies = trusted('10.0.0.0/8', '2001:db8:ff::/48', 'loopback');
    const cases: readonly (readonly [peer: string, lines: readonly string[], client: string])[] = [
      ['10.0.0.1', ['203.0.113.9'], '203.0.113.9'],
      ['10.0.0.1', ['198.51.100.1, 203.0.113.9'], '203.0.113.9'],
      ['10.0.0.1', ['198.51.100.1', '203.0.113.9'], '203.0.113.9'],
      ['10.0.0.1', ['198.51.100.1', '203.0.113.9,10.0.0.2 ', ' 10.0.0.3'], '203.0.113.9'],
      ['127.0.0.1', ['203.0.113.9, 2001:db8:ff::7'], '203.0.113.9'],
      ['::ffff:10.0.0.1', ['::ffff:203.0.113.9'], '203.0.113.9'],
      ['2001:db8:ff::1', ['2001:db8:1:2:3::9'], '2001:db8:1:2::/64'],
      ['10.0.0.1', ['203.0.113.9:5000'], '203.0.113.9'],
      ['10.0.0.1', ['[2001:db8:1:2::9]:5000'], '2001:db8:1:2::/64'],
      ['10.0.0.1', ['[2001:db8:1:2::9]'], '2001:db8:1:2::/64'],
      ['10.0.0.1', ['10.0.0.9, 10.0.0.8'], '10.0.0.9'],
      ['10.0.0.1', [], '10.0.0.1'],
    ];
    for (const [peer, lines, client] of cases) assert.equal(clientOf(peer, lines, proxies), client, lines.join(' | '));
  });

  test('is the last trustworthy one where something else stands before it', () => {
    const proxies = trusted('10.0.0.0/8');
    const garbage = [
      '',
      ',',
      'unknown',
      '_hidden',
      'unix:',
      '203.0.113',
      '203.0.113.9:x',
      '[203.0.113.9]',
      '1.2.3.4 5',
    ];
    for (const text of garbage) {
      assert.equal(clientOf('10.0.0.1', [text], proxies), '10.0.0.1', text);
      assert.equal(clientOf('10.0.0.1', [`203.0.113.9, ${text}, 10.0.0.2`], proxies), '10.0.0.2', text);
    }
  });

  test('by a unix socket is none, unless its proxy is believed', () => {
    assert.equal(clientOf(undefined, [], []), undefined);
    assert.equal(clientOf(undefined, ['203.0.113.9'], trusted('loopback')), undefined);
    assert.equal(clientOf(undefined, [], trusted('unix')), undefined);
    assert.equal(clientOf(undefined, ['203.0.113.9'], trusted('unix')), '203.0.113.9');
    assert.equal(clientOf(undefined, ['203.0.113.9, 127.0.0.1'], trusted('unix')), '127.0.0.1');
  });

  test('is not taken from a request with so many headers that the line of the proxy may be left out', () => {
    const proxies = trusted('10.0.0.0/8');
    assert.equal(clientOf('10.0.0.1', ['203.0.113.9'], proxies, MAX_HEADER_LINES - 3), '203.0.113.9');
    assert.equal(clientOf('10.0.0.1', ['203.0.113.9'], proxies, MAX_HEADER_LINES - 2), '10.0.0.1');
  });
});
