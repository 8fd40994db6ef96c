/** `check` and `config`: what is in a configuration, what is wrong with it, and that both agree with `serve`. */
import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { type CommandOptions, runCommand, startGateway, writeConfig } from '../support/gateway.ts';
import { parseObject } from '../support/gateway-events.ts';
import { scratchFolder } from '../support/scratch.ts';

const GOOD = `redis: redis://me:secret@127.0.0.1:6379
server: {listen: "0.0.0.0:9000", base_path: /live}
channels: {prices: {}, "chat.{room}": {memory: true}}
allow: {subscribe: [prices, "chat.*", nobody], publish: []}
`;
const BAD = 'server: {lisen: 1}\nchannels: {a: {memory: 3}}\n';

describe('check', () => {
  test('says what is in a configuration and what is probably not meant, with 0', async (t) => {
    const file = await fileOf(t, GOOD);
    const { code, stdout, stderr } = await run(t, ['check', '--config', file]);
    assert.deepEqual([code, stderr], [0, '']);
    const [first, ...lines] = stdout.trimEnd().split('\n');
    assert.equal(first, `${file}: ok`);
    assert.deepEqual(lines.slice(0, 3), [
      '  listens on  http://127.0.0.1:9000/live',
      '  sources     redis (redis://***@127.0.0.1:6379/0)',
      '  channels    prices, chat.{room}',
    ]);
    assert.match(lines[3] ?? '', /^warning: .*sse-gateway\.yaml:4:\d+: allow\.subscribe\.2: .*"nobody"/);
    assert.equal(lines.length, 4);
    assert.doesNotMatch(stdout, /secret/);
  });

  test('says all that is wrong, word for word as serve does, with 78', async (t) => {
    const file = await fileOf(t, BAD);
    const check = await run(t, ['check', '--config', file]);
    const serve = await run(t, ['serve', '--config', file]);
    assert.deepEqual(check, serve);
    assert.deepEqual([check.code, check.stdout], [78, '']);
    assert.ok(check.stderr.trimEnd().split('\n').length >= 2);
  });

  test('prints one object with --json, whatever it finds', async (t) => {
    const good = await fileOf(t, GOOD);
    const fine = await run(t, ['check', '--config', good, '--json']);
    assert.equal(fine.code, 0);
    const { warnings, ...rest } = parseObject(fine.stdout);
    assert.deepEqual(rest, { file: good, ok: true, problems: [] });
    assert.ok(Array.isArray(warnings) && warnings.length === 1);
    const bad = await fileOf(t, BAD);
    const wrong = await run(t, ['check', '--config', bad, '--json']);
    assert.deepEqual([wrong.code, wrong.stderr], [78, '']);
    const { problems, ...more } = parseObject(wrong.stdout);
    assert.deepEqual(more, { file: bad, ok: false, warnings: [] });
    assert.ok(Array.isArray(problems) && problems.length >= 2);
    assert.deepEqual(Object.keys(problems[0]).slice(0, 5), ['file', 'line', 'column', 'path', 'message']);
  });

  test('reads stdin, and without a file what serve has then', async (t) => {
    const stdin = await run(t, ['check', '--config', '-'], {
      input: 'channels: {a: {memory: true}}\nallow: {subscribe: []}\n',
    });
    assert.match(stdin.stdout, /^<stdin>: ok\n/);
    const none = await run(t, ['check']);
    assert.deepEqual([none.code, none.stderr], [0, '']);
    assert.match(none.stdout, /^without a file: ok\n.*127\.0\.0\.1:8080\n.*in memory\n {2}channels {4}\*\n$/);
  });

  test('does not list a thousand channels', async (t) => {
    const channels = Array.from({ length: 1000 }, (_, index) => `  c${index}: {memory: true}`).join('\n');
    const file = await fileOf(t, `channels:\n${channels}\nallow: {subscribe: ["*"]}\n`);
    assert.match((await run(t, ['check', '--config', file])).stdout, /c9 and 990 more\n$/);
  });

  test('says that reading is open to all where that is not decided, as serve does', async (t) => {
    const text = 'channels: {a: {memory: true}}\n';
    assert.match(
      (await run(t, ['check', '--config', await fileOf(t, text)])).stdout,
      /warning: .*allow\.subscribe is not/,
    );
    const gateway = await startGateway(t, { config: `${text}allow: {subscribe: [a, nobody]}\n` });
    await gateway.child.printed('stderr', /"level":40,[^\n]*nobody/);
  });

  test('cannot be steered by what is in the file', async (t) => {
    const file = await fileOf(t, 'channels: {a: {memory: true}}\nallow: {subscribe: ["b\\e[2J"]}\n');
    for (const args of [['check'], ['check', '--json']]) {
      const { stdout, stderr } = await run(t, [...args, '--config', file]);
      assert.doesNotMatch(stdout + stderr, /\x1b/);
    }
  });
});

describe('config', () => {
  test('prints what is in effect, without secrets, as a file that means the same', async (t) => {
    const printed = await run(t, ['config', 'print', '--config', await fileOf(t, GOOD)]);
    assert.deepEqual([printed.code, printed.stderr], [0, '']);
    assert.match(printed.stdout, /heartbeat: 15s/);
    assert.doesNotMatch(printed.stdout, /secret/);
    const without = GOOD.replace('me:secret@', '');
    const once = await run(t, ['config', 'print', '--config', await fileOf(t, without)]);
    const twice = await run(t, ['config', 'print', '--config', await fileOf(t, once.stdout)]);
    assert.equal(twice.stdout, once.stdout);
  });

  test('prints what is in effect without a file', async (t) => {
    const { code, stdout } = await run(t, ['config', 'print']);
    assert.equal(code, 0);
    assert.match(stdout, /"\*":\n[\s\S]*memory: true/);
  });

  test('says what is wrong with a file, with 78', async (t) => {
    const { code, stdout, stderr } = await run(t, ['config', 'print', '--config', await fileOf(t, BAD)]);
    assert.deepEqual([code, stdout], [78, '']);
    assert.match(stderr, /lisen/);
  });

  test('prints an example that is a configuration', async (t) => {
    const { stdout } = await run(t, ['config', 'example']);
    assert.equal((await run(t, ['check', '--config', await fileOf(t, stdout)])).code, 0);
  });

  test('prints the JSON Schema', async (t) => {
    const { stdout } = await run(t, ['config', 'schema']);
    assert.match(String(parseObject(stdout)['$schema']), /json-schema/);
  });
});

async function fileOf(t: TestContext, text: string): Promise<string> {
  return await writeConfig(await scratchFolder(t), text);
}

async function run(t: TestContext, args: readonly string[], options: CommandOptions = {}) {
  const child = runCommand(t, args, options);
  const { code } = await child.ends();
  return { code, stdout: child.stdout, stderr: child.stderr };
}
