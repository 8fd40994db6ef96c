/** The console page: its policy allows what stands in it, and nothing else. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import { consolePage } from '../../src/embedded.ts';
import { preparePage } from '../../src/http/page.ts';

const digest = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

/** The policy by directive. */
function policyOf(html: string): Map<string, string[]> {
  const { headers } = preparePage(html);
  const directives = (headers['Content-Security-Policy'] ?? '').split('; ').map((each) => each.split(' '));
  return new Map(directives.map(([name = '', ...values]) => [name, values]));
}

describe('the policy of a page', () => {
  test('allows each of its scripts and styles by its own digest', () => {
    const html = '<style>a{}</style>\n<script>let a = "</b>";\n</script><p>\u00e9</p><script>\u{1F600}</script>';
    const policy = policyOf(html);
    assert.deepEqual(policy.get('script-src'), [digest('let a = "</b>";\n'), digest('\u{1F600}')]);
    assert.deepEqual(policy.get('style-src'), [digest('a{}')]);
  });

  test('allows no script and no style where there is none', () => {
    const policy = policyOf('<p>plain</p>');
    assert.deepEqual([policy.get('script-src'), policy.get('style-src')], [["'none'"], ["'none'"]]);
  });

  test('of the console lets nothing in and nobody frame it, and reads only from here', () => {
    const html = consolePage();
    const policy = policyOf(html);
    for (const name of ['default-src', 'base-uri', 'form-action', 'frame-ancestors']) {
      assert.deepEqual(policy.get(name), ["'none'"], name);
    }
    assert.deepEqual(policy.get('connect-src'), ["'self'"]);
    for (const [, values] of policy) assert.ok(!values.some((value) => /unsafe|\*|^https?:/.test(value)));
  });

  test('of the console covers all that stands in it', () => {
    const html = consolePage();
    const policy = policyOf(html);
    const count = (pattern: RegExp): number => [...html.matchAll(pattern)].length;
    assert.equal(count(/<script\b/g), policy.get('script-src')?.length);
    assert.equal(count(/<style\b/g), policy.get('style-src')?.length);
    assert.doesNotMatch(html, /\son[a-z]+\s*=\s*["']/i, 'a handler in an attribute is not allowed by a digest');
    assert.doesNotMatch(html, /\sstyle\s*=\s*["']/i, 'a style in an attribute is not allowed by a digest');
  });
});

test('a page is as long as its header says, is not guessed at, and tells nobody where it was opened', () => {
  const { body, headers } = preparePage('<p>gr\u00fcn</p>');
  assert.equal(headers['Content-Length'], `${body.length}`);
  assert.equal(body.toString(), '<p>gr\u00fcn</p>');
  assert.equal(headers['X-Content-Type-Options'], 'nosniff');
  assert.equal(headers['Referrer-Policy'], 'no-referrer');
});
