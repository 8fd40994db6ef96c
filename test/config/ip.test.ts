/** Addresses in all their forms, and the networks that a proxy may be in. */
import assert from 'node:assert/strict';
import { BlockList, isIP } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  describeTrustedProxy,
  ipText,
  isInRange,
  isLoopbackIp,
  parseTrustedProxy,
  readIp,
} from '../../src/config/ip.ts';

test('an address has one form, however it is written', () => {
  const cases: readonly (readonly [written: string, text: string | undefined])[] = [
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::FFFF:C000:201', '192.0.2.1'],
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['::', '::'],
    ['::1', '::1'],
    ['1::', '1::'],
    ['fe80::1%eth0', 'fe80::1'],
    ['64:ff9b::192.0.2.1', '64:ff9b::c000:201'],
    ['192.0.2.01', undefined],
    ['192.0.2', undefined],
    ['[::1]', undefined],
    ['1:2:3', undefined],
    ['', undefined],
    ['unknown', undefined],
  ];
  for (const [written, text] of cases) {
    const address = readIp(written);
    assert.equal(address === undefined ? undefined : ipText(address), text, written);
  }
});

test('a network holds what the platform says it holds', () => {
  const family = fc.constantFrom('ipv4' as const, 'ipv6' as const);
  const near = fc.tuple(family, fc.nat(128), fc.nat(130), fc.uint8Array({ minLength: 16, maxLength: 16 }));
  fc.assert(
    fc.property(near, ([kind, bits, flipped, bytes]) => {
      const address = [...bytes.slice(0, kind === 'ipv4' ? 4 : 16)];
      const prefix = 1 + (bits % (address.length * 8));
      const other = address.map((byte, index) => (index === flipped >> 3 ? byte ^ (128 >> (flipped & 7)) : byte));
      const list = new BlockList();
      list.addSubnet(ipText(address), prefix, kind);
      assert.equal(isIP(ipText(other)), kind === 'ipv4' ? 4 : 6);
      assert.equal(isInRange({ address, prefix }, other), list.check(ipText(other), kind));
    }),
  );
});

test('an IPv4 network holds no IPv6 address and the other way round', () => {
  const [four, six] = [readIp('0.0.0.1') ?? [], readIp('::2') ?? []];
  assert.equal(isInRange({ address: four, prefix: 1 }, six), false);
  assert.equal(isInRange({ address: six, prefix: 1 }, four), false);
});

test('loopback is what this machine alone reaches', () => {
  for (const text of ['127.0.0.1', '127.255.0.1', '::1', '::ffff:127.0.0.1'])
    assert.ok(isLoopbackIp(readIp(text) ?? []));
  for (const text of ['128.0.0.1', '126.0.0.1', '::', '::2']) assert.ok(!isLoopbackIp(readIp(text) ?? []), text);
});

test('a proxy is shown as it can be written', () => {
  const cases = [
    ['10.0.0.0/8', '10.0.0.0/8'],
    ['10.1.2.3', '10.1.2.3'],
    ['10.1.2.3/32', '10.1.2.3'],
    ['2001:DB8::/32', '2001:db8::/32'],
    ['::1', '::1'],
    ['loopback', 'loopback'],
    ['unix', 'unix'],
  ] as const;
  for (const [written, shown] of cases) {
    const { value } = parseTrustedProxy(written);
    assert.ok(value !== undefined, written);
    assert.equal(describeTrustedProxy(value), shown);
  }
});
