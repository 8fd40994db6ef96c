/** Sentinels as the address of a source: what is read, what is refused, and that no password shows. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { printConfig } from '../../src/config/print.ts';
import { describeRedis } from '../../src/config/redis-url.ts';
import { describeProblem } from '../../src/errors.ts';
import { load, problemsOf } from './support.ts';

const folder = mkdtempSync(join(tmpdir(), 'sse-gateway-sentinel-'));
after(() => rmSync(folder, { recursive: true }));

const CHANNELS = 'channels: {prices: {}}\n';

/** A configuration whose one source has these keys under `sentinel`. */
const withSentinel = (keys: string): string => `sources: {main: {sentinel: {${keys}}}}\n${CHANNELS}`;

const NODES = 'name: mymaster, nodes: [a, "b:7000", "[::1]:26380"]';

describe('Sentinels as the address of a source', () => {
  test('are a name and nodes, whose port may be left out', async () => {
    const { sources } = await load(withSentinel(NODES));
    const nodes = [
      { host: 'a', port: 26379 },
      { host: 'b', port: 7000 },
      { host: '::1', port: 26380 },
    ];
    const redis = { sentinel: { name: 'mymaster', nodes }, db: 0, tls: false };
    assert.deepEqual(sources.get('main')?.redis, redis);
  });

  test('have logins of their own beside those of the servers', async () => {
    const keys = `${NODES}, username: app, password: "\${P}", sentinel_password: s2, db: 3, tls: true`;
    const redis = (await load(withSentinel(keys), { P: 's1' })).sources.get('main')?.redis;
    assert.ok(redis !== undefined && 'sentinel' in redis);
    const { sentinel, ...servers } = redis;
    assert.deepEqual([sentinel.password, servers], ['s2', { db: 3, tls: true, username: 'app', password: 's1' }]);
  });

  test('take passwords from files', async () => {
    const servers = written('servers', 'secret-one\n');
    const sentinels = written('sentinels', 'secret-two');
    const keys = `${NODES}, password_file: ${servers}, sentinel_password_file: ${sentinels}`;
    const config = await load(withSentinel(keys));
    const redis = config.sources.get('main')?.redis;
    assert.ok(redis !== undefined && 'sentinel' in redis);
    assert.deepEqual([redis.password, redis.sentinel.password], ['secret-one', 'secret-two']);
    const text = printConfig(config);
    assert.doesNotMatch(text, /secret-one|secret-two|\*\*\*/);
    assert.deepEqual((await load(text)).sources, config.sources);
  });

  test('are printed so that they can be read again, passwords as ***', async () => {
    const config = await load(withSentinel(NODES));
    assert.deepEqual((await load(printConfig(config))).sources, config.sources);
    const secret = await load(withSentinel(`${NODES}, password: hunter2, sentinel_password: hunter3`));
    assert.doesNotMatch(printConfig(secret), /hunter/);
    assert.match(printConfig(secret), / sentinel_password: "\*\*\*"\n/);
    assert.match(printConfig(secret), / password: "\*\*\*"\n/);
  });

  test('are described without a password', async () => {
    const { sources } = await load(withSentinel(`${NODES}, password: hunter2`));
    const redis = sources.get('main')?.redis;
    assert.equal(redis && describeRedis(redis), 'mymaster by Sentinel at a:26379, b:7000, [::1]:26380');
  });

  test('are warned of where everybody on the machine may read a password', async () => {
    const file = written('open', 's', 0o644);
    const { warnings } = await load(withSentinel(`${NODES}, password_file: ${file}`));
    assert.match(
      warnings.map(describeProblem).join('\n'),
      /^c\.yaml:1:\d+: sources\.main\.sentinel\.password_file: found ".*", a file with a password that every user/,
    );
  });
});

describe('Sentinels that cannot be meant', () => {
  const mistakes: readonly (readonly [what: string, keys: string, said: RegExp])[] = [
    ['no name', 'nodes: [a]', /^1:\d+: sources\.main\.sentinel: has no name \(add what the Sentinels call the primary/],
    ['no nodes', 'name: m', /sources\.main\.sentinel: has no nodes \(add nodes: /],
    ['an empty list of nodes', 'name: m, nodes: []', /has no nodes/],
    ['nothing', '', /has no name.*\n.*has no nodes/s],
    ['a URL as a node', 'name: m, nodes: ["redis://:hunter2@a:1"]', /nodes\.0: found .* \(write host:port alone/],
    ['a port that is none', 'name: m, nodes: ["a:0"]', /nodes\.0: found "a:0": the port is not a plain number/],
    ['a node twice', 'name: m, nodes: [a, "A:26379"]', /nodes\.1: a:26379 stands there already \(take it out\)/],
    ['an empty name', 'name: "", nodes: [a]', /name: found "", wanted the name that the Sentinels give/],
    ['a name with a space', 'name: "a b", nodes: [a]', /name: found "a b", wanted the name/],
    ['an empty password', `${NODES}, password: ""`, /password: found something else, wanted a password/],
    ['a list as a password', `${NODES}, password: [hunter2]`, /password: found a list, wanted a password/],
    [
      'a password and its file',
      `${NODES}, password: hunter2, password_file: /x`,
      /keep either password or password_file/,
    ],
    [
      'a file that is not there',
      `${NODES}, password_file: /nowhere/x`,
      /password_file: found "\/nowhere\/x": there is no/,
    ],
    ['a database that is no number', `${NODES}, db: first`, /db: found "first", wanted a whole number/],
    ['an unknown key', `${NODES}, pasword: hunter2`, /pasword: unknown key \(did you mean password\?\)/],
  ];
  for (const [what, keys, wanted] of mistakes) {
    test(`are refused: ${what}`, async () => {
      const said = (await problemsOf(withSentinel(keys))).join('\n');
      assert.match(said, wanted);
      assert.doesNotMatch(said, /hunter/);
    });
  }

  test('are refused beside a URL', async () => {
    const text = `sources: {main: {redis: redis://x, sentinel: {${NODES}}}}\n${CHANNELS}`;
    assert.match(
      (await problemsOf(text)).join('\n'),
      /sentinel: redis says the address already \(keep either redis or sentinel\)/,
    );
  });
});

function written(name: string, content: string, mode = 0o600): string {
  const file = join(folder, name);
  writeFileSync(file, content, { mode });
  return file;
}
