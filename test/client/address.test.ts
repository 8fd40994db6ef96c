/** Addresses of gateways as people type them. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseAddress, withBasePath } from '../../src/client/address.ts';
import { UsageError } from '../../src/errors.ts';

describe('the address of a gateway', () => {
  const authorities: readonly (readonly [string, string, string])[] = [
    ['http://127.0.0.1:8080', 'http://127.0.0.1:8080', '127.0.0.1:8080'],
    ['http://127.0.0.1:8080/', 'http://127.0.0.1:8080', '127.0.0.1:8080'],
    ['127.0.0.1:8080', 'http://127.0.0.1:8080', '127.0.0.1:8080'],
    ['localhost:80', 'http://localhost:80', 'localhost:80'],
    ['http://Example.com', 'http://example.com:80', 'example.com:80'],
    ['https://example.com/live//', 'https://example.com:443/live', 'example.com:443'],
    ['[::1]:8080', 'http://[::1]:8080', '[::1]:8080'],
    ['unix:/run/sse-gateway.sock', 'unix:/run/sse-gateway.sock', 'unix:/run/sse-gateway.sock'],
  ];
  for (const [typed, text, authority] of authorities) {
    test(`is read from ${typed}`, () => {
      const address = parseAddress(typed);
      assert.equal(address.text, text);
      assert.equal(address.authority, authority);
    });
  }

  test('that means every interface is asked on loopback', () => {
    assert.equal(parseAddress('0.0.0.0:8080').text, 'http://127.0.0.1:8080');
    assert.equal(parseAddress('http://[::]:8080').text, 'http://[::1]:8080');
  });

  test('can lie behind a base path', () => {
    assert.equal(withBasePath(parseAddress('127.0.0.1:8080'), '/live').text, 'http://127.0.0.1:8080/live');
    assert.equal(withBasePath(parseAddress('127.0.0.1:8080'), '/').text, 'http://127.0.0.1:8080');
    assert.equal(withBasePath(parseAddress('unix:/a'), '/live').basePath, '/live');
  });

  for (const typed of ['', 'ftp://a', 'http://', 'http://a:99999', 'unix:a', 'http://a/?x=1', 'http://a/#x', 'a b']) {
    test(`is refused with what to write: "${typed}"`, () => {
      assert.throws(
        () => parseAddress(typed),
        (error) => error instanceof UsageError && error.hint !== undefined,
      );
    });
  }

  test('with a password in it is refused without repeating it', () => {
    assert.throws(
      () => parseAddress('http://me:secret@127.0.0.1:8080'),
      (error) => error instanceof UsageError && !`${error.message}${error.hint}`.includes('secret'),
    );
  });
});
