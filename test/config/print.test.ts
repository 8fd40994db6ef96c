/** What is printed is the configuration in effect: it can be loaded again, and shows no secret. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import fc from 'fast-check';
import type { Config } from '../../src/config/config.ts';
import { exampleYaml } from '../../src/config/example.ts';
import { loadConfig } from '../../src/config/load.ts';
import { printConfig } from '../../src/config/print.ts';
import { GOOD } from './mistakes.ts';
import { load, problemsOf, REDIS } from './support.ts';

const folder = mkdtempSync(join(tmpdir(), 'sse-gateway-print-'));
after(() => rmSync(folder, { recursive: true }));

describe('a printed configuration', () => {
  test('says the same when it is loaded again', async () => {
    for (const text of [GOOD, exampleYaml()]) await assertSame(await load(text));
  });

  test('of any configuration says the same when it is loaded again', async () => {
    await fc.assert(
      fc.asyncProperty(files(), async (text) => await assertSame(await load(text, { X: '$ # "' }))),
      { numRuns: 300 },
    );
  });

  test('without a file is the built-in one', async () => {
    const config = await loadConfig({ env: {}, listen: '127.0.0.1:9000' });
    const text = printConfig(config);
    assert.match(text, /^# In effect without a file\. /);
    assert.match(text, /\n {2}listen: 127\.0\.0\.1:9000\n/);
    assert.match(text, /\nchannels:\n {2}"\*":\n {4}memory: true\n/);
    await assertSame(config);
    await assertSame(await loadConfig({ env: {}, redis: 'redis://[::1]:7000/2' }));
  });

  test('has every default filled in', async () => {
    const text = printConfig(await load(`${REDIS}channels: {prices: {}}\n`));
    for (const line of [
      'server:\n  listen: 127.0.0.1:8080',
      '  drain:\n    window: 20s',
      '    prefix: ""',
      '    replay: none',
    ]) {
      assert.ok(text.includes(`${line}\n`), line);
    }
  });

  test('shows neither user nor password, and cannot be taken for the whole truth', async () => {
    const config = await load(`redis: redis://alice:hunter2@redis.example.com/3\nchannels: {prices: {}}\n`);
    const text = printConfig(config);
    assert.doesNotMatch(text, /alice|hunter2/);
    assert.match(text, /\n {4}redis: "redis:\/\/\*\*\*@redis\.example\.com:6379\/3"\n/);
    assert.match(
      (await problemsOf(text)).join('\n'),
      /^\d+:12: sources\.redis\.redis: what stands before @ has no colon/,
    );
  });

  test('names the file of a secret, and not what it holds', async () => {
    const file = join(folder, 'url');
    writeFileSync(file, 'redis://:hunter2@x\n', { mode: 0o600 });
    const config = await load(`redis_file: ${file}\nchannels: {prices: {}}\n`);
    assert.doesNotMatch(printConfig(config), /hunter2/);
    await assertSame(config);
  });

  test('has only what can be typed and seen in it', async () => {
    const text = printConfig(await load(`${REDIS}channels: {a: {event: "x\\e[31m\\x7F\\u202E\\uD800\u00A0"}}\n`));
    assert.ok(text.includes(String.raw`event: "x\u001b[31m\u007f\u202e\ud800`), text);
    assert.doesNotMatch(text, /[^\n\P{Cc}]|\u202e/u);
  });
});

async function assertSame(config: Config): Promise<void> {
  const text = printConfig(config);
  const again = await load(text);
  assert.deepEqual(comparable(again), comparable(config), text);
  assert.equal(printConfig({ ...again, origin: config.origin }), text);
}

/** Without what stands in another place, and without functions. */
function comparable({ channels, sources, warnings: _, origin: __, ...rest }: Config): unknown {
  return { ...rest, sources: [...sources], channels: channels.all };
}

const WORDS = [
  ...[
    'app',
    'true',
    'null',
    'no',
    '~',
    '- a',
    'a: b',
    "it's",
    '"',
    '#',
    '${X}',
    '&a',
    '[b]',
    'é',
    '\u2028',
    '1e3',
    ' ',
    '@',
  ],
];
/** Only an event type may have braces here. */
const VARIABLES = ['{feed}', '$${feed}', '$$${feed}'];

/** Text as a file has it, and as any character may stand in it. */
function texts(words = WORDS): fc.Arbitrary<string> {
  return fc
    .array(fc.constantFrom(...words), { minLength: 1, maxLength: 4 })
    .map((words) => JSON.stringify(words.join('')));
}

function durations(): fc.Arbitrary<string> {
  return fc.constantFrom('5s', '90s', '1500ms', '0.5m', '1h', '59m');
}

/** Redis channels with all they can have. */
function channels(): fc.Arbitrary<string> {
  const keys = {
    feed: fc.oneof(
      texts().map((text) => `pubsub: ${text}`),
      fc.constantFrom('pattern: "a*"', 'pattern: "[^x-z]?\\\\*"', 'linger: 10s'),
    ),
    format: fc.constantFrom('text', 'envelope'),
    encode: fc.constantFrom('none', 'json', 'base64'),
    event: texts([...WORDS, ...VARIABLES]),
    replay: fc.constantFrom('none', 'all', '7'),
    follow: fc.constantFrom('on-demand', 'always'),
    age: durations(),
    bytes: fc.constantFrom('4MiB', '5000000B', '4097KiB', '0.125GiB'),
  };
  return fc
    .record(keys)
    .map(
      ({ feed, format, encode, event, replay, follow, age, bytes }) =>
        `{source: main, ${feed}, format: ${format}, encode: ${encode}, event: ${event}, replay: ${replay}, follow: ${follow}, history: {age: ${age}, bytes: ${bytes}}, ids: ${format === 'text' ? 'gateway' : 'publisher'}}`,
    );
}

/** Streams, keys and conflated channels. */
function kept(): fc.Arbitrary<string> {
  const conflate = fc.oneof(
    fc.constantFrom('false', 'true'),
    fc.tuple(texts(), fc.nat({ max: 9 })).map(([key, more]) => `{key: ${key}, max_keys: ${more + 1}}`),
  );
  const keys = {
    name: texts(),
    conflate,
    rate: fc.constantFrom('10/s', '0.5/s', '1000/s', '0.01/s'),
    replay: fc.constantFrom('', ', replay: none', ', replay: 3'),
    body: texts(),
    expire: durations(),
    kind: fc.constantFrom('stream', 'key'),
  };
  return fc.record(keys).map(({ name, conflate, rate, replay, body, expire, kind }) => {
    if (kind === 'key') return `{source: main, key: ${name}, max_rate: ${rate}}`;
    const paced = conflate === 'false' ? '' : `, max_rate: ${rate}`;
    return `{source: main, stream: ${name}, conflate: ${conflate}${paced}${replay}, fields: {data: ${body}}, end_after: ${expire}, publish: {maxlen: 7, expire: ${expire}}}`;
  });
}

function files(): fc.Arbitrary<string> {
  const keys = {
    heartbeat: durations(),
    prefix: fc.constantFrom('""', '"app:"', '"{x}$${"', '"true"'),
    origins: fc.constantFrom('[]', '["*"]', '[https://a, "http://[::1]:8080"]'),
    hosts: fc.constantFrom('[]', '["[::1]", bücher.example, a.b]'),
    allow: fc.constantFrom('{}', '{subscribe: []}', '{subscribe: ["*", "a|b"], publish: ["true"], admin: true}'),
    one: channels(),
    two: channels(),
    three: kept(),
    memory: fc.constantFrom(
      '{memory: true}',
      '{memory: true, replay: all, publish: {idempotency: 90s}, ids: publisher}',
    ),
  };
  return fc.record(keys).map(
    ({ heartbeat, prefix, origins, hosts, allow, one, two, three, memory }) => `
server: {heartbeat: ${heartbeat}, max_connection_age: 2h, hosts: ${hosts}, base_path: /a~b/}
cors: {origins: ${origins}}
sources: {main: {redis: redis://x, prefix: ${prefix}}}
allow: ${allow}
channels:
  one: ${one}
  "true": ${two}
  "null": ${memory}
  three: ${three}
  chat.{room}: {source: main, pubsub: "a {room}", event: "{room} {feed}"}
  "*": {source: main, linger: 100s}
`,
  );
}
