/** The file is YAML 1.2 and nothing more: what would surprise is refused, with its place. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ConfigError } from '../../src/errors.ts';
import { cpuTimeOf } from '../support/cpu-time.ts';
import { GOOD } from './mistakes.ts';
import { load, problemsOf, REDIS } from './support.ts';

describe('a scalar', () => {
  test('that older YAML takes for true, a number or a date is text', async () => {
    for (const text of [
      'no',
      'on',
      'off',
      'yes',
      'y',
      'n',
      '1:30',
      '2026-01-01',
      '010',
      '0x1F',
      '1e3',
      '1_000',
      '.5',
      '.nan',
      'null2',
    ]) {
      const { channels } = await load(`${REDIS}channels: {${JSON.stringify(text)}: {}, x: {pubsub: ${text}}}\n`);
      assert.deepEqual(channels.resolve('x')?.feed, { kind: 'pubsub', name: text });
      assert.ok(channels.resolve(text) ?? /[^\w.:=-]/.test(text), text);
    }
  });

  test('is a number only as plain digits', async () => {
    for (const text of [
      '-1',
      '1.5',
      '1e3',
      '0x10',
      '0o10',
      '010',
      '8_080',
      '+5',
      '.5',
      '5.',
      'NaN',
      '.inf',
      '٣',
      '99999999999999999999',
    ]) {
      const [said, ...more] = await problemsOf(`${REDIS}channels: {a: {}}\nlimits: {channels: ${text}}\n`);
      assert.match(said ?? '', /^3:20: limits\.channels: found /, text);
      assert.deepEqual(more, []);
    }
  });

  test('is nothing where nothing, ~ or null stands, which a map takes for all defaults', async () => {
    for (const text of ['', '~', 'null', 'Null', 'NULL']) {
      assert.equal((await load(`${REDIS}server: ${text}\nchannels:\n  a: ${text}\n`)).channels.all.length, 1);
      assert.match(
        (await problemsOf(`redis: ${text}\nchannels: {a: {}}\n`)).join('\n'),
        /^1:\d+: redis: found nothing, wanted a Redis URL such as redis:\/\/127\.0\.0\.1:6379$/,
      );
    }
  });
});

describe('a file', () => {
  test('may have CRLF, comments, a document start and end, block and folded text', async () => {
    for (const text of [
      GOOD.replaceAll('\n', '\r\n'),
      `---\n${GOOD}...\n`,
      `%YAML 1.2\n---\n${GOOD}`,
      `# x\n\n${GOOD}# y`,
      GOOD.trimEnd(),
    ]) {
      assert.equal((await load(text)).channels.all.length, 4);
    }
    const { channels } = await load(`${REDIS}channels:\n  a:\n    pubsub: >-\n      one\n      two\n`);
    assert.deepEqual(channels.resolve('a')?.feed, { kind: 'pubsub', name: 'one two' });
  });

  test('may name a value with & and use it with *', async () => {
    const { channels } = await load(
      `${REDIS}channels:\n  a: &x {history: {age: 1m}}\n  b: *x\n  c: {history: &h {age: 2m}}\n  d: {history: *h}\n`,
    );
    assert.deepEqual(
      ['a', 'b', 'c', 'd'].map((name) => channels.resolve(name)?.channel.history.age),
      [60_000, 60_000, 120_000, 120_000],
    );
  });

  test('is refused quickly where aliases multiply', async () => {
    const letters = [...'abcdefghi'];
    const nine = (name: string) => Array(9).fill(name).join(', ');
    const bomb = letters.map(
      (name, index) => `${name}: &${name} [${nine(index === 0 ? 'x' : `*${letters[index - 1]}`)}]\n`,
    );
    const start = performance.now();
    const before = process.memoryUsage().rss;
    const said = await problemsOf(`${REDIS}channels: {a: {}}\n${bomb.join('')}`);
    assert.ok(said.some((line) => line.includes('aliases stand for more than 10000 values (write the values out)')));
    assert.ok(performance.now() - start < 5000);
    assert.ok(process.memoryUsage().rss - before < 200 * 1024 * 1024);
  });

  test('is refused where an alias stands for what it is a part of', async () => {
    for (const text of [
      'channels: &a {x: *a}\n',
      'channels: &a [*a]\n',
      'channels: {x: &a {history: {age: [*a]}}}\n',
    ]) {
      assert.match((await problemsOf(REDIS + text)).join('\n'), /this alias stands for a value that it is a part of/);
    }
  });

  test('is refused quickly with ten thousand merge keys', async () => {
    const start = performance.now();
    const said = await problemsOf(`${REDIS}channels:\n  a: &x {}\n  b:\n${'    <<: *x\n'.repeat(10_000)}`);
    assert.equal(
      said[0],
      '5:5: channels.b: merge keys (<<) are not a part of YAML 1.2 (write the keys out, or use an alias for a whole value)',
    );
    assert.ok(performance.now() - start < 5000);
  });

  test('of a megabyte is refused within a second or two, whatever is in it', async () => {
    const filled = (part: string) => part.repeat(Math.ceil((1024 * 1024) / part.length)).slice(0, 1024 * 1024);
    for (const part of [']', '[', '{}', 'a: b: ', '"a" ', '! ', '\ta: b\n', 'a: [}\n', 'a: 1\n', 'k: "\\q"\n', '\n']) {
      await refusedSoon(filled(part), part);
    }
    await refusedSoon(`"${filled('\\q')}"`, 'escapes');
    await refusedSoon(`[${filled(',')}]`, 'commas');
    await refusedSoon(`[${filled('"a" ')}]`, 'missing commas');
    await refusedSoon(`allow: {subscribe: [${filled('"a b",')}]}`, 'bad names');
    assert.ok(Error.stackTraceLimit > 0);
  });

  test('is refused with any tag', async () => {
    for (const tag of ['!!js/function', '!!binary', '!include', '!!str', '!!set', '!<tag:x>']) {
      assert.match(
        (await problemsOf(`${REDIS}channels: {a: ${tag} x}\n`)).join('\n'),
        /^2:\d+: channels\.a: tags such as ".*" are not used here/,
        tag,
      );
    }
  });

  test('is refused with a second document, an older version, or keys that are no text', async () => {
    const said = async (text: string) => (await problemsOf(text)).join('\n');
    assert.match(await said(`${GOOD}---\na: 1\n`), /^11:1: a second document begins here/);
    assert.match(await said(`${GOOD}...\na: 1\n`), /^12:1: a second document begins here/);
    assert.match(await said(`%YAML 1.1\n---\n${GOOD}`), /^1:1: the file is read as YAML 1\.2/);
    assert.match(await said(`${REDIS}channels: {a: {}}\n? [x]\n: 1\n`), /^3:3: this key is not plain text/);
    assert.match(await said(`${REDIS}channels: {a: {}}\n: 1\n`), /^3:1: a key is missing before the colon/);
  });

  test('is refused without crashing where it is nested without end', async () => {
    for (const text of [
      '['.repeat(20_000),
      '{a: '.repeat(20_000),
      '- '.repeat(20_000),
      '? '.repeat(20_000),
      `a: ${'&x '.repeat(100)}`,
    ]) {
      assert.ok((await problemsOf(text)).length > 0);
    }
  });

  test('that is empty, a list or a word says what is wanted', async () => {
    for (const text of ['', '# nothing\n', '{}']) {
      assert.deepEqual(await problemsOf(text), [
        '1:1: channels: the file has no channels, so there is nothing to subscribe to (add a line such as channels: {prices: {}})',
      ]);
    }
    assert.deepEqual(await problemsOf('- a\n'), [
      '1:1: found a list, wanted a map with keys such as redis, redis_file, server, cors, log, limits, sources',
    ]);
    assert.deepEqual(await problemsOf('hello\n'), [
      '1:1: found "hello", wanted a map with keys such as redis, redis_file, server, cors, log, limits, sources',
    ]);
  });

  test('of any text is accepted or refused, and every place lies in it', async () => {
    const cut = fc
      .tuple(fc.nat(GOOD.length), fc.nat(8), fc.string({ unit: fc.constantFrom(...'{}[]:*&!|>-,"\'#%@` \n\tab1$') }))
      .map(([at, length, put]) => GOOD.slice(0, at) + put + GOOD.slice(at + length));
    await fc.assert(
      fc.asyncProperty(fc.oneof(cut, fc.string(), fc.string({ unit: 'binary' })), async (text) => {
        const error: unknown = await load(text).catch((reason: unknown) => reason);
        if (!(error instanceof Error)) return;
        if (!(error instanceof ConfigError)) throw error;
        const lines = text.split('\n');
        for (const { line, column, message } of error.problems) {
          assert.ok(message.length > 0 && !/\p{Cc}/u.test(message), message);
          assert.ok(line >= 1 && line <= lines.length + 1, `${line} of ${lines.length}`);
          assert.ok(column >= 1 && column <= (lines[line - 1]?.length ?? 0) + 2, `${line}:${column}`);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

/** Much more CPU time than it takes, in milliseconds; without bounds it takes 3 to 12 seconds. */
const SOON = 4000;

async function refusedSoon(text: string, what: string): Promise<void> {
  const took = await cpuTimeOf(async () => assert.ok((await problemsOf(text)).length <= 101));
  assert.ok(took < SOON, `${JSON.stringify(what)} took ${Math.round(took)} ms of CPU time`);
}
