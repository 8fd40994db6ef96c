/** `sse-gateway completion SHELL`: a script that completes what the command line has, made from the command line itself. */
import type { Command } from 'commander';
import { bashScript } from './completion-bash.ts';
import { fishScript } from './completion-fish.ts';
import { type Completed, completedCommands } from './completion-model.ts';
import { zshScript } from './completion-zsh.ts';
import type { CommandEnd } from './exit.ts';
import type { Shell } from './flags.ts';
import { writeOutput } from './terminal.ts';

/** Prints the script for a shell; `program` is the whole command line. */
export async function completionCommand(program: Command, shell: Shell): Promise<CommandEnd> {
  await writeOutput(completionScript(program, shell));
  return { exit: 'done' };
}

/** The script. */
export function completionScript(program: Command, shell: Shell): string {
  return SCRIPTS[shell](completedCommands(program));
}

const SCRIPTS: Readonly<Record<Shell, (commands: readonly Completed[]) => string>> = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
};
