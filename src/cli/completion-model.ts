/** What a shell completes: every command with its options and words, read from the command line itself. */
import type { Argument, Command, Option } from 'commander';
import { quoted } from './invocation.ts';

/** One command as a shell completes it. */
export interface Completed {
  /** `/config/print`; empty for the program itself. */
  readonly path: string;
  readonly options: readonly CompletedOption[];
  /** What may stand next without a dash: commands, or the choices of an argument. */
  readonly words: readonly CompletedWord[];
}

/** A word and what it means. */
export interface CompletedWord {
  readonly name: string;
  readonly about: string;
}

/** An option. `value`: what follows it; a choice of words is offered, and so are files. */
export interface CompletedOption {
  readonly long: string;
  readonly short: string | undefined;
  readonly about: string;
  readonly value: 'none' | 'file' | 'other';
}

/** The program and all of its commands. */
export function completedCommands(command: Command, path = ''): readonly Completed[] {
  const help = command.createHelp();
  const below = help.visibleCommands(command);
  const words = below.map((each) => ({ name: each.name(), about: help.subcommandDescription(each) }));
  const own: Completed = {
    path,
    options: help.visibleOptions(command).map(completedOption),
    words: words.length > 0 ? words : command.registeredArguments.flatMap(choicesOf),
  };
  return [own, ...below.flatMap((each) => (isHelp(each) ? helpOf(words, path) : ofCommand(each, path)))];
}

/** How an option may be written. */
export function spellings({ long, short }: CompletedOption): readonly string[] {
  return short === undefined ? [long] : [long, short];
}

/** The alternatives of a branch, in bash and zsh, for those options of all commands that are meant: `/serve --config`. */
export function alternatives(commands: readonly Completed[], isMeant: (option: CompletedOption) => boolean): string {
  const texts = commands.flatMap(({ path, options }) =>
    options.filter(isMeant).flatMap((option) => spellings(option).map((spelling) => quoted(`${path} ${spelling}`))),
  );
  return texts.join('|');
}

function ofCommand(command: Command, path: string): readonly Completed[] {
  return completedCommands(command, `${path}/${command.name()}`);
}

function isHelp(command: Command): boolean {
  return command.name() === 'help';
}

/** `help` takes the name of a command that stands beside it. */
function helpOf(words: readonly CompletedWord[], path: string): readonly Completed[] {
  return [{ path: `${path}/help`, options: [], words: words.filter(({ name }) => name !== 'help') }];
}

function choicesOf({ argChoices, description }: Argument): readonly CompletedWord[] {
  return (argChoices ?? []).map((name) => ({ name, about: description }));
}

function completedOption({ long, short, description, flags }: Option): CompletedOption {
  const argument = /[<[]([^>\]]+)[>\]]/.exec(flags)?.[1];
  const value = argument === undefined ? 'none' : argument === 'file' ? 'file' : 'other';
  return { long: long ?? short ?? flags, short: long === undefined ? undefined : short, about: description, value };
}
