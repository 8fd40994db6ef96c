/** `docs/cli.md` against the command line: nothing is missing, and nothing is in it that is not there. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { type Completed, completedCommands } from '../../src/cli/completion-model.ts';
import { EXIT_CODES } from '../../src/cli/exit.ts';
import { commandLine } from '../../src/cli/program.ts';

const page = readFileSync(new URL('../../docs/cli.md', import.meta.url), 'utf8');
const commands = completedCommands(commandLine(() => Promise.resolve()));

describe('the page of the command line', () => {
  test('names every command', () => {
    const missing = commands.filter(
      ({ path }) => !path.endsWith('/help') && !page.includes(path.replaceAll('/', ' ').trim()),
    );
    assert.deepEqual(missing, []);
  });

  for (const command of commands.filter(({ path }) => path !== '' && !path.endsWith('help'))) {
    test(`names every option of${command.path.replaceAll('/', ' ')} in its section, and no other`, () => {
      const named = new Set([...sectionOf(command).matchAll(/`(--?[a-z][a-z-]*)/g)].map((match) => match[1]));
      const own = commands.filter(({ path }) => path.startsWith(sectionPath(command)));
      const known = own.flatMap(({ options }) => options.flatMap(({ long, short }) => [long, short ?? long]));
      const wanted = command.options
        .flatMap(({ long, short }) => [long, short ?? long])
        .filter((name) => !isHelp(name));
      assert.deepEqual(
        wanted.filter((name) => !named.has(name)),
        [],
      );
      assert.deepEqual(
        [...named].filter((name) => !known.includes(name ?? '')),
        [],
      );
    });
  }

  test('names the options of the program', () => {
    for (const { long } of commands[0]?.options ?? []) assert.ok(page.includes(`\`${long}\``) || isHelp(long), long);
  });

  test('explains every exit code', () => {
    const explained = [...page.matchAll(/^\| (\d+) \|/gm)].map((match) => Number(match[1]));
    assert.deepEqual(explained, Object.values(EXIT_CODES));
  });
});

/** Explained once, for all commands. */
function isHelp(name: string): boolean {
  return name === '--help' || name === '-h';
}

/** The part of the page about a command; the commands below one share its part. */
function sectionOf(command: Completed): string {
  const title = `## ${sectionPath(command).slice(1)}\n`;
  const start = page.indexOf(`\n${title}`);
  assert.ok(start >= 0, title);
  const end = page.indexOf('\n## ', start + title.length);
  return page.slice(start, end < 0 ? undefined : end);
}

function sectionPath({ path }: Completed): string {
  return `/${path.split('/')[1]}`;
}
