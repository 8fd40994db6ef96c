/** Environment variables stand in for text, and for nothing but text. */
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the texts are files with ${VAR} in them
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { substitute } from '../../src/config/environment.ts';
import { refused } from '../../src/config/parsed.ts';
import { load, problemsOf, REDIS } from './support.ts';

const ENV = { HOST: 'redis.internal', EMPTY: '', PORT: '9000', QUOTE: 'a"b\n: {c: d} # ${HOST} $$' };

describe('a value with ${VAR}', () => {
  test('has what the variable holds, or its default', () => {
    assert.equal(text('redis://${HOST}:${PORT}/0'), 'redis://redis.internal:9000/0');
    assert.equal(text('${NONE:-x}${EMPTY:-y}${HOST:-z}${NONE:-}'), 'xyredis.internal');
    assert.equal(text('${EMPTY}'), '');
    assert.equal(text('${NONE:-a:-b}'), 'a:-b');
  });

  test('has a literal ${ for $${ and leaves every other $ alone', () => {
    assert.equal(text('$${HOST} $HOST $$ $ {HOST} $}'), '${HOST} $HOST $$ $ {HOST} $}');
  });

  test('is refused for a variable that is not set, or what is no variable', () => {
    for (const value of [
      '${NONE}',
      '${',
      '${HOST',
      '${}',
      '${1}',
      '${HO ST}',
      '${HOST-x}',
      '${A:-${HOST}}',
      '${toString}',
      '${__proto__}',
    ]) {
      assert.ok(refused(substitute(value, ENV)), value);
    }
  });

  test('is never searched for variables again', () => {
    assert.equal(text('${QUOTE}'), ENV.QUOTE);
    fc.assert(
      fc.property(fc.string(), (value) => assert.equal(substitute('<${V}>', { V: value }).value?.text, `<${value}>`)),
    );
  });
});

describe('a file with ${VAR}', () => {
  test('takes it as number, duration, size, word and true or false', async () => {
    const env = { N: '7', D: '20s', S: '2MiB', L: 'warn', B: 'true', P: '0' };
    const config = await load(
      `server: {listen: "127.0.0.1:\${P}", heartbeat: "\${D}"}
limits:
  channels: \${N}
  event_size: \${NONE:-512KiB}
  window: \${NONE:-8MiB}
log: {level: "\${L}"}
channels: {a: {memory: "\${B}", history: {bytes: "\${S}"}}}`,
      env,
    );
    assert.equal(config.limits.channels, 7);
    assert.equal(config.server.heartbeat, 20_000);
    assert.equal(config.log.level, 'warn');
    assert.deepEqual(config.channels.resolve('a')?.channel.history.bytes, 2 * 1024 * 1024);
    assert.deepEqual(config.server.listen, { kind: 'tcp', host: '127.0.0.1', port: 0 });
  });

  test('never takes it as structure', async () => {
    const env = {
      V: '[prices]',
      W: '{memory: true}',
      X: 'a\nserver: {listen: 0.0.0.0:80}',
      Y: '!!js/function x',
      Z: '*',
    };
    assert.deepEqual(await problemsOf(`${REDIS}channels: {a: {}}\nallow: {subscribe: "\${V}"}\n`, env), [
      '3:20: allow.subscribe: found the value of ${V}, wanted a list of channel names, in which * is any run of characters (write [...])',
    ]);
    assert.deepEqual(await problemsOf(`${REDIS}channels: {a: "\${W}"}\n`, env), [
      '2:15: channels.a: found the value of ${W}, wanted a map with keys such as source, pubsub, pattern, stream, key, memory, format',
    ]);
    assert.deepEqual(await problemsOf(`${REDIS}channels: {a: {pubsub: "\${X}"}}\n`, env), [
      '2:24: channels.a.pubsub: found the value of ${X}: it has a control character in it',
    ]);
    const { channels, allow } = await load(
      `${REDIS}channels: {a: {pubsub: "\${Y}"}}\nallow: {subscribe: ["\${Z}"]}\n`,
      env,
    );
    assert.deepEqual(channels.resolve('a')?.feed, { kind: 'pubsub', name: '!!js/function x' });
    assert.deepEqual(allow.subscribe, ['*']);
  });

  test('is told of all variables that are not set', async () => {
    const said = await problemsOf('redis: redis://${A}\nserver: {heartbeat: "${B}"}\nchannels: {a: {}}\n');
    assert.deepEqual(said, [
      '1:8: redis: the environment variable A is not set (set it, or write ${A:-default})',
      '2:21: server.heartbeat: the environment variable B is not set (set it, or write ${B:-default})',
    ]);
  });

  test('never shows what a variable holds, wherever it is wrong', async () => {
    const keys = ['listen', 'base_path', 'hosts', 'heartbeat', 'retry'].map((key) => `server: {${key}: "\${S}"}`);
    const more = [
      'log: {level: "${S}"}',
      'limits: {channels: "${S}"}',
      'limits: {event_size: "${S}"}',
      'allow: {subscribe: ["${S}"]}',
      'allow: {admin: "${S}"}',
      'server: {hosts: ["${S}"]}',
      'server: "${S}"',
    ];
    const channels = ['{source: "${S}"}', '{memory: "${S}"}', '{pubsub: "{${S}}"}', '{linger: "${S}"}', '"${S}"'].map(
      (value) => `channels: {a: ${value}}`,
    );
    for (const secret of ['hunter2 secret', 'http://hunter2', '/hunter2', 'hunter2:80:80', '{hunter2}']) {
      for (const line of [...keys, ...more, 'redis: "${S}"', 'redis: "redis://:${S}@h"', ...channels]) {
        const rest = line.startsWith('channels')
          ? REDIS
          : `${line.startsWith('redis') ? '' : REDIS}channels: {a: {later: 1}}\n`;
        const said = (await problemsOf(`${rest}${line}\nunknown: 1\n`, { S: secret })).join('\n');
        assert.ok(!said.includes('hunter2'), said);
      }
    }
  });
});

function text(value: string): string | undefined {
  return substitute(value, ENV).value?.text;
}
