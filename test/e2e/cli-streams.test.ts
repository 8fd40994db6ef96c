/** `publish` and `tail` on streams and keys: ids, positions, restarts, gaps, ends and exit codes. */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { addEntry, addNumbered, numbers, openConfig } from '../support/entries.ts';
import { type Gateway, runCommand, startGateway, writeConfig } from '../support/gateway.ts';
import { parseObject } from '../support/gateway-events.ts';
import { heard } from '../support/heard.ts';
import { type Owner, suiteOwner } from '../support/owner.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';
import type { RespClient } from '../support/resp.ts';
import { freePort, scratchFolder } from '../support/scratch.ts';

const CHANNELS = [
  's.{n}: {stream: "s:{n}"}',
  'k.{n}: {key: "k:{n}"}',
  'm.{n}: {memory: true}',
  'idle.{n}: {stream: "idle:{n}", replay: all, end_after: 300ms}',
];

/** Each command is a process of its own that has to start, on a machine that may be busy. */
const PATIENCE_MS = 30_000;

/** How long `tail` may take to come back: the longer a gateway is away, the longer are its waits. */
const COMES_BACK_MS = 60_000;

describe('the command line on streams and keys', { concurrency: 2 }, () => {
  const owner = suiteOwner();
  let redis: RedisServer;
  let client: RespClient;
  let gateway: Gateway;
  let config: string;
  before(async () => {
    redis = await startRedis(owner);
    client = redis.client();
    config = openConfig(redis, CHANNELS);
    gateway = await startGateway(owner, { config });
    await gateway.becomes(200);
  });

  function cli(t: Owner, ...args: string[]) {
    return runCommand(t, [...args, '--url', gateway.url], gateway);
  }

  test('publish prints the id of the entry, and tail ends with 0 when the stream has ended', async (t) => {
    const tail = cli(t, 'tail', 's.end', '--json', '--since', 'start');
    const publish = cli(t, 'publish', 's.end', 'one', '--event', 'tick', '--id', 'mine');
    assert.deepEqual(await publish.ends(PATIENCE_MS), { code: 0, signal: null }, publish.stderr);
    const [id] = /\d+-\d+/.exec(publish.stdout) ?? [];
    const end = cli(t, 'publish', 's.end', 'two', '--end');
    assert.equal((await end.ends(PATIENCE_MS)).code, 0, end.stderr);
    assert.deepEqual(await tail.ends(PATIENCE_MS), { code: 0, signal: null }, tail.stderr);
    const lines = tail.stdout.trimEnd().split('\n').map(parseObject);
    assert.deepEqual(
      lines.map(({ time, ...line }) => line),
      [
        { channel: 's.end', event: 'tick', id, data: 'one' },
        { channel: 's.end', event: 'message', id: lines[1]?.['id'], data: 'two' },
      ],
    );
    const again = cli(t, 'tail', 's.end', '--last-event-id', String(lines[1]?.['id']));
    assert.equal((await again.ends(PATIENCE_MS)).code, 0, again.stderr);
    assert.equal(again.stdout, '');
  });

  test('tail of an ended stream prints what is asked for and ends with 0', async (t) => {
    await addNumbered(client, 's:ended', 1, 5);
    await client.command('XADD', 's:ended', '6-0', 'end', '1');
    for (const [args, wanted] of [
      [[], []],
      [
        ['--last', '2'],
        ['4', '5'],
      ],
      [['--since', 'start'], numbers(1, 5)],
      [
        ['--last-event-id', '3-0'],
        ['4', '5'],
      ],
    ] as const) {
      const tail = cli(t, 'tail', 's.ended', ...args);
      assert.equal((await tail.ends(PATIENCE_MS)).code, 0, tail.stderr);
      assert.deepEqual(tail.stdout.split('\n').slice(0, -1), wanted);
    }
  });

  test('tail of a stream whose producer is gone ends with 0 when it is idle', async (t) => {
    await addEntry(client, 'idle:a', 'alone');
    const tail = cli(t, 'tail', 'idle.a');
    assert.equal((await tail.ends(PATIENCE_MS)).code, 0, tail.stderr);
    assert.equal(tail.stdout, 'alone\n');
  });

  test('tail of two ends when both have ended', async (t) => {
    await heard(t, gateway, '/events?channel=s.both&channel=m.both');
    const tail = cli(t, 'tail', 's.both', 'm.both', '--json', '--gateway-events');
    await tail.printed('stdout', /gateway\.open/);
    await client.command('XADD', 's:both', '1-0', 'data', 'bye', 'end', '1');
    await tail.printed('stdout', /gateway\.end/);
    await gateway.publish('m.both', 'still here');
    await tail.printed('stdout', /still here/);
    await gateway.publish('m.both', '', '?end=true');
    assert.equal((await tail.ends(PATIENCE_MS)).code, 0, tail.stderr);
  });

  test('publish --lines --end is a stream of lines that ends, in order', async (t) => {
    const lines = numbers(1, 2_000);
    const tail = cli(t, 'tail', 's.lines');
    const publish = runCommand(t, ['publish', 's.lines', '--lines', '--end', '--url', gateway.url], {
      ...gateway,
      input: `${lines.join('\n')}\n`,
    });
    assert.equal((await publish.ends(PATIENCE_MS)).code, 0, publish.stderr);
    const late = cli(t, 'tail', 's.lines', '--since', 'start');
    assert.equal((await late.ends(PATIENCE_MS)).code, 0, late.stderr);
    assert.deepEqual(late.stdout.trimEnd().split('\n'), lines);
    assert.equal((await tail.ends(PATIENCE_MS)).code, 0, tail.stderr);
  });

  test('publish with an idempotency key that is repeated prints the first id', async (t) => {
    const args = ['publish', 's.once', 'x', '--idempotency-key', 'k', '--json'];
    const answers: Record<string, unknown>[] = [];
    for (let count = 0; count < 2; count += 1) {
      const publish = cli(t, ...args);
      assert.equal((await publish.ends(PATIENCE_MS)).code, 0, publish.stderr);
      answers.push(parseObject(publish.stdout));
    }
    assert.deepEqual(answers[1], { ...answers[0], duplicate: true });
    const other = cli(t, 'publish', 's.once', 'y', '--idempotency-key', 'k');
    assert.equal((await other.ends(PATIENCE_MS)).code, 1, other.stderr);
    assert.equal(await client.command('XLEN', 's:once'), 1);
  });

  test('a key: publish sets it, tail prints the value and its changes', async (t) => {
    await client.command('SET', 'k:a', 'one');
    const tail = cli(t, 'tail', 'k.a', '--count', '2');
    await tail.lines(1);
    const publish = cli(t, 'publish', 'k.a', 'two');
    assert.equal((await publish.ends(PATIENCE_MS)).code, 0, publish.stderr);
    assert.equal((await tail.ends(PATIENCE_MS)).code, 0, tail.stderr);
    assert.equal(tail.stdout, 'one\ntwo\n');
    const refused = cli(t, 'publish', 'k.a', 'x', '--event', 'tick');
    assert.notEqual((await refused.ends(PATIENCE_MS)).code, 0);
    const end = cli(t, 'publish', 'k.a', '--end');
    assert.notEqual((await end.ends(PATIENCE_MS)).code, 0);
    assert.equal(await client.command('GET', 'k:a'), 'two');
  });

  test('tail goes through a restart of the gateway without a gap, and shows one that is true on stderr', async (t) => {
    const port = await freePort(t);
    const first = await startGateway(t, { config, port });
    await addNumbered(client, 's:restart', 1, 3);
    const args = ['tail', 's.restart', '--since', 'start', '--url', first.url];
    const tail = runCommand(t, args, first);
    await tail.lines(3);
    await first.child.kill();
    await addNumbered(client, 's:restart', 4, 6);
    const second = await startGateway(t, { config, port, runtimeFolder: first.runtimeFolder });
    await tail.lines(6, COMES_BACK_MS);
    assert.doesNotMatch(tail.stderr, /gap|trimmed|restarted/i);
    await second.child.kill();
    await addNumbered(client, 's:restart', 7, 12);
    await client.command('XTRIM', 's:restart', 'MAXLEN', '2');
    await startGateway(t, { config, port, runtimeFolder: first.runtimeFolder });
    assert.deepEqual(await tail.lines(8, COMES_BACK_MS), [...numbers(1, 6), '11', '12']);
    await tail.printed('stderr', /trimmed/);
  });

  test('publish --config and --redis write to the source without a gateway', async (t) => {
    const path = await writeConfig(await scratchFolder(t), config);
    const stream = await heard(t, gateway, '/events/s.direct');
    const key = await heard(t, gateway, '/events/k.direct');
    const add = runCommand(t, ['publish', 's.direct', 'x', '--event', 'tick', '--config', path]);
    assert.equal((await add.ends(PATIENCE_MS)).code, 0, add.stderr);
    const event = await stream.next();
    assert.deepEqual([event.type, event.data], ['tick', 'x']);
    assert.ok(add.stdout.includes(event.id ?? 'no id'), add.stdout);
    const set = runCommand(t, ['publish', 'k.direct', 'x', '--config', path]);
    assert.equal((await set.ends(PATIENCE_MS)).code, 0, set.stderr);
    await key.until('the value', () => key.events.some(({ data }) => data === 'x'));
    const end = runCommand(t, ['publish', 's.direct', '--end', '--config', path]);
    assert.equal((await end.ends(PATIENCE_MS)).code, 0, end.stderr);
    assert.equal(await stream.ended(), 'complete');
  });
});
