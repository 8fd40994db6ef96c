/** Redis URLs are read, and their passwords stay out of everything that is said. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { refused } from '../../src/config/parsed.ts';
import { describeRedis, parseRedisUrl, redactUrl } from '../../src/config/redis-url.ts';
import { problemsOf } from './support.ts';

describe('a Redis URL', () => {
  test('says where Redis is and how to log in', () => {
    assert.deepEqual(parseRedisUrl('redis://localhost').value, { host: 'localhost', port: 6379, db: 0, tls: false });
    assert.deepEqual(parseRedisUrl('rediss://app:p%40%2Fss@redis.example.com:6380/7').value, {
      ...{ host: 'redis.example.com', port: 6380, db: 7, tls: true },
      ...{ username: 'app', password: 'p@/ss' },
    });
    assert.deepEqual(parseRedisUrl('redis://:secret@[::1]/').value, {
      host: '::1',
      port: 6379,
      db: 0,
      tls: false,
      password: 'secret',
    });
  });

  test('is refused where it is not one', () => {
    const bad = [
      ...[
        '',
        'localhost',
        'localhost:6379',
        'redis:',
        'redis:/x',
        'redis://',
        'redis:///0',
        'redis://:6379',
        'http://x',
        'REDIS://x',
        'unix:///x',
        '/x',
      ],
      ...[
        'redis://x:0',
        'redis://x:65536',
        'redis://x:a',
        'redis://x/a',
        'redis://x/-1',
        'redis://x/1/2',
        'redis://x/999999',
        'redis://x?a=b',
        'redis://x#a',
      ],
      ...[
        'redis://a b',
        'redis://x\n',
        'redis://x\0',
        'redis://[::1',
        'redis://::1',
        'redis://[x]',
        'redis://a@x',
        'redis://:%@x',
        'redis://:%ff@x',
        'redis://:a@b@x',
      ],
    ];
    for (const text of bad) assert.ok(refused(parseRedisUrl(text)), JSON.stringify(text));
  });

  test('of a Sentinel is answered with how to write it', () => {
    const parsed = parseRedisUrl('redis-sentinel://10.0.0.1:26379/m');
    assert.match('hint' in parsed ? (parsed.hint ?? '') : '', /^write sources: .*sentinel: \{name: /);
  });

  test('holds any password in percent-encoding', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), (password) => {
        assert.equal(parseRedisUrl(`redis://:${encodeURIComponent(password)}@x`).value?.password, password);
      }),
    );
  });

  test('is shown without user and password', () => {
    assert.equal(redactUrl('redis://app:secret@x:1/2'), 'redis://***@x:1/2');
    assert.equal(redactUrl('rediss://[::1]'), 'rediss://[::1]:6379/0');
    assert.equal(redactUrl('redis://:sec/ret@x'), '***');
    assert.equal(describeRedis({ host: 'x', port: 1, db: 0, tls: false, password: 'secret' }), 'redis://***@x:1/0');
  });

  test('never has its password repeated by what is said about it', async () => {
    const secret = 'hunter2';
    const urls = fc.tuple(
      fc.constantFrom('redis://', 'rediss://', 'http://', 'unix://', 'redis:/', '//', ''),
      fc.constantFrom('user:', ':', ''),
      fc.constantFrom('', '/', '#', '?', '@', '%', ' ', ':', '[', '\\', '"'),
      fc.constantFrom('@host', '@host:port', '@[::1', '@', '@host/db', '', '@host?x'),
    );
    const places = [
      (url: string) => `redis: ${url}\n`,
      (url: string) => `sources: {main: {redis: ${url}}}\n`,
      (url: string) => `sources: {main: ${url}}\n`,
      (url: string) => `server: {listen: ${url}}\n`,
    ];
    await fc.assert(
      fc.asyncProperty(urls, fc.constantFrom(...places), async ([scheme, user, inside, end], place) => {
        const url = JSON.stringify(`${scheme}${user}${secret}${inside}${secret}${end}`);
        if (!url.includes('://')) return;
        const said = await problemsOf(`${place(url)}channels: {x: {format: none}}\n`);
        if (end.startsWith('@') || place === places[0]) assert.ok(!said.join('\n').includes(secret), said.join('\n'));
      }),
    );
  });
});
