/** The command line itself: help, version, mistakes. */
import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { version } from '../../src/embedded.ts';
import { type CommandOptions, runCommand } from '../support/gateway.ts';

describe('the command line', () => {
  test('prints its version', async (t) => {
    assert.deepEqual(await output(t, ['--version']), { code: 0, stdout: `${version}\n`, stderr: '' });
    assert.deepEqual(await output(t, ['-V']), { code: 0, stdout: `${version}\n`, stderr: '' });
  });

  test('prints version and help whatever is wrong around it', async (t) => {
    const env = { SSE_GATEWAY_URL: 'no address', SSE_GATEWAY_TOKEN: '\u0001', TZ: 'odd', COLUMNS: '0', LC_ALL: 'C' };
    assert.equal((await output(t, ['--version'], { env })).code, 0);
    assert.equal((await output(t, ['--help'], { env })).code, 0);
  });

  test('prints the licences', async (t) => {
    const { code, stdout } = await output(t, ['--licences']);
    assert.equal(code, 0);
    assert.notEqual(stdout, '');
  });

  for (const command of ['serve', 'publish', 'tail', 'check', 'bench', 'config', 'completion']) {
    test(`explains ${command} with examples, on stdout`, async (t) => {
      for (const args of [
        [command, '--help'],
        ['help', command],
      ]) {
        const { code, stdout, stderr } = await output(t, args);
        assert.equal(code, 0);
        assert.match(stdout, new RegExp(`Examples:\n  .*sse-gateway ${command}`));
        assert.equal(stderr, '');
      }
    });
  }

  const mistakes: readonly (readonly [what: string, args: readonly string[], said: RegExp])[] = [
    ['nothing', [], /Usage: sse-gateway/],
    ['an unknown command', ['sevre'], /unknown command 'sevre'\n\(Did you mean serve\?\)/],
    ['an unknown flag', ['tail', 'a', '--cuont', '1'], /unknown option '--cuont'\n\(Did you mean --count\?\)/],
    ['a flag that is given twice', ['tail', 'a', '--count', '1', '--count', '2'], /given twice/],
    ['a missing argument', ['publish', 'a'], /missing required argument 'payload'/],
    ['no payload where nothing else is published', ['publish', 'a', '--json'], /missing required argument 'payload'/],
    ['a channel that cannot be one', ['publish', 'a b', 'x'], /"a b" is not a channel name: .* a space/],
    ['one of several channels that cannot be one', ['tail', 'a', 'b/c'], /"b\/c" is not a channel name/],
    ['two places to begin', ['tail', 'a', '--last', '1', '--since', '5m'], /cannot be used with option '--last/],
    ['a place and an id to begin', ['tail', 'a', '--last', '1', '--last-event-id', 'k'], /cannot be used with/],
    ['a time that is none', ['tail', 'a', '--since', 'yesterday'], /Write it as 500ms, 10s or 5m/],
    ['a number that is none', ['tail', 'a', '--last', '-1'], /whole number from 0/],
    ['a Redis and a gateway', ['publish', 'a', 'x', '--redis', 'redis://a', '--url', 'b'], /cannot be used with/],
    ['a Redis that is none', ['publish', 'a', 'x', '--redis', 'http://a'], /--redis: a Redis URL begins with/],
    ['a type where only data goes', ['publish', 'a', 'x', '--redis', 'redis://a', '--event', 'b'], /format: envelope/],
    ['a shell that is not known', ['completion', 'tcsh'], /Allowed choices are bash, zsh, fish/],
    ['nothing to print of the configuration', ['config'], /Usage: sse-gateway config/],
    [
      'a file without its option',
      ['check', 'gateway.yaml'],
      /too many arguments[\s\S]*try: sse-gateway check --config/,
    ],
    ['too many arguments', ['publish', 'a', 'b', 'c'], /too many arguments/],
    ['a count that is none', ['tail', 'a', '--count', '0'], /whole number/],
    ['a duration without unit', ['tail', 'a', '--timeout', '5'], /perhaps 5s/],
    ['a duration of nothing', ['publish', 'a', 'b', '--timeout', '0s'], /longer than 0/],
    ['a duration beyond any timer', ['tail', 'a', '--timeout', '1000h'], /longer than 576h/],
    ['a payload like a flag', ['publish', 'a', '--b'], /stands after --/],
    ['an address that is none', ['publish', 'a', 'b', '--url', 'ftp://x'], /not the address of a gateway[\s\S]*try: /],
    ['a listen address that is none', ['serve', '--listen', '8080'], /--listen[\s\S]*try: write 127\.0\.0\.1:8080/],
    ['two sources of truth', ['serve', '--config', 'a', '--redis', 'redis://a'], /either --config or --redis/],
  ];
  for (const [what, args, said] of mistakes) {
    test(`answers ${what} with 2 and what to do`, async (t) => {
      const { code, stdout, stderr } = await output(t, args);
      assert.equal(code, 2, stderr);
      assert.match(stderr, said);
      assert.equal(stdout, '');
    });
  }
});

async function output(t: TestContext, args: readonly string[], options: CommandOptions = {}) {
  const child = runCommand(t, args, options);
  const { code } = await child.ends();
  return { code, stdout: child.stdout, stderr: child.stderr };
}
