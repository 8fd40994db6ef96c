/** Completion: what bash offers at a place in a command line, and that no shell lacks a command or option. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { completionScript } from '../../src/cli/completion.ts';
import { completedCommands } from '../../src/cli/completion-model.ts';
import { SHELLS } from '../../src/cli/flags.ts';
import { commandLine } from '../../src/cli/program.ts';
import { startChild } from '../support/child.ts';
import { runCommand } from '../support/gateway.ts';
import { scratchFolder } from '../support/scratch.ts';

const program = commandLine(() => Promise.resolve());

describe('bash completes', () => {
  const lines: readonly (readonly [line: string, offered: readonly string[]])[] = [
    ['sse-gateway ', ['serve', 'publish', 'tail', 'check', 'bench', 'config', 'completion', 'help']],
    ['sse-gateway c', ['check', 'config', 'completion']],
    ['sse-gateway -', ['--version', '-V', '--licences', '--help', '-h']],
    ['sse-gateway config ', ['print', 'example', 'schema', 'help']],
    ['sse-gateway config print --c', ['--config']],
    ['sse-gateway completion ', ['bash', 'zsh', 'fish']],
    ['sse-gateway help t', ['tail']],
    ['sse-gateway serve --', ['--config', '--redis', '--listen', '--help']],
    ['sse-gateway tail news --la', ['--last', '--last-event-id']],
    // A channel may have the name of a command, and the value of an option too.
    ['sse-gateway tail config p', []],
    ['sse-gateway publish --event tail --i', ['--id', '--idempotency-key']],
    ['sse-gateway publish --event=tail --en', ['--end']],
    ['sse-gateway publish news -- --e', []],
    ['sse-gateway publish --event ', []],
    ['sse-gateway serve --config g', ['gate way.yaml', 'gateways']],
    ['sse-gateway serve --config=g', ['gate way.yaml', 'gateways']],
    ['sse-gateway tail -c g', ['gate way.yaml', 'gateways']],
    ['sse-gateway tail --token-file o', ['other']],
  ];
  for (const [line, offered] of lines) {
    test(line, async (t) => {
      assert.deepEqual((await offeredBy(t, line)).sort(), offered.toSorted());
    });
  }
});

describe('the completion scripts', () => {
  for (const shell of SHELLS) {
    test(`of ${shell} has every command and option`, () => {
      const script = completionScript(program, shell);
      const missing = completedCommands(program).flatMap(({ options, words }) => [
        ...options.filter(({ long }) => !script.includes(shell === 'fish' ? `-l '${long.slice(2)}'` : long)),
        ...words.filter(({ name }) => !script.includes(name)),
      ]);
      assert.deepEqual(missing, []);
    });
  }

  test('are printed by the command', async (t) => {
    for (const shell of SHELLS) {
      const child = runCommand(t, ['completion', shell]);
      assert.equal((await child.ends()).code, 0);
      assert.equal(child.stdout, completionScript(program, shell));
      assert.equal(child.stderr, '');
    }
  });

  test('know every option that the command line has', () => {
    const known = new Map(
      completedCommands(program).map(({ path, options }) => [path, options.map(({ long }) => long)]),
    );
    for (const command of program.commands) {
      const longs = command.options.map(({ long }) => long);
      assert.deepEqual(known.get(`/${command.name()}`), [...longs, '--help']);
    }
  });
});

/** What the function that bash calls gives for a line with the cursor at its end, words taken apart as bash does. */
async function offeredBy(t: TestContext, line: string): Promise<string[]> {
  const cwd = await scratchFolder(t);
  for (const name of ['gate way.yaml', 'other']) writeFileSync(join(cwd, name), '');
  mkdirSync(join(cwd, 'gateways'));
  writeFileSync(join(cwd, 'script'), completionScript(program, 'bash'));
  const words = line.split(/ |(=)/).filter((word) => word !== undefined);
  const bash = `source ./script
complete -p sse-gateway | grep -q -- '-F _sse_gateway sse-gateway' || exit 1
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_sse_gateway
printf '%s\\n' "\${COMPREPLY[@]}"`;
  const env = { PATH: process.env['PATH'] ?? '' };
  const child = startChild(t, 'bash', ['--norc', '-c', bash, 'bash', ...words], { cwd, env });
  assert.equal((await child.ends()).code, 0, child.stderr);
  assert.equal(child.stderr, '');
  return child.stdout.split('\n').filter((each) => each !== '');
}
