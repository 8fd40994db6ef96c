/** Declares `bench` for the command line; what it does is loaded when it runs. */
import { type Command, Option } from 'commander';
import type { Ended } from './exit.ts';
import type { BenchFlags } from './flags.ts';
import { credentialOptions, urlOption } from './gateway-options.ts';
import { count, duration, once, rate, size } from './options.ts';

/** Adds the command. */
export function addBench(program: Command, ended: Ended): void {
  const command = program
    .command('bench')
    .summary('load a gateway and measure it')
    .description(
      'Opens connections to a running gateway, publishes at a steady rate, and tells how late every event came and whether any is missing.',
    )
    .addOption(numberOption('--connections <number>', 'streams to open', count, 1000))
    .addOption(numberOption('--rate <rate>', 'events a second, over all channels', rate, 100))
    .addOption(numberOption('--size <bytes>', 'the size of an event, such as 128 or 4KiB', size, 128))
    .addOption(numberOption('--channels <number>', 'channels that both are dealt out to', count, 1))
    .addOption(numberOption('--publishers <number>', 'publishing connections', count, 1))
    .option('--duration <duration>', 'how long to publish (default: 10s)', duration)
    .option(
      '--channel <name>',
      'the name of the channel; with several --channels what their names begin with (default: bench-...)',
      once,
    )
    .addOption(
      new Option('--via <way>', 'publish over HTTP, or to Redis as an application does')
        .choices(['http', 'redis'])
        .default('http'),
    )
    .option('--redis <url>', 'with --via redis: the Redis to write to; channels have the same names in it', once)
    .addOption(
      new Option('--kind <kind>', 'with --redis: what the channels read (default: pubsub)').choices([
        'pubsub',
        'stream',
      ]),
    )
    .option('--json', 'print one JSON object')
    .addOption(urlOption())
    .option(
      '-c, --config <file>',
      'the configuration of the gateway: for its listen address and, with --via redis, what the channels read',
      once,
    );
  for (const option of credentialOptions()) command.addOption(option);
  command
    .showHelpAfterError('try: sse-gateway bench --help')
    .addHelpText('after', EXAMPLES)
    .action(async (flags: Omit<BenchFlags, 'duration'> & { readonly duration?: number }) => {
      const whole = { duration: DEFAULT_DURATION_MS, ...flags };
      await ended(import('./bench.ts').then(({ benchCommand }) => benchCommand(whole)));
    });
}

const DEFAULT_DURATION_MS = 10_000;

type Reader = (value: string, previous: unknown) => number;

/** A default is no value that was given before. */
function numberOption(flags: string, about: string, read: Reader, byDefault: number): Option {
  let given: string | undefined;
  const once = (value: string): number => {
    const number = read(value, given);
    given = value;
    return number;
  };
  return new Option(flags, about).argParser(once).default(byDefault);
}

const EXAMPLES = `
Examples:
  sse-gateway bench
  sse-gateway bench --connections 5000 --rate 20/s --size 1KiB --duration 1m
  sse-gateway bench --channels 100 --channel chat.bench
  sse-gateway bench --via redis --redis redis://127.0.0.1:6379
  sse-gateway bench --via redis --config gateway.yaml --channel prices

Exit code 1 where events were missing, doubled or out of order, or connections failed. Run it on another machine than the
gateway to measure the gateway alone: it says so where it was the limit itself.`;
