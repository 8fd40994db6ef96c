/** Declares `tail` for the command line; what it does is loaded when it runs. */
import { type Command, Option } from 'commander';
import type { Ended } from './exit.ts';
import type { TailFlags } from './flags.ts';
import { credentialOptions, urlOption } from './gateway-options.ts';
import { amount, count, duration, once, since } from './options.ts';

/** Adds the command. */
export function addTail(program: Command, ended: Ended): void {
  const command = program
    .command('tail')
    .summary('follow channels')
    .description(
      'Prints the events of one or several channels as they come, and resumes by itself after a cut. Gaps and the state of the connection go to stderr.',
    )
    .argument('<channel...>', 'the channels to follow')
    .option('--json', 'print {"channel","event","id","data","time"} for each event, one a line')
    .option('--event <type>', 'only events of this type', once)
    .option('--gateway-events', 'also the events of the gateway itself, such as gateway.open')
    .option('--last <number>', 'begin with this many events of what is kept', amount)
    .addOption(
      new Option('--since <duration>', 'begin with what came since then, such as 5m; start: with all that is kept')
        .argParser(since)
        .conflicts('last'),
    )
    .addOption(
      new Option('--last-event-id <id>', 'go on after this id of an earlier event')
        .argParser(once)
        .conflicts(['last', 'since']),
    )
    .option('-n, --count <number>', 'stop after this many events', count)
    .option('--timeout <duration>', 'stop after this long; with --count, exit 1 if fewer have come', duration)
    .addOption(urlOption())
    .option('-c, --config <file>', 'the configuration of the gateway, for its listen address', once);
  for (const option of credentialOptions()) command.addOption(option);
  command
    .showHelpAfterError('try: sse-gateway tail --help')
    .addHelpText('after', EXAMPLES)
    .action(async (channels: string[], flags: TailFlags) =>
      ended(import('./tail.ts').then(({ tailCommand }) => tailCommand(channels, flags))),
    );
}

const EXAMPLES = `
Examples:
  sse-gateway tail prices
  sse-gateway tail prices alerts --last 20
  sse-gateway tail prices --json | jq .data
  sse-gateway tail prices --count 1 --timeout 5s

On a terminal: time, channel where there are several, type and data. In a pipe: the data of each event and a line end,
each line behind its channel and a tab where there are several; --json keeps events of several lines apart.
A gateway that does not answer at the start is an error; one that goes away later is waited for.
It ends with 0 when all channels have ended.`;
