/** What is allowed and probably not meant is told, with its place. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { loadConfig } from '../../src/config/load.ts';
import { describeProblem } from '../../src/errors.ts';
import { load, REDIS } from './support.ts';

describe('a configuration', () => {
  test('without anything odd has no warnings', async () => {
    assert.deepEqual((await loadConfig({ env: {} })).warnings, []);
    assert.deepEqual((await loadConfig({ env: {}, redis: 'redis://x' })).warnings, []);
    assert.deepEqual(await warningsOf(`${REDIS}channels: {prices: {}}\nallow: {subscribe: [], admin: true}\n`), []);
  });

  test('with a pattern of allow that no channel matches says which', async () => {
    const channels = 'channels: {prices: {}, "chat.{room}": {}}\n';
    assert.deepEqual(
      await warningsOf(`${REDIS}${channels}allow: {subscribe: [prices, "caht.*"], publish: ["news.*"]}\n`),
      [
        '3:29: allow.subscribe.1: found "caht.*", which no channel\'s name can match (did you mean chat.*?)',
        '3:50: allow.publish.0: found "news.*", which no channel\'s name can match (add the channel, or take the pattern out)',
      ],
    );
    assert.deepEqual(await warningsOf(`${REDIS}channels: {"*": {}}\nallow: {subscribe: ["news.*"]}\n`), []);
  });

  test('with a limit for each address where all come by a proxy of this machine says so', async () => {
    const text = (server: string) =>
      `${REDIS}channels: {prices: {}}\nserver: {${server}}\nlimits: {connections_per_ip: 9}\nallow: {subscribe: []}\n`;
    assert.deepEqual(await warningsOf(text('')), [
      '4:10: limits.connections_per_ip: counts everybody who comes by a proxy on this machine as one address (write server: {trusted_proxies: [loopback]})',
    ]);
    assert.deepEqual(await warningsOf(text('listen: "unix:/run/a.sock"')), [
      '4:10: limits.connections_per_ip: has no effect: whoever comes by a unix socket has no address unless the proxy is believed (write server: {trusted_proxies: [unix]})',
    ]);
    const rate = `${REDIS}channels: {prices: {}}\nlimits: {publish_rate: 5}\n`;
    assert.deepEqual(await warningsOf(rate), [
      '3:10: limits.publish_rate: counts everybody who comes by a proxy on this machine as one address (write server: {trusted_proxies: [loopback]})',
    ]);
    for (const server of ['trusted_proxies: [loopback]', 'listen: "0.0.0.0:8080"'])
      assert.deepEqual(await warningsOf(text(server)), []);
  });

  test('with a source that no channel reads says which', async () => {
    const sources = 'sources: {one: {redis: redis://a}, two: {redis: redis://b}}\n';
    assert.deepEqual(await warningsOf(`${sources}channels: {prices: {source: one}}\n`), [
      '1:36: sources.two: no channel is read from this source (take it out if it is not needed)',
    ]);
    assert.deepEqual(await warningsOf(`${REDIS}channels: {lobby: {memory: true}}\n`), [
      '1:1: redis: no channel is read from this source (take it out if it is not needed)',
    ]);
  });

  test('with a pattern that is none, or credentials for nobody, says so', async () => {
    assert.deepEqual(
      await warningsOf(`${REDIS}channels: {a: {pattern: "app:a"}, b: {pattern: "b\\\\*"}, c: {pattern: "c?"}}\n`),
      [
        '2:16: channels.a.pattern: found "app:a" without * ? or [, so it reads one Redis channel and cannot be published to (write pubsub for pattern)',
        '2:39: channels.b.pattern: found "b\\\\*" without * ? or [, so it reads one Redis channel and cannot be published to (write pubsub for pattern)',
      ],
    );
    assert.deepEqual(await warningsOf(`${REDIS}channels: {a: {}}\ncors: {credentials: true}\n`), [
      '3:8: cors.credentials: has no effect, because cors.origins lists no page (add the origins, or take the line out)',
    ]);
  });
});

async function warningsOf(text: string): Promise<string[]> {
  return (await load(text)).warnings.map((warning) => describeProblem(warning).replace('c.yaml:', ''));
}
