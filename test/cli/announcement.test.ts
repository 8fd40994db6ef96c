/** What `serve` says at its start, for every way to start it. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { announcement } from '../../src/cli/announcement.ts';
import { parseAddress } from '../../src/client/address.ts';
import type { Config } from '../../src/config/config.ts';
import { loadConfig, parseConfig } from '../../src/config/load.ts';

describe('the announcement', () => {
  test('says where it listens, and what to try without any config', async () => {
    const lines = announce(await loadConfig({ env: {} }), 'http://127.0.0.1:8080');
    assert.equal(lines[0], 'listening on http://127.0.0.1:8080');
    assert.ok(lines.includes('  curl -N http://127.0.0.1:8080/events/hello'));
    assert.ok(lines.includes('  sse-gateway tail hello'));
    assert.ok(lines.includes('  sse-gateway publish hello "first event"'));
    assert.ok(lines.includes('  http://127.0.0.1:8080/'));
  });

  test('names the address where it is not the one that is looked at anyway', async () => {
    const lines = announce(await loadConfig({ env: {} }), 'http://127.0.0.1:9000');
    assert.ok(lines.includes('  sse-gateway tail hello --url http://127.0.0.1:9000'));
    assert.ok(lines.includes('  curl -N http://127.0.0.1:9000/events/hello'));
  });

  test('has the key in the link of the console, only where it is given', async () => {
    const config = await loadConfig({ env: {} });
    const address = parseAddress('http://127.0.0.1:8080');
    const lines = announcement({ config, address, program: 'sse-gateway', key: 'secret' });
    assert.ok(lines.includes('  http://127.0.0.1:8080/#key=secret'));
    assert.doesNotMatch(announce(config, 'http://127.0.0.1:8080').join('\n'), /key/);
  });

  test('says how an application publishes where the channels are those of a Redis', async () => {
    const near = announce(await loadConfig({ redis: 'redis://127.0.0.1:6379', env: {} }), '127.0.0.1:8080');
    assert.ok(near.includes('  redis-cli publish hello "first event"'));
    const far = announce(await loadConfig({ redis: 'rediss://me:secret@db:6380', env: {} }), '127.0.0.1:8080');
    assert.ok(far.includes('  redis-cli -h db -p 6380 --tls publish hello "first event"'));
    assert.doesNotMatch(far.join('\n'), /secret/);
  });

  test('takes the first channel of a config for its examples', async () => {
    const exact = await config('redis: redis://127.0.0.1\nchannels: {prices: {pubsub: "app:prices"}}');
    assert.ok(announce(exact, '127.0.0.1:8080').includes('  redis-cli publish app:prices "first event"'));
    assert.ok(announce(exact, '127.0.0.1:8080').includes('  sse-gateway tail prices'));
    assert.ok(announce(exact, '127.0.0.1:8080').includes('  http://127.0.0.1:8080/#channel=prices'));
    const template = await config('channels: {"chat.{room}": {memory: true}}');
    assert.ok(announce(template, '127.0.0.1:8080').includes('  sse-gateway publish chat.1 "first event"'));
  });

  test('adds to a stream, in the field that holds the data, and sets a key', async () => {
    const said = async (channel: string) =>
      announce(await config(`redis: redis://127.0.0.1\nchannels: {${channel}}`), '127.0.0.1:8080').join('\n');
    assert.match(await said('chat: {stream: "app:chat"}'), /^ {2}redis-cli xadd app:chat '\*' data "first event"$/m);
    assert.match(await said('chat: {stream: a, fields: {data: body}}'), / xadd a '\*' body "first event"$/m);
    assert.match(await said('price: {key: current_price}'), /^ {2}redis-cli set current_price "first event"$/m);
  });

  test('publishes where the channel is heard in Redis: behind the prefix, and what a pattern matches', async () => {
    const prefixed = await config(
      'sources: {main: {redis: "redis://127.0.0.1", prefix: "app:"}}\nchannels: {prices: {}}',
    );
    assert.ok(announce(prefixed, '127.0.0.1:8080').includes('  redis-cli publish app:prices "first event"'));
    const pattern = await config('redis: redis://127.0.0.1\nchannels: {sensors: {pattern: "sensor:*"}}');
    assert.ok(announce(pattern, '127.0.0.1:8080').includes('  redis-cli publish sensor:1 "first event"'));
    const odd = await config('redis: redis://127.0.0.1\nchannels: {sensors: {pattern: "sensor:[ab]"}}');
    assert.doesNotMatch(announce(odd, '127.0.0.1:8080').join('\n'), / publish /);
  });

  test('does not send curl where reading is not open to all', async () => {
    const closed = await config('channels: {a: {memory: true}}\nallow: {subscribe: []}');
    assert.doesNotMatch(announce(closed, '127.0.0.1:8080').join('\n'), /curl/);
  });

  test('works for unix sockets', async () => {
    const lines = announce(await loadConfig({ env: {} }), 'unix:/run/my gateway.sock');
    assert.equal(lines[0], 'listening on unix:/run/my gateway.sock');
    assert.ok(lines.includes("  curl -N --unix-socket '/run/my gateway.sock' http://localhost/events/hello"));
    assert.ok(lines.includes("  sse-gateway tail hello --url 'unix:/run/my gateway.sock'"));
    assert.doesNotMatch(lines.join('\n'), /browser/);
  });
});

function announce(served: Config, address: string): readonly string[] {
  return announcement({ config: served, address: parseAddress(address), program: 'sse-gateway', key: undefined });
}

function config(text: string): Promise<Config> {
  return parseConfig(text, { file: 'gateway.yaml', env: {} });
}
