/** `sse-gateway publish`: what it prints, how it finds the gateway, and how it fails. */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { type Gateway, runCommand, startGateway } from '../support/gateway.ts';
import { impostor } from '../support/impostor.ts';
import { suiteOwner } from '../support/owner.ts';
import { freePort } from '../support/scratch.ts';

describe('publish', () => {
  const owner = suiteOwner();
  let gateway: Gateway;
  before(async () => {
    gateway = await startGateway(owner);
  });

  test('prints the id of the event to stdout and exits 0', async (t) => {
    const stream = gateway.stream(t, '/events/news');
    await stream.opened();
    const command = runCommand(t, ['publish', 'news', 'hello\nworld', '--url', gateway.url], gateway);
    assert.equal((await command.ends()).code, 0, command.stderr);
    const event = await stream.next();
    assert.equal(event.data, 'hello\nworld');
    assert.ok(command.stdout.includes(event.id ?? 'no id'), command.stdout);
  });

  test('takes a payload that looks like an option after --, and an empty one', async (t) => {
    const stream = gateway.stream(t, '/events/dash');
    await stream.opened();
    for (const payload of ['--json', '-']) {
      const command = runCommand(
        t,
        ['publish', '--url', gateway.url, '--', 'dash', payload === '-' ? '-x' : payload],
        gateway,
      );
      assert.equal((await command.ends()).code, 0, command.stderr);
    }
    const empty = runCommand(t, ['publish', 'dash', '', '--url', gateway.url], gateway);
    assert.equal((await empty.ends()).code, 0, empty.stderr);
    assert.deepEqual(
      (await stream.take(3)).map((event) => event.data),
      ['--json', '-x', ''],
    );
  });

  test('finds the gateway by SSE_GATEWAY_URL', async (t) => {
    const command = runCommand(t, ['publish', 'news', 'x'], { ...gateway, env: { SSE_GATEWAY_URL: gateway.url } });
    assert.equal((await command.ends()).code, 0, command.stderr);
  });

  test('exits 2 where the channel cannot be one', async (t) => {
    const command = runCommand(t, ['publish', 'bad name', 'x', '--url', gateway.url], gateway);
    assert.equal((await command.ends()).code, 2, command.stderr);
  });

  test('exits 1 where nobody answers, and tells the address', async (t) => {
    const url = `http://127.0.0.1:${await freePort(t)}`;
    const command = runCommand(t, ['publish', 'news', 'x', '--url', url]);
    assert.equal((await command.ends()).code, 1);
    assert.ok(command.stderr.includes(url.slice(7)), command.stderr);
    assert.equal(command.stdout, '');
  });

  test('exits 1 where the source is down and nothing was written', async (t) => {
    const target = await startGateway(t, { args: ['--redis', `redis://127.0.0.1:${await freePort(t)}`] });
    const command = runCommand(t, ['publish', 'news', 'x', '--url', target.url], target);
    assert.equal((await command.ends()).code, 1, command.stderr);
  });

  test('exits 75 where the outcome is unknown', async (t) => {
    const body = '{"title":"outcome unknown","status":504}';
    const url = await impostor(t, 504, 'application/problem+json', body);
    const command = runCommand(t, ['publish', 'news', 'x', '--url', url]);
    assert.equal((await command.ends()).code, 75, command.stderr);
  });
});
