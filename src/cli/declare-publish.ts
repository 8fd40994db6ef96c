/** Declares `publish` for the command line; what it does is loaded when it runs. */
import { type Command, Option } from 'commander';
import type { Ended } from './exit.ts';
import type { PublishFlags } from './flags.ts';
import { credentialOptions, urlOption } from './gateway-options.ts';
import { duration, once } from './options.ts';

/** Adds the command. */
export function addPublish(program: Command, ended: Ended): void {
  const command = program
    .command('publish')
    .summary('publish events, or end a channel')
    .description(
      'Publishes an event and prints its id, or how many took it where the channel is a pub/sub channel of Redis.',
    )
    .argument('<channel>', 'the channel to publish to')
    .argument('[payload]', 'the data of the event; - reads stdin to its last byte')
    .option('--event <type>', 'the event type (default: message)', once)
    .addOption(new Option('--id <id>', 'an id of your own for the event').argParser(once).conflicts('lines'))
    .option('--end', 'end the channel with it; without a payload nothing but the end is published')
    .option('--lines', 'publish each line of stdin as an event, in order')
    .addOption(
      new Option(
        '--idempotency-key <key>',
        'by which a repeat is known, and is not taken twice (streams, and channels in memory)',
      )
        .argParser(once)
        .conflicts(['lines', 'redis']),
    )
    .option('--timeout <duration>', 'how long to wait for each answer (default: 10s)', duration)
    .option('--json', 'print the answer as it is; with --lines one a line')
    .addOption(urlOption())
    .option(
      '-c, --config <file>',
      'the configuration: its Redis channels are written to without a gateway, others through its gateway',
      once,
    )
    .addOption(
      new Option('--redis <url>', 'write to this Redis without a gateway; the channel is the one of PUBLISH')
        .argParser(once)
        .conflicts(['url', 'config', 'token', 'tokenFile']),
    );
  for (const option of credentialOptions()) command.addOption(option);
  command
    .showHelpAfterError('try: sse-gateway publish --help (a payload that begins with - stands after --)')
    .addHelpText('after', EXAMPLES)
    .action(async (channel: string, payload: string | undefined, flags: PublishFlags) => {
      if (payload === undefined && flags.lines !== true && flags.end !== true)
        command.error("error: missing required argument 'payload'");
      await ended(import('./publish.ts').then(({ publishCommand }) => publishCommand(channel, payload, flags)));
    });
}

const EXAMPLES = `
Examples:
  sse-gateway publish prices 42
  sse-gateway publish chat.lobby '{"text":"hi"}' --event post
  sse-gateway publish prices -- --42        a payload that begins with -
  printf 42 | sse-gateway publish prices -
  tail -f app.log | sse-gateway publish log --lines
  sse-gateway publish answer.17 --end       no more events: browsers close
  sse-gateway publish --redis redis://127.0.0.1:6379 prices 42

An event is sent once. Where the answer was lost the exit code is 75: the event may or may not have been published.`;
