/** The command line and `serve`: exit codes, what goes to stdout and what to stderr, mistakes and configs. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { runCommand, startGateway, writeConfig } from '../support/gateway.ts';
import { heard } from '../support/heard.ts';
import { startRedis } from '../support/redis.ts';
import { scratchFolder } from '../support/scratch.ts';

describe('the command line', () => {
  test('--version and --help print to stdout and exit 0, whatever the environment holds', async (t) => {
    const version = runCommand(t, ['--version'], {
      env: { SSE_GATEWAY_URL: 'not a url', COLUMNS: '0', TZ: 'Nowhere' },
    });
    assert.equal((await version.ends()).code, 0);
    assert.match(version.stdout, /^\d+\.\d+\.\d+\S*\n$/);
    const help = runCommand(t, ['--help'], { env: { COLUMNS: '0' } });
    assert.equal((await help.ends()).code, 0);
    for (const command of ['serve', 'publish', 'tail']) assert.match(help.stdout, new RegExp(`\\b${command}\\b`));
    assert.equal(help.stderr + version.stderr, '');
    for (const command of ['serve', 'publish', 'tail']) {
      const own = runCommand(t, [command, '--help']);
      assert.equal((await own.ends()).code, 0);
      assert.match(own.stdout, /sse-gateway \w+ \S/, 'examples');
    }
  });

  for (const args of [
    ['sevre'],
    ['--nonsense'],
    ['serve', '--lisen', '127.0.0.1:0'],
    ['serve', 'extra'],
    ['serve', '--listen'],
    ['publish'],
    ['publish', 'news'],
    ['publish', 'news', 'x', 'y'],
    ['tail'],
    ['serve', '--listen', 'nonsense'],
    ['serve', '--listen', '127.0.0.1:99999'],
    ['tail', 'news', '--url', 'not a url'],
  ]) {
    test(`a mistake exits 2 with a line on stderr and nothing on stdout: ${args.join(' ')}`, async (t) => {
      const command = runCommand(t, args);
      assert.equal((await command.ends()).code, 2, command.stderr);
      assert.equal(command.stdout, '');
      assert.match(command.stderr, /\S/);
      assert.doesNotMatch(command.stderr, /^\s+at .*:\d+/m, 'a stack trace');
    });
  }

  test('a misspelt command or option is answered with the right one', async (t) => {
    const command = runCommand(t, ['publsh', 'news', 'x']);
    await command.ends();
    assert.match(command.stderr, /publish/);
    const option = runCommand(t, ['serve', '--lisen', '127.0.0.1:0']);
    await option.ends();
    assert.match(option.stderr, /--listen/);
  });
});

describe('serve', () => {
  test('a config with mistakes exits 78 and tells all of them with line and column', async (t) => {
    const folder = await scratchFolder(t);
    const text = 'server:\n  lisen: 127.0.0.1:0\n  retry: soon\nchannels:\n  news: {memory: maybe}\n';
    const path = await writeConfig(folder, text);
    const command = runCommand(t, ['serve', '--config', path], { runtimeFolder: folder });
    assert.equal((await command.ends()).code, 78);
    for (const place of [`${path}:2:`, `${path}:3:`, `${path}:5:`])
      assert.ok(command.stderr.includes(place), command.stderr);
    assert.match(command.stderr, /listen/, 'the nearest name');
  });

  test('keys that come later are refused, not ignored', async (t) => {
    const folder = await scratchFolder(t);
    for (const text of ['auth: {keys: []}\n', 'channels: {a: {memory: true}}\nadmin: {listen: 127.0.0.1:0}\n']) {
      const command = runCommand(t, ['serve', '--config', await writeConfig(folder, text)], { runtimeFolder: folder });
      assert.equal((await command.ends()).code, 78, text);
    }
  });

  for (const text of [
    '',
    '# only a comment\n',
    'channels: {}\n',
    'channels: {news: {}}\n',
    'channels: {news: {memory: true}}\nchannels: {a: {memory: true}}\n',
    'channels: {news: {memory: true, pubsub: x}}\n',
    'channels: {"bad name": {memory: true}}\n',
    'channels: {"a.{x}": {memory: true}, "a.{y}": {memory: true}}\n',
    'redis: "http://127.0.0.1"\nchannels: {a: {}}\n',
    'sources: {one: {redis: "redis://127.0.0.1"}, two: {redis: "redis://127.0.0.1"}}\nchannels: {a: {}}\n',
    'channels: [news]\n',
    'channels: {news: {memory: true}}\n---\nx: 1\n',
    'channels: {news: {memory: true, linger: 1s}}\n',
    'channels: {news: {memory: true, history: {bytes: 1KiB}}}\n',
    'channels: {news: {memory: true}}\nserver: {retry: -1s}\n',
    'channels: {news: {memory: true}}\nserver: {heartbeat: 5 parsecs}\n',
    'channels: {news: {memory: !!js/function "x"}}\n',
    'channels:\n\tnews: {memory: true}\n',
    'a: &a [*a]\n',
    'channels: {news: {memory: true}}\nserver: {listen: "127.0.0.1:1e3"}\n',
  ]) {
    test(`a config that cannot be served exits 78 with one clear reason: ${JSON.stringify(text)}`, async (t) => {
      const folder = await scratchFolder(t);
      const command = runCommand(t, ['serve', '--config', await writeConfig(folder, text)], { runtimeFolder: folder });
      assert.deepEqual(await command.ends(), { code: 78, signal: null }, command.stderr);
      assert.match(command.stderr, /sse-gateway\.yaml/);
    });
  }

  test('a config that is missing or a folder exits 78 and names it', async (t) => {
    const folder = await scratchFolder(t);
    for (const path of [`${folder}/missing.yaml`, folder]) {
      const command = runCommand(t, ['serve', '--config', path], { runtimeFolder: folder });
      assert.equal((await command.ends()).code, 78, command.stderr);
      assert.ok(command.stderr.includes(path));
    }
  });

  test('a taken port exits 1, says so and names --listen', async (t) => {
    const first = await startGateway(t);
    const second = runCommand(t, ['serve', '--listen', `127.0.0.1:${first.port}`], first);
    assert.equal((await second.ends()).code, 1);
    assert.match(second.stderr, new RegExp(`${first.port}`));
    assert.match(second.stderr, /--listen/);
    assert.doesNotMatch(second.stderr, /^\s+at .*:\d+/m);
    assert.equal((await first.get('/healthz')).status, 200);
    await first.publish('news', 'x');
    const publish = runCommand(t, ['publish', 'news', 'x', '--url', first.url], first);
    assert.equal((await publish.ends()).code, 0, 'the key of the running one is left alone');
  });

  test('whoever reads its log may go away', async (t) => {
    const redis = await startRedis(t);
    const gateway = await startGateway(t, { args: ['--redis', redis.url] });
    gateway.child.process.stderr?.destroy();
    await redis.kill();
    await gateway.becomes(503);
    await redis.start();
    await gateway.becomes(200);
    const stream = await heard(t, gateway, '/events/news');
    await redis.client().publish('news', 'x');
    assert.equal((await stream.next()).data, 'x');
  });

  test('stdout stays empty', async (t) => {
    const gateway = await startGateway(t);
    await gateway.publish('news', 'x');
    assert.equal((await gateway.terminate()).code, 0);
    assert.equal(gateway.child.stdout, '');
  });
});
