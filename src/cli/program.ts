/** The command line: its commands and help. What a command needs is loaded when it runs. */
import { Command, CommanderError } from 'commander';
import { LONGEST_DELAY_MS } from '../clock.ts';
import { licences, version } from '../embedded.ts';
import { addBench } from './declare-bench.ts';
import { addCompletion } from './declare-completion.ts';
import { addCheck, addConfig } from './declare-config.ts';
import { addPublish } from './declare-publish.ts';
import { addServe } from './declare-serve.ts';
import { addTail } from './declare-tail.ts';
import { type CommandEnd, type Ended, EXIT_CODES, finish, finishThrown } from './exit.ts';
import { surviveBrokenOutput } from './terminal.ts';

/** Runs the command line `args` (without the program's own name) and ends the process. Never throws. */
export async function run(args: readonly string[]): Promise<void> {
  surviveBrokenOutput();
  // Timers of the clock keep no process alive: one that waits for nothing else would end here, with 0, in the middle.
  setInterval(() => undefined, LONGEST_DELAY_MS);
  process.exit(await exitCodeOf(args));
}

async function exitCodeOf(args: readonly string[]): Promise<number> {
  let end: CommandEnd = { exit: 'done' };
  const program = commandLine(async (command) => {
    end = await command;
  });
  try {
    await program.parseAsync(args, { from: 'user' });
    return finish(end);
  } catch (error) {
    // Commander has printed what it had to say.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT_CODES.done : EXIT_CODES.usage;
    return finishThrown(error);
  }
}

/** All commands with their options and help. `ended` is handed the command that was asked for. */
export function commandLine(ended: Ended): Command {
  const program = new Command('sse-gateway')
    .description('Turns what an application already does in Redis into Server-Sent Events that browsers can resume.')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show help')
    .helpCommand('help [command]', 'show help for a command')
    .exitOverride()
    .showHelpAfterError('try: sse-gateway --help')
    .configureHelp({ sortSubcommands: false, showGlobalOptions: false })
    .option('--licences', 'print the licences of everything inside')
    .on('option:licences', () => {
      process.stdout.write(licences());
      throw new CommanderError(0, 'licences', '');
    })
    .addHelpText('after', EXAMPLES);
  for (const add of [addServe, addPublish, addTail, addCheck, addBench, addConfig, addCompletion]) add(program, ended);
  return program;
}

const EXAMPLES = `
Examples:
  sse-gateway serve                                 a gateway in memory, to try things
  sse-gateway serve --redis redis://127.0.0.1:6379  every pub/sub channel of a Redis
  sse-gateway serve --config gateway.yaml
  sse-gateway publish hello "first event"
  sse-gateway tail hello

Exit codes: 0 done, 1 failed, 2 usage, 75 outcome unknown, 77 not allowed, 78 config, 130 interrupted.`;
