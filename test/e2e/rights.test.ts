/** Who may read and publish: on loopback, with a config, by the local key, from other hosts and origins. */
import assert from 'node:assert/strict';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { type Gateway, runCommand, startGateway, writeConfig } from '../support/gateway.ts';
import { suiteOwner } from '../support/owner.ts';
import { connectPeer } from '../support/peer.ts';
import { assertProblem, assertRawProblem } from '../support/problem.ts';
import { scratchFolder } from '../support/scratch.ts';

const CHANNELS = 'channels: {"*": {memory: true}}\n';

describe('without a config on loopback', () => {
  const owner = suiteOwner();
  let gateway: Gateway;
  before(async () => {
    gateway = await startGateway(owner);
  });

  test('everybody may read and publish', async (t) => {
    const stream = gateway.stream(t, '/events/open');
    await stream.opened();
    await gateway.publish('open', 'x');
    assert.equal((await stream.next()).data, 'x');
  });

  test('loopback names are answered, others are 421', async (t) => {
    const port = gateway.port;
    for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, `LOCALHOST:${port}`, `[::1]:${port}`, 'localhost']) {
      const peer = connectPeer(t, port);
      peer.request('GET /events/open HTTP/1.1', `Host: ${host}`);
      assert.equal((await peer.head()).status, 200, host);
    }
    for (const host of [
      'evil.example',
      `evil.example:${port}`,
      'localhost.evil.example',
      '192.168.0.1',
      '127.0.0.1.nip.io',
    ]) {
      for (const request of ['GET /events/open', 'HEAD /events/open', 'GET /', 'POST /events/open']) {
        const peer = connectPeer(t, port, [request.split(' ')[0] ?? '']);
        peer.request(
          `${request} HTTP/1.1`,
          `Host: ${host}`,
          ...(request.startsWith('POST') ? ['Content-Length: 0'] : []),
        );
        const response = await peer.response();
        if (request.startsWith('HEAD')) assert.equal(response.head.status, 421, host);
        else assertRawProblem(response, 421);
      }
    }
  });

  test('hosts that are none are 400 or 421', async (t) => {
    for (const host of [
      '',
      'user@localhost',
      'localhost:99999',
      'local host',
      'localhost:80:80',
      '[::1',
      'http://localhost',
    ]) {
      const peer = connectPeer(t, gateway.port);
      peer.request('GET /events/open HTTP/1.1', `Host: ${host}`);
      const { head } = await peer.response();
      assert.ok([400, 421].includes(head.status), `${JSON.stringify(host)} answered ${head.status}`);
    }
  });

  test('a page of another origin may not publish, in open mode either', async (t) => {
    const witness = gateway.stream(t, '/events/origin');
    await witness.opened();
    const port = gateway.port;
    const foreign = [
      'https://evil.example',
      'null',
      `http://localhost.evil.example:${port}`,
      `http://127.0.0.1:${port + 1}`,
    ];
    for (const origin of [...foreign, `http://127.0.0.1:${port}.evil.example`, 'x'.repeat(10_000)]) {
      await assertProblem(await gateway.post('origin', 'bad', '', { headers: { origin } }), 403);
    }
    const ours = await gateway.post('origin', 'good', '', { headers: { origin: gateway.url } });
    assert.equal(ours.status, 200, await ours.text());
    assert.equal((await witness.next()).data, 'good');
  });

  test('no answer invites another origin to read', async (t) => {
    const { headers } = await gateway
      .stream(t, '/events/open', { headers: { origin: 'https://evil.example' } })
      .responded();
    assert.equal(headers.get('access-control-allow-origin'), undefined);
  });
});

describe('with a config on loopback', () => {
  test('reading is open while nothing decides it, publishing needs a grant, and the start says so', async (t) => {
    const gateway = await startGateway(t, { config: CHANNELS });
    await gateway.stream(t, '/events/news').opened();
    const response = await gateway.post('news', 'x');
    assert.match(response.headers.get('www-authenticate') ?? '', /Bearer/);
    await assertProblem(response, 401);
    assert.match(gateway.child.stderr, /subscrib|read/i);
  });

  test('the local key lets the command line of the same user publish and tail', async (t) => {
    const gateway = await startGateway(t, { config: `${CHANNELS}allow: {subscribe: []}\n` });
    const tail = runCommand(t, ['tail', 'news', '--json', '--url', gateway.url], gateway);
    let seen = false;
    for (let attempt = 0; attempt < 40 && !seen; attempt += 1) {
      const publish = runCommand(t, ['publish', 'news', `hello ${attempt}`, '--url', gateway.url], gateway);
      assert.equal((await publish.ends()).code, 0, publish.stderr);
      seen = tail.stdout.includes('hello');
    }
    await tail.lines(1);
  });

  test('without the key the command line is refused with exit code 77', async (t) => {
    const gateway = await startGateway(t, { config: `${CHANNELS}allow: {subscribe: []}\n` });
    for (const args of [
      ['publish', 'news', 'x'],
      ['tail', 'news', '--json'],
    ]) {
      const command = runCommand(t, [...args, '--url', gateway.url]);
      assert.deepEqual(await command.ends(), { code: 77, signal: null }, command.stderr);
      assert.equal(command.stdout, '');
    }
  });

  test('the key is sent to the address it is named after only', async (t) => {
    const keyed = await startGateway(t, { config: CHANNELS });
    const other = await startGateway(t, { config: CHANNELS });
    const command = runCommand(t, ['publish', 'news', 'x', '--url', other.url], keyed);
    assert.equal((await command.ends()).code, 77, command.stderr);
  });

  test('a credential that is not known is 401', async (t) => {
    const gateway = await startGateway(t, { config: CHANNELS });
    for (const authorization of [
      'Bearer',
      'Bearer x',
      'Basic eDp4',
      'bearer x',
      `Bearer ${'x'.repeat(8_000)}`,
      'Bearer \u00fc',
    ]) {
      await assertProblem(await gateway.post('news', 'x', '', { headers: { authorization } }), 401);
    }
  });

  test('the key in the file is a Bearer credential, of any case of the scheme', async (t) => {
    const gateway = await startGateway(t, { config: CHANNELS });
    const key = (await readFile(await keyFile(gateway), 'utf8')).trim();
    for (const scheme of ['Bearer', 'bearer', 'BEARER']) {
      const response = await gateway.post('news', 'x', '', { headers: { authorization: `${scheme} ${key}` } });
      assert.equal(response.status, 200, await response.text());
    }
    for (const wrong of [
      key.slice(0, -1),
      `${key}x`,
      key.toUpperCase() === key ? key.toLowerCase() : key.toUpperCase(),
    ]) {
      await assertProblem(await gateway.post('news', 'x', '', { headers: { authorization: `Bearer ${wrong}` } }), 401);
    }
    assert.ok(!gateway.child.stderr.includes(key), 'the log shows the key');
  });

  test('allow gives the rights it names over the channels it names', async (t) => {
    const gateway = await startGateway(t, {
      config: `${CHANNELS}allow: {subscribe: [news, "chat.*"], publish: ["chat.*"]}\n`,
    });
    for (const name of ['news', 'chat.a', 'chat.a.b', 'chat.']) await gateway.stream(t, `/events/${name}`).opened();
    assert.equal((await gateway.post('chat.a', 'x')).status, 200);
    for (const name of ['newsroom', 'chat', 'xchat.a', 'secret', 'CHAT.a']) {
      await assertProblem(await gateway.get(`/events/${name}`), 401);
      await assertProblem(await gateway.post(name, 'x'), 401);
    }
    await assertProblem(await gateway.post('news', 'x'), 401);
    assert.match(await assertProblem(await gateway.get('/events?channel=news&channel=secret'), 401), /secret/);
  });

  test('an empty list is nobody', async (t) => {
    const gateway = await startGateway(t, { config: `${CHANNELS}allow: {subscribe: [], publish: []}\n` });
    await assertProblem(await gateway.get('/events/news'), 401);
    await assertProblem(await gateway.post('news', 'x'), 401);
  });

  test('a name that nobody configured is no secret to those who may read it, and is to others', async (t) => {
    const gateway = await startGateway(t, {
      config: 'channels: {news: {memory: true}, hidden: {memory: true}}\nallow: {subscribe: [news, typo]}\n',
    });
    await assertProblem(await gateway.get('/events/typo'), 404);
    const [existing, missing] = await Promise.all([gateway.get('/events/hidden'), gateway.get('/events/missing')]);
    const texts = [await assertProblem(existing, 401), await assertProblem(missing, 401)];
    assert.equal(texts[0]?.replaceAll('hidden', 'NAME'), texts[1]?.replaceAll('missing', 'NAME'));
  });

  test('server.hosts names the hosts that are answered', async (t) => {
    const gateway = await startGateway(t, { config: `${CHANNELS}server: {hosts: [live.example]}\n` });
    const [ours, other] = [connectPeer(t, gateway.port), connectPeer(t, gateway.port)];
    ours.request('GET /events/news HTTP/1.1', 'Host: live.example');
    assert.equal((await ours.head()).status, 200);
    other.request('GET /events/news HTTP/1.1', 'Host: evil.example');
    assertRawProblem(await other.response(), 421);
  });
});

describe('beyond loopback', () => {
  test('an address without a decision is a config error that shows the lines to add', async (t) => {
    const folder = await scratchFolder(t);
    const config = await writeConfig(folder, `server: {listen: "0.0.0.0:0"}\n${CHANNELS}`);
    for (const args of [
      ['--config', config],
      ['--listen', '0.0.0.0:0'],
      ['--listen', '[::]:0'],
    ]) {
      const command = runCommand(t, ['serve', ...args], { runtimeFolder: folder });
      assert.deepEqual(await command.ends(), { code: 78, signal: null }, command.stderr);
      assert.match(command.stderr, /allow:/);
      assert.match(command.stderr, /subscribe:/);
      assert.equal(command.stdout, '');
    }
  });

  test('with a decision it is served', async (t) => {
    const folder = await scratchFolder(t);
    const text = `server: {listen: "0.0.0.0:0", hosts: ["127.0.0.1"]}\n${CHANNELS}allow: {subscribe: ["*"]}\n`;
    const command = runCommand(t, ['serve', '--config', await writeConfig(folder, text)], { runtimeFolder: folder });
    const [, port] = await command.printed('stderr', /http:\/\/\S+:(\d+)/);
    assert.equal((await fetch(`http://127.0.0.1:${port}/events/news`, { method: 'HEAD' })).status, 200);
    command.signal('SIGTERM');
    assert.equal((await command.ends(30_000)).code, 0);
  });
});

describe('the local key', () => {
  test('is a file of its own for each address, readable by its user only, and gone when serve ends', async (t) => {
    const folder = await scratchFolder(t);
    const [one, two] = [
      await startGateway(t, { runtimeFolder: folder }),
      await startGateway(t, { runtimeFolder: folder }),
    ];
    const files = await readdir(join(folder, 'sse-gateway'));
    assert.equal(files.length, 2, `${files}`);
    for (const file of files) assert.equal((await stat(join(folder, 'sse-gateway', file))).mode & 0o777, 0o600);
    assert.equal((await stat(join(folder, 'sse-gateway'))).mode & 0o077, 0);
    const contents = await Promise.all(files.map((file) => readFile(join(folder, 'sse-gateway', file), 'utf8')));
    assert.notEqual(contents[0], contents[1]);
    assert.ok((contents[0] ?? '').trim().length >= 32);
    assert.equal((await one.terminate()).code, 0);
    assert.equal((await readdir(join(folder, 'sse-gateway'))).length, 1);
    assert.equal((await two.terminate()).code, 0);
    assert.deepEqual(await readdir(join(folder, 'sse-gateway')), []);
  });

  test('is fresh at each start, also after a crash left the old one', async (t) => {
    const first = await startGateway(t);
    const file = await keyFile(first);
    const old = await readFile(file, 'utf8');
    await first.child.kill();
    const second = await startGateway(t, { port: first.port, runtimeFolder: first.runtimeFolder });
    assert.notEqual(await readFile(await keyFile(second), 'utf8'), old);
  });
});

/** The one key file in a gateway's folder. */
async function keyFile(gateway: Gateway): Promise<string> {
  const folder = join(gateway.runtimeFolder, 'sse-gateway');
  const [file, ...more] = await readdir(folder);
  assert.ok(file !== undefined && more.length === 0, `${more}`);
  return join(folder, file);
}
