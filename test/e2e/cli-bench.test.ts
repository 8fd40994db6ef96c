/** `sse-gateway bench` on gateways that run, on one that loses events, and where it cannot run at all. */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { startChild } from '../support/child.ts';
import { COMMAND, environment, type Gateway, runCommand, startGateway, writeConfig } from '../support/gateway.ts';
import { heard } from '../support/heard.ts';
import { startLossyGateway } from '../support/lossy-gateway.ts';
import { type Owner, suiteOwner } from '../support/owner.ts';
import { startRedis } from '../support/redis.ts';
import { freePort, scratchFolder } from '../support/scratch.ts';

/** How long a bench may take on a busy machine, in milliseconds. */
const BENCH_MS = 60_000;

const SMALL = ['--connections', '300', '--rate', '200', '--duration', '2s', '--json'];

/** The least load that has latencies on a machine that stands still now and then: what comes first is left out of them. */
const LEAST = ['--connections', '20', '--duration', '2s'];

describe('bench', () => {
  const owner = suiteOwner();
  let gateway: Gateway;
  before(async () => {
    gateway = await startGateway(owner);
  });

  test('loads channels in memory over HTTP, and every event comes once and in order', async (t) => {
    const figures = await bench(t, gateway, [...SMALL, '--channels', '7', '--publishers', '3']);
    assert.deepEqual(figures.connections, { asked: 300, opened: 300, failed: 0, closed_early: 0, problems: {} });
    assert.deepEqual(faultsOf(figures), NO_FAULTS);
    const { sent, acknowledged } = figures.published;
    assert.ok(sent > 0 && acknowledged === sent, `${acknowledged} of ${sent}`);
    // 300 streams in 7 channels are 42 or 43 for each.
    assert.ok(figures.delivered.events >= sent * 42 && figures.delivered.events <= sent * 43);
    const { p50, p99, max } = figures.latency_ms;
    assert.ok(p50 > 0 && p99 >= p50 && max >= p99);
  });

  test('--json prints one object with all figures', async (t) => {
    const figures = await bench(t, gateway, [...LEAST, '--json']);
    assert.deepEqual(Object.keys(figures), [
      'url',
      'via',
      'channels',
      'publishers',
      'rate',
      'size',
      'seconds',
      'interrupted',
      'connections',
      'published',
      'delivered',
      'latency_ms',
      'histogram',
      'generator',
    ]);
    assert.equal(figures.url, gateway.url);
    assert.deepEqual(Object.keys(figures.latency_ms), ['p50', 'p90', 'p99', 'p99.9', 'max']);
    const counted = figures.histogram.reduce((sum, { count }) => sum + count, 0);
    assert.ok(counted > 0 && counted <= figures.delivered.events, 'what warms up is left out');
  });

  test('prints a table and a histogram for people, and nothing on a stderr that is no terminal', async (t) => {
    const command = runCommand(t, ['bench', ...LEAST, '--url', gateway.url], gateway);
    assert.equal((await command.ends(BENCH_MS)).code, 0, command.stderr);
    assert.match(command.stdout, /^connections {2}20 opened, 0 failed, 0 closed early\npublished /);
    assert.match(command.stdout, /latency {6}p50 .* max .*ms\n\n(?: +to [\d.]+ ms +[\d.]+ %[ #]*\n)+/);
    assert.equal(command.stderr, '');
  });

  test('Ctrl-C ends it with the figures so far', async (t) => {
    const whole = await startLossyGateway(t, () => 1);
    const args = ['bench', '--connections', '5', '--duration', '10m', '--rate', '100', '--json', '--url', whole.url];
    const command = runCommand(t, args);
    await whole.posted(20);
    command.signal('SIGINT');
    assert.equal((await command.ends(BENCH_MS)).code, 130, command.stderr);
    const figures = JSON.parse(command.stdout) as Figures;
    assert.equal(figures.interrupted, true);
    assert.ok(figures.published.sent >= 18);
    assert.deepEqual(faultsOf(figures), NO_FAULTS);
  });

  test('what a gateway loses and doubles is counted, however it cuts its chunks, and the exit code is 1', async (t) => {
    const lossy = await startLossyGateway(t, (index) => (index % 10 === 3 ? 0 : index % 10 === 7 ? 2 : 1));
    const args = ['--connections', '10', '--rate', '100', '--duration', '1s', '--json', '--url', lossy.url];
    const command = runCommand(t, ['bench', ...args]);
    assert.equal((await command.ends(BENCH_MS)).code, 1, command.stderr);
    const { published, delivered } = JSON.parse(command.stdout) as Figures;
    const [lost, doubled] = [3, 7].map((digit) => 10 * Math.floor((published.sent - digit + 9) / 10));
    assert.deepEqual([delivered.missing, delivered.duplicated, delivered.out_of_order], [lost, doubled, 0]);
    assert.equal(delivered.gaps, lost);
    assert.match(command.stderr, /\d+ events are missing; \d+ events came twice/);
  });

  test('connections that a gateway has no room for are counted with the reason, and the others are measured', async (t) => {
    const full = await startGateway(t, {
      config: 'channels: {"*": {memory: true}}\nlimits: {connections: 30}\nallow: {subscribe: ["*"], publish: ["*"]}\n',
    });
    const args = ['bench', '--connections', '40', '--duration', '300ms', '--json', '--url', full.url];
    const command = runCommand(t, args, full);
    assert.equal((await command.ends(BENCH_MS)).code, 1);
    const { connections, delivered } = JSON.parse(command.stdout) as Figures;
    assert.equal(connections.opened + connections.failed, 40);
    assert.ok(connections.failed >= 10, command.stdout);
    assert.match(Object.keys(connections.problems).join(), /the gateway is full/);
    assert.equal(delivered.missing, 0);
    assert.match(command.stderr, /of 40 connections failed/);
  });

  test('a gateway that goes away ends it, and is told by its streams', async (t) => {
    const doomed = await startGateway(t);
    const witness = doomed.stream(t, '/events/doomed');
    await witness.opened();
    const args = ['--connections', '50', '--duration', '1m', '--json', '--channel', 'doomed', '--url', doomed.url];
    const command = runCommand(t, ['bench', ...args], doomed);
    await witness.take(2); // the first is published to try it, the second once all streams are open
    await doomed.child.kill();
    assert.equal((await command.ends(BENCH_MS)).code, 1);
    const figures = JSON.parse(command.stdout) as Figures;
    assert.equal(figures.connections.opened + figures.connections.failed, 50);
    assert.ok(figures.connections.closed_early > 0);
  });
});

describe('bench by way of Redis', () => {
  test('publishes to the channels of a Redis that has them all', async (t) => {
    const redis = await startRedis(t);
    const gateway = await startGateway(t, { args: ['--redis', redis.url] });
    await heard(t, gateway, '/events?channel=load-1&channel=load-2&channel=load-3');
    const more = ['--channels', '3', '--channel', 'load', '--via', 'redis', '--redis', redis.url];
    const figures = await bench(t, gateway, [...SMALL, ...more]);
    assert.deepEqual(faultsOf(figures), NO_FAULTS);
    assert.ok(figures.published.sent > 0 && figures.published.acknowledged === figures.published.sent);
    assert.equal(figures.delivered.events, figures.published.sent * 100);
  });

  test('adds entries to the streams that the channels of a configuration read', async (t) => {
    const redis = await startRedis(t);
    const config = `redis: ${redis.url}\nchannels:\n  load-{n}: {stream: "streams:{n}", replay: all}\n`;
    const gateway = await startGateway(t, { config });
    await heard(t, gateway, '/events?channel=load-a-1&channel=load-a-2');
    const file = await writeConfig(await scratchFolder(t), config);
    const more = ['--channels', '2', '--publishers', '4', '--via', 'redis', '--config', file, '--channel', 'load-a'];
    const figures = await bench(t, gateway, [...SMALL, ...more]);
    assert.deepEqual(faultsOf(figures), NO_FAULTS);
    assert.equal(figures.delivered.events, figures.published.sent * 150);
  });

  test('streams of its own are left to expire, those of others are not', async (t) => {
    const redis = await startRedis(t);
    const config = `redis: ${redis.url}\nchannels:\n  "bench-{n}": {stream: "bench-{n}"}\n  orders: {stream: orders}\n`;
    const gateway = await startGateway(t, { config });
    await heard(t, gateway, '/events/orders');
    const args = ['--connections', '5', '--duration', '300ms', '--json', '--via', 'redis', '--redis', redis.url];
    await bench(t, gateway, [...args, '--kind', 'stream']);
    await bench(t, gateway, [...args, '--kind', 'stream', '--channel', 'orders']);
    const client = redis.client();
    const [own = ''] = ((await client.command('KEYS', 'bench-*')) as unknown[]).map(String);
    assert.ok(Number(await client.command('PTTL', own)) > 0);
    assert.equal(Number(await client.command('PTTL', 'orders')), -1);
  });

  test('a Redis that is not there is an error, and nothing is measured', async (t) => {
    const gateway = await startGateway(t);
    const args = ['bench', '--url', gateway.url, '--via', 'redis', '--redis', `redis://127.0.0.1:${await freePort(t)}`];
    const command = runCommand(t, args, gateway);
    assert.equal((await command.ends()).code, 1);
    assert.match(command.stderr, /is down: ECONNREFUSED/);
  });
});

describe('bench that cannot run', () => {
  for (const [args, problem] of [
    [['--connections', '0'], /no whole number from 1/],
    [['--rate', '-5'], /Write it as 100/],
    [['--rate', '5', '--rate', '6'], /given twice/],
    [['--size', '10'], /--size is from 48/],
    [['--connections', '2', '--channels', '3'], /had no listener/],
    [['--redis', 'redis://127.0.0.1:1'], /--redis is for --via redis/],
    [['--via', 'redis', '--kind', 'stream'], /--kind/],
    [['--via', 'smoke'], /Allowed choices are http, redis/],
  ] as const) {
    test(`exits 2 for ${args.join(' ')}`, async (t) => {
      const command = runCommand(t, ['bench', ...args]);
      assert.equal((await command.ends()).code, 2);
      assert.match(command.stderr, problem);
    });
  }

  test('--via redis without a Redis is a usage error', async (t) => {
    const gateway = await startGateway(t);
    const command = runCommand(t, ['bench', '--via', 'redis', '--url', gateway.url], gateway);
    assert.equal((await command.ends()).code, 2);
    assert.match(command.stderr, /give --redis URL, or --config FILE/);
  });

  test('exits 77 where publishing is not allowed, and says what to do', async (t) => {
    const gateway = await startGateway(t, {
      config: 'channels: {"bench-{n}": {memory: true}}\nallow: {subscribe: ["*"]}\n',
    });
    const command = runCommand(t, ['bench', '--url', gateway.url]);
    assert.equal((await command.ends()).code, 77);
    assert.match(command.stderr, /cannot be published to over HTTP[\s\S]*try: .*--token-file/);
  });

  test('a configuration without such a channel is told what fits', async (t) => {
    const gateway = await startGateway(t, { config: 'channels: {"chat.{room}": {memory: true}}\n' });
    const command = runCommand(t, ['bench', '--url', gateway.url], gateway);
    assert.equal((await command.ends()).code, 1);
    assert.match(command.stderr, /try: .*--channel.*"bench-\{n\}": \{memory: true\}/);
    const args = ['--connections', '10', '--duration', '200ms', '--channels', '2', '--channel', 'chat.bench', '--json'];
    assert.deepEqual(faultsOf(await bench(t, gateway, args)), NO_FAULTS);
  });

  test('says that there are too few open files before it starts', async (t) => {
    const folder = await scratchFolder(t);
    const line = `ulimit -n 200; exec ${[...COMMAND, 'bench'].map((word) => `'${word}'`).join(' ')}`;
    const command = startChild(t, '/bin/sh', ['-c', line], { env: environment(folder) });
    assert.equal((await command.ends()).code, 1);
    assert.match(command.stderr, /need 1065 open files, and this process may have 200; nothing was started/);
  });

  test('exits 1 where no gateway listens', async (t) => {
    const command = runCommand(t, ['bench', '--url', `127.0.0.1:${await freePort(t)}`]);
    assert.equal((await command.ends()).code, 1);
    assert.match(command.stderr, /no gateway listens/);
  });
});

/** What `--json` prints, as far as it is looked at. */
interface Figures {
  readonly url: string;
  readonly interrupted: boolean;
  readonly connections: {
    readonly opened: number;
    readonly failed: number;
    readonly closed_early: number;
    readonly problems: Readonly<Record<string, number>>;
  };
  readonly published: { readonly sent: number; readonly acknowledged: number };
  readonly delivered: {
    readonly events: number;
    readonly missing: number;
    readonly duplicated: number;
    readonly out_of_order: number;
    readonly gaps: number;
  };
  readonly latency_ms: Readonly<Record<string, number>> & {
    readonly p50: number;
    readonly p99: number;
    readonly max: number;
  };
  readonly histogram: readonly { readonly count: number }[];
}

const NO_FAULTS = [0, 0, 0, 0];

function faultsOf({ delivered }: Figures): number[] {
  return [delivered.missing, delivered.duplicated, delivered.out_of_order, delivered.gaps];
}

/** Runs one to its end, which has to be 0. */
async function bench(owner: Owner, gateway: Gateway, args: readonly string[]): Promise<Figures> {
  const command = runCommand(owner, ['bench', '--url', gateway.url, ...args], gateway);
  assert.equal((await command.ends(BENCH_MS)).code, 0, command.stderr + command.stdout);
  return JSON.parse(command.stdout) as Figures;
}
