/**
 * `config.example.yaml` and `docs/configuration.md` are what the schema says.
 * With UPDATE_GENERATED=1 in the environment this test writes them.
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { exampleYaml } from '../../src/config/example.ts';
import { jsonSchema } from '../../src/config/json-schema.ts';
import { loadConfig } from '../../src/config/load.ts';
import { isRecord } from '../../src/config/record.ts';
import { referenceMarkdown } from '../../src/config/reference.ts';
import { schema } from '../../src/config/schema.ts';
import { type Fields, isSection } from '../../src/config/section.ts';
import { load, problemsOf } from './support.ts';

describe('config.example.yaml', () => {
  test('is what the schema says', () => assertGenerated('config.example.yaml', exampleYaml()));

  test('loads as it stands, and says the defaults', async () => {
    const example = await load(exampleYaml());
    assert.deepEqual(example.warnings, []);
    const { server, cors, log, limits, allow } = await loadConfig({ env: {} });
    assert.deepEqual(
      { ...example.server, ...example.cors, ...example.log, ...example.limits, ...example.allow },
      { ...server, ...cors, ...log, ...limits, ...allow },
    );
    const minimal = await load('redis: redis://127.0.0.1:6379\nchannels: {prices: {}}\n');
    assert.deepEqual(example.channels.resolve('prices'), minimal.channels.resolve('prices'));
    assert.deepEqual(example.sources, minimal.sources);
  });

  test('has every key, also those without a default', async () => {
    const text = exampleYaml();
    for (const path of allKeys(schema.fields))
      assert.match(text, new RegExp(`^[# ]*${path.at(-1)}:`, 'm'), path.join('.'));
    // With every comment sign taken away that hides a key, all that is wrong is that there are two sources,
    // and that keys stand beside what they stand instead of.
    const said = await problemsOf(text.replaceAll(/^( *)#(?=[a-z_]+:| {2})/gm, '$1'));
    assert.deepEqual(
      said.filter(
        (line) =>
          !/there are several|keep either|a publish is repeated|of a stream have fields|without conflate/.test(line),
      ),
      [],
    );
  });
});

describe('docs/configuration.md', () => {
  test('is what the schema says', () => assertGenerated('docs/configuration.md', referenceMarkdown()));

  test('has a row for every key', () => {
    for (const path of allKeys(schema.fields))
      assert.ok(referenceMarkdown().includes(`\n| \`${path.at(-1)}\` |`), path.join('.'));
  });

  test('begins with a configuration that loads', async () => {
    const [, sample = ''] = /```yaml\n(.*?)```/s.exec(referenceMarkdown()) ?? [];
    assert.equal((await load(sample)).channels.all.length, 6);
  });
});

describe('the JSON Schema', () => {
  test('takes what the loader takes', () => {
    const good = [
      { channels: { prices: {}, 'chat.{room}': { pubsub: 'chat:{room}' }, '*': null } },
      {
        redis: 'redis://x',
        server: { heartbeat: '15s', listen: 'unix:/x', drain: { window: 0 } },
        channels: { a: { memory: true } },
      },
      {
        channels: { a: { memory: '${M}', history: { events: 5, bytes: '8MiB' } } },
        limits: { channels: '${N}', event_size: '${S:-1MiB}' },
      },
      {
        sources: { main: { redis: '${URL}' } },
        channels: { a: { source: 'main' } },
        allow: { subscribe: [], admin: true },
        log: { level: 'warn' },
      },
      {
        redis_file: '/run/secrets/redis',
        cors: { origins: ['https://app.example.com:8443', '*', 'capacitor://localhost', '${O}'], credentials: true },
        sources: { main: { redis_file: '${FILE}', prefix: 'app:' } },
        channels: {
          a: { pattern: 'sensor:*', format: 'envelope', encode: 'json', event: '{feed}', ids: 'publisher' },
          b: { memory: true, replay: 50, publish: { idempotency: '1h' } },
          c: { replay: 'all', follow: 'always' },
          d: { replay: '${N:-none}', publish: null },
        },
      },
      {
        channels: {
          a: { stream: 'a', fields: { data: 'body' }, end_after: '1m', publish: { maxlen: 0, expire: '1h' } },
          b: { key: 'b', max_rate: '0.5/s', conflate: true },
          c: { conflate: { key: 'symbol', max_keys: 5 }, max_rate: '${RATE}' },
          d: { conflate: { key: 'symbol' }, end_after: 0 },
          e: { conflate: '${CONFLATE}', fields: null },
        },
      },
    ];
    for (const value of good) assert.deepEqual(violations(jsonSchema(), value), [], JSON.stringify(value));
  });

  test('refuses what the loader refuses', () => {
    const bad = [
      {},
      { channels: { 'a b': {} } },
      { channels: {}, lisen: 'x' },
      { channels: {}, server: { heartbeat: '15 s' } },
      { channels: {}, server: { heartbeat: 15 } },
      { channels: {}, limits: { channels: 1.5 } },
      { channels: {}, limits: { event_size: '10MB' } },
      { channels: {}, log: { level: 'loud' } },
      { channels: {}, allow: { subscribe: 'prices' } },
      { channels: {}, allow: { subscribe: ['a b'] } },
      { channels: { a: { memory: 'yes' } } },
      { channels: { a: { stream: '' } } },
      { channels: { a: { key: 5 } } },
      { channels: { a: { conflate: 'symbol' } } },
      { channels: { a: { conflate: {} } } },
      { channels: { a: { conflate: null } } },
      { channels: { a: { conflate: { key: 'a', most: 5 } } } },
      { channels: { a: { max_rate: 10 } } },
      { channels: { a: { max_rate: '600/m' } } },
      { channels: { a: { end_after: 60 } } },
      { channels: { a: { fields: { body: 'x' } } } },
      { channels: { a: { fields: { data: '' } } } },
      { channels: {}, redis: 'http://x' },
      { channels: {}, redis_file: '' },
      { channels: {}, cors: { origins: ['app.example.com'] } },
      { channels: {}, cors: { origins: ['https://*.example.com'] } },
      { channels: {}, cors: { origins: ['https://app.example.com/'] } },
      { channels: {}, cors: { origins: '*' } },
      { channels: { a: { replay: 0 } } },
      { channels: { a: { replay: 'most' } } },
      { channels: { a: { format: 'json' } } },
      { channels: { a: { follow: true } } },
      { channels: { a: { publish: { maxlen: -1 } } } },
    ];
    for (const value of bad) assert.notDeepEqual(violations(jsonSchema(), value), [], JSON.stringify(value));
  });
});

function assertGenerated(name: string, text: string): void {
  const file = new URL(`../../${name}`, import.meta.url);
  if (process.env['UPDATE_GENERATED'] === '1') writeFileSync(file, text);
  assert.equal(readFileSync(file, 'utf8'), text, `run UPDATE_GENERATED=1 node --test ${import.meta.filename}`);
}

function allKeys(fields: Fields, path: readonly string[] = []): (readonly string[])[] {
  return Object.entries(fields).flatMap(([name, field]) => {
    if (field.presence === 'later') return [];
    const inner = isRecord(field.kind) ? field.kind.entry : field.kind;
    return [[...path, name], ...(isSection(inner) ? allKeys(inner.fields, [...path, name]) : [])];
  });
}

/** What is wrong with a value, for the keywords that the schema uses. */
function violations(rule: unknown, value: unknown): string[] {
  if (!isObject(rule)) return [];
  const wrong: string[] = [];
  for (const [keyword, wanted] of Object.entries(rule)) {
    if (!(CHECKS[keyword] ?? unknownKeyword(keyword))(wanted, value, rule))
      wrong.push(`${keyword} for ${JSON.stringify(value)}`);
  }
  return wrong;
}

type Check = (wanted: unknown, value: unknown, rule: Record<string, unknown>) => boolean;

const ANNOTATIONS = ['$schema', 'title', 'description', 'default'];
const CHECKS: Readonly<Record<string, Check>> = {
  ...Object.fromEntries(ANNOTATIONS.map((keyword) => [keyword, () => true])),
  type: (wanted, value) =>
    [wanted].flat().includes(typeOf(value)) || ([wanted].flat().includes('number') && typeOf(value) === 'integer'),
  pattern: (wanted, value) => typeof value !== 'string' || new RegExp(String(wanted), 'u').test(value),
  minLength: (wanted, value) => typeof value !== 'string' || value.length >= Number(wanted),
  minimum: (wanted, value) => typeof value !== 'number' || value >= Number(wanted),
  maximum: (wanted, value) => typeof value !== 'number' || value <= Number(wanted),
  enum: (wanted, value) => Array.isArray(wanted) && wanted.includes(value),
  anyOf: (wanted, value) => Array.isArray(wanted) && wanted.some((rule) => violations(rule, value).length === 0),
  items: (wanted, value) => !Array.isArray(value) || value.every((item) => violations(wanted, item).length === 0),
  required: (wanted, value) => !isObject(value) || [wanted].flat().every((key) => Object.hasOwn(value, String(key))),
  properties: (wanted, value) =>
    !isObject(value) ||
    !isObject(wanted) ||
    Object.entries(value).every(([key, one]) => violations(wanted[key], one).length === 0),
  propertyNames: (wanted, value) =>
    !isObject(value) || Object.keys(value).every((key) => violations(wanted, key).length === 0),
  additionalProperties: (wanted, value, rule) => {
    const known = isObject(rule['properties']) ? rule['properties'] : {};
    const rest = isObject(value) ? Object.entries(value).filter(([key]) => !Object.hasOwn(known, key)) : [];
    return wanted === false ? rest.length === 0 : rest.every(([, one]) => violations(wanted, one).length === 0);
  },
};

function unknownKeyword(keyword: string): never {
  assert.fail(`this test does not know the keyword ${keyword}`);
}

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return Number.isInteger(value) ? 'integer' : typeof value;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
