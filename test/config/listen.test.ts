/** Listen addresses are read, written back and told apart by who can reach them. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { describeListen, isLoopback, parseListen } from '../../src/config/listen.ts';
import { refused } from '../../src/config/parsed.ts';

const LOOPBACK = [
  '127.0.0.1:8080',
  '127.8.9.10:0',
  'localhost:1',
  'LOCALHOST:65535',
  '[::1]:8080',
  '[0:0:0:0:0:0:0:1]:1',
  '[::ffff:127.0.0.1]:1',
  'unix:/run/x.sock',
];
const REACHABLE = [
  '0.0.0.0:8080',
  '[::]:8080',
  '192.168.1.1:80',
  '[::ffff:10.0.0.1]:1',
  'gateway.example.com:80',
  'localhost.example.com:80',
  '128.0.0.1:1',
];

describe('a listen address', () => {
  test('is host:port or unix:/path, and is written back the same', () => {
    for (const text of [...LOOPBACK, ...REACHABLE]) {
      const parsed = parseListen(text);
      if (refused(parsed)) assert.fail(`${text}: ${parsed.problem}`);
      assert.equal(describeListen(parsed.value), text);
    }
    assert.deepEqual(parseListen('[::1]:0').value, { kind: 'tcp', host: '::1', port: 0 });
    assert.deepEqual(parseListen('unix:/a b').value, { kind: 'unix', path: '/a b' });
  });

  test('is loopback where only this machine can connect', () => {
    for (const [text, expected] of [
      ...LOOPBACK.map((one) => [one, true] as const),
      ...REACHABLE.map((one) => [one, false] as const),
    ]) {
      const { value } = parseListen(text);
      assert.equal(value && isLoopback(value), expected, text);
    }
  });

  test('is nothing else', () => {
    const bad = [
      ...[
        '',
        '8080',
        ':8080',
        '*:80',
        'localhost',
        'localhost:',
        'localhost:http',
        'localhost:-1',
        'localhost:65536',
        'localhost:1.5',
      ],
      ...[
        'localhost:1e3',
        'localhost:0x50',
        'localhost:010',
        'localhost:8_080',
        'a b:80',
        '-a:80',
        'a..b:80',
        '1.2.3:80',
        '256.0.0.1:80',
      ],
      ...[
        '::1:80',
        '[::1]',
        '[::1',
        '[::g]:80',
        'http://a:80',
        'a/b:80',
        'a@b:80',
        '/run/x',
        'unix:',
        'unix:x',
        `unix:/${'x'.repeat(107)}`,
        'unix:/a\0b',
        'a\0:80',
      ],
    ];
    for (const text of bad) assert.ok(refused(parseListen(text)), JSON.stringify(text));
  });
});
