/** Origins are brought into the one form that browsers send, or refused with what to write. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { parseOrigin } from '../../src/config/origin.ts';
import { refused } from '../../src/config/parsed.ts';

describe('an origin', () => {
  test('is scheme, host and port in the form that browsers send', () => {
    const forms = [
      ['https://app.example.com', 'https://app.example.com'],
      ['HTTPS://App.Example.COM', 'https://app.example.com'],
      ['https://app.example.com:443', 'https://app.example.com'],
      ['http://app.example.com:80', 'http://app.example.com'],
      ['http://app.example.com:443', 'http://app.example.com:443'],
      ['http://localhost:3000', 'http://localhost:3000'],
      ['https://bücher.example', 'https://xn--bcher-kva.example'],
      ['http://127.0.0.1:8080', 'http://127.0.0.1:8080'],
      ['http://[::1]:8080', 'http://[::1]:8080'],
      ['http://[0:0:0:0:0:0:0:1]', 'http://[::1]'],
      ['capacitor://localhost', 'capacitor://localhost'],
      ['chrome-extension://abcdefghijklmnop', 'chrome-extension://abcdefghijklmnop'],
      ['*', '*'],
    ] as const;
    for (const [text, origin] of forms) assert.deepEqual(parseOrigin(text), { value: origin }, text);
  });

  test('is what URL makes of it', () => {
    fc.assert(
      fc.property(fc.webUrl({ validSchemes: ['http', 'https'] }), (url) => {
        const { origin } = new URL(url);
        assert.deepEqual(parseOrigin(origin), { value: origin });
      }),
    );
  });

  test('with more than that says what to write', () => {
    const hints = [
      ['https://app.example.com/', 'write https://app.example.com'],
      ['https://app.example.com:443/a/b?c#d', 'write https://app.example.com'],
      ['app.example.com', 'write https://app.example.com'],
      ['app.example.com:8443', 'write https://app.example.com:8443'],
      ['//app.example.com', 'write https://app.example.com'],
      ['https://*.example.com', 'list every origin, or write "*" alone for any'],
      ['*.example.com', 'list every origin, or write "*" alone for any'],
      ['ws://app.example.com', 'write http:// and the host of the page'],
      ['file:///srv/page.html', 'pages from files have no origin: serve the page over HTTP'],
      ['https://user:word@app.example.com', 'write https://host'],
      ['null', 'serve the page from an address of its own'],
    ] as const;
    for (const [text, hint] of hints) {
      const parsed = parseOrigin(text);
      assert.equal(refused(parsed) && parsed.hint, hint, text);
    }
  });

  test('that browsers cannot send is refused', () => {
    const texts = ['', ' ', 'https://', 'https://a b', 'https://a%2eb', 'https://a:', 'https://a:70000', 'https://a:b'];
    for (const text of [...texts, 'https://-', 'https://[::1', 'data:text/html,x', 'https:app', 'http://a\tb', '~']) {
      assert.equal(parseOrigin(text).value, undefined, text);
    }
  });

  test('of any text stays as it is once it was read', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'ahtps:/.[]1*@%? ') }), (text) => {
        const { value } = parseOrigin(text);
        if (value !== undefined) assert.deepEqual(parseOrigin(value), { value });
      }),
      { numRuns: 5000 },
    );
  });
});
