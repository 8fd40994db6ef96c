/** Declares `serve` for the command line; what it does is loaded when it runs. */
import type { Command } from 'commander';
import type { Ended } from './exit.ts';
import type { ServeFlags } from './flags.ts';
import { once } from './options.ts';

/** Adds the command. */
export function addServe(program: Command, ended: Ended): void {
  program
    .command('serve')
    .summary('run the gateway')
    .description('Runs the gateway. Without --config it listens on this machine only, with every name a channel.')
    .option('-c, --config <file>', 'the configuration (YAML); - reads it from stdin', once)
    .option('--redis <url>', 'the Redis to read, such as redis://127.0.0.1:6379', once)
    .option(
      '--listen <address>',
      'host:port or unix:/path, instead of the one in the configuration; port 0 takes a free one (default: 127.0.0.1:8080)',
      once,
    )
    .showHelpAfterError('try: sse-gateway serve --help')
    .addHelpText('after', EXAMPLES)
    .action(async (flags: ServeFlags) => ended(import('./serve.ts').then(({ serveCommand }) => serveCommand(flags))));
}

const EXAMPLES = `
Examples:
  sse-gateway serve
  sse-gateway serve --listen 127.0.0.1:9000
  sse-gateway serve --redis redis://127.0.0.1:6379
  sse-gateway serve --config gateway.yaml

SIGTERM and Ctrl-C end the streams in turn, so that clients come back elsewhere or later; a second signal ends at once.
stderr carries the log: for people on a terminal, a JSON object a line elsewhere.`;
