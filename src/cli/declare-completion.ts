/** Declares `completion` for the command line; what it prints is loaded when it runs. */
import { Argument, type Command } from 'commander';
import type { Ended } from './exit.ts';
import { SHELLS, type Shell } from './flags.ts';

/** Adds the command. */
export function addCompletion(program: Command, ended: Ended): void {
  program
    .command('completion')
    .summary('print a completion script for a shell')
    .description('Prints a script by which the shell completes commands, options and files.')
    .addArgument(new Argument('<shell>', 'the shell').choices(SHELLS))
    .showHelpAfterError('try: sse-gateway completion --help')
    .addHelpText('after', EXAMPLES)
    .action(async (shell: Shell) =>
      ended(import('./completion.ts').then(({ completionCommand }) => completionCommand(program, shell))),
    );
}

const EXAMPLES = `
Examples:
  eval "$(sse-gateway completion bash)"                     in ~/.bashrc
  eval "$(sse-gateway completion zsh)"                      in ~/.zshrc, behind compinit
  sse-gateway completion fish | source                      in ~/.config/fish/config.fish`;
