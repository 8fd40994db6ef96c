/** Declares `check` and `config` for the command line; what they do is loaded when they run. */
import type { Command } from 'commander';
import type { Ended } from './exit.ts';
import type { CheckFlags } from './flags.ts';
import { once } from './options.ts';

/** Adds `check`. */
export function addCheck(program: Command, ended: Ended): void {
  program
    .command('check')
    .summary('check a configuration')
    .description(
      'Reads a configuration as serve does, and says what is in it, or everything that is wrong with it. Without --config it is the one that serve has then.',
    )
    .option(...CONFIG_OPTION, once)
    .option('--json', 'print {"file","ok","problems","warnings"} on one line')
    .showHelpAfterError('try: sse-gateway check --config gateway.yaml')
    .addHelpText('after', CHECK_EXAMPLES)
    .action(async (flags: CheckFlags) => ended(import('./check.ts').then(({ checkCommand }) => checkCommand(flags))));
}

/** Adds `config` and what it prints. */
export function addConfig(program: Command, ended: Ended): void {
  const config = program
    .command('config')
    .summary('print the configuration in effect, an example, the schema')
    .description('Prints what there is to know about configurations.')
    .showHelpAfterError('try: sse-gateway config --help')
    .addHelpText('after', CONFIG_EXAMPLES);
  config
    .command('print')
    .summary('the configuration in effect, without secrets')
    .description('Prints a configuration as it is in effect: every default filled in, secrets as ***.')
    .option(...CONFIG_OPTION, once)
    .showHelpAfterError('try: sse-gateway config print --config gateway.yaml')
    .action(async (flags: Pick<CheckFlags, 'config'>) =>
      ended(import('./config.ts').then(({ configPrint }) => configPrint(flags.config))),
    );
  config
    .command('example')
    .summary('every key, explained, as a file')
    .description('Prints a configuration with every key, its default and what it does. It can be loaded as it is.')
    .action(async () => ended(import('./config.ts').then(({ configExample }) => configExample())));
  config
    .command('schema')
    .summary('the JSON Schema for editors')
    .description('Prints the JSON Schema of the configuration, by which editors complete and check it.')
    .action(async () => ended(import('./config.ts').then(({ configSchema }) => configSchema())));
}

const CONFIG_OPTION = ['-c, --config <file>', 'the configuration (YAML); - reads it from stdin'] as const;

const CHECK_EXAMPLES = `
Examples:
  sse-gateway check --config gateway.yaml
  sse-gateway check --config gateway.yaml --json

Exit code 0 where serve would start with it, 78 where it would not. Ports and servers are not tried.`;

const CONFIG_EXAMPLES = `
Examples:
  sse-gateway config print --config gateway.yaml
  sse-gateway config example > gateway.yaml
  sse-gateway config schema > gateway.schema.json`;
