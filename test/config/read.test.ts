/** What is no text file is refused with a sentence, and nothing is waited for. */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { loadConfig } from '../../src/config/load.ts';
import { saidBy } from './support.ts';

const GOOD = 'channels: {lobby: {memory: true}}\n';
const folder = mkdtempSync(join(tmpdir(), 'sse-gateway-config-'));
after(() => rmSync(folder, { recursive: true }));

describe('a configuration file', () => {
  test('may have a byte order mark and be a symbolic link', async () => {
    const file = written('bom.yaml', `\uFEFF${GOOD}`);
    symlinkSync(file, join(folder, 'link.yaml'));
    for (const name of [file, join(folder, 'link.yaml')]) {
      assert.equal((await loadConfig({ file: name, env: {} })).channels.all.length, 1);
    }
  });

  test('that is missing, a directory, a pipe, a device or a loop is refused at once', async () => {
    mkdirSync(join(folder, 'directory'));
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    symlinkSync('loop', join(folder, 'loop'));
    const file = written('plain.yaml', GOOD);
    assert.deepEqual(await said(join(folder, 'missing')), ['there is no such file']);
    assert.deepEqual(await said(join(file, 'below')), ['there is no such file: a part of the path is not a directory']);
    assert.deepEqual(await said(join(folder, 'directory')), ['is a directory, not a file']);
    assert.deepEqual(await said(join(folder, 'pipe')), [
      'is a pipe, not a file (to read from a pipe use - and the standard input)',
    ]);
    assert.deepEqual(await said(join(folder, 'loop')), ['is a symbolic link that leads back to itself']);
    assert.deepEqual(await said('/dev/zero'), ['is a socket or a device, not a file']);
    assert.deepEqual(await said(''), ['there is no such file']);
    assert.deepEqual(await said(join(folder, 'x'.repeat(300))), ['the name is too long']);
  });

  test('that is larger than 1 MiB is refused', async () => {
    assert.deepEqual(await said(written('large.yaml', GOOD + '#'.repeat(1024 * 1024))), [
      'is larger than 1 MiB, so it is hardly a configuration',
    ]);
    const full = GOOD + '#'.repeat(1024 * 1024 - GOOD.length);
    assert.equal((await loadConfig({ file: written('full.yaml', full), env: {} })).channels.all.length, 1);
  });

  test('that is no UTF-8 text is refused with the place', async () => {
    assert.deepEqual(await said(written('utf16le.yaml', Buffer.from(`\uFEFF${GOOD}`, 'utf16le'))), [
      'is written in UTF-16 (save it as UTF-8)',
    ]);
    assert.deepEqual(await said(written('utf16be.yaml', Buffer.from(`\uFEFF${GOOD}`, 'utf16le').swap16())), [
      'is written in UTF-16 (save it as UTF-8)',
    ]);
    assert.deepEqual(await said(written('utf16.yaml', Buffer.from(GOOD, 'utf16le'))), [
      '1:2: the character U+0000 is not allowed here (save the file as UTF-8 text)',
    ]);
    assert.deepEqual(await said(written('latin1.yaml', Buffer.from(`${GOOD}# é\n# Zürich: x\n`, 'latin1'))), [
      '2:3: this is not UTF-8 (save the file as UTF-8)',
    ]);
    assert.deepEqual(await said(written('cut.yaml', Buffer.concat([Buffer.from(GOOD), Buffer.from([0xe2, 0x82])]))), [
      '2:1: this is not UTF-8 (save the file as UTF-8)',
    ]);
    assert.deepEqual(
      await said(written('surrogate.yaml', Buffer.concat([Buffer.from('# € '), Buffer.from([0xed, 0xa0, 0x80])]))),
      ['1:5: this is not UTF-8 (save the file as UTF-8)'],
    );
    assert.deepEqual(await said(written('nul.yaml', `${GOOD}a: "\0"\n`)), [
      '2:5: the character U+0000 is not allowed here (save the file as UTF-8 text)',
    ]);
    assert.deepEqual(await said(written('escape.yaml', `${GOOD}# \x1b[31m\n`)), [
      '2:3: the character U+001B is not allowed here (take it out)',
    ]);
    assert.deepEqual(await said(written('mac.yaml', GOOD.replaceAll('\n', '\r'))), [
      '1:34: the character U+000D is not allowed here (take it out)',
    ]);
  });

  test('is named in every problem', async () => {
    const file = written('bad.yaml', 'chanels: {}\n');
    assert.deepEqual(await saidBy(loadConfig({ file, env: {} }), ''), [
      `${file}:1:1: chanels: unknown key (did you mean channels?)`,
    ]);
  });
});

describe('the standard input as the file', () => {
  test('is read to its end', async () => {
    assert.equal(await fromStdin([GOOD.slice(0, 9), GOOD.slice(9)]), '1 channel\n');
  });

  test('is named <stdin> in problems', async () => {
    assert.equal(await fromStdin(['chanels: {}\n']), '<stdin>:1:1: chanels: unknown key (did you mean channels?)\n');
  });

  test('without end is refused', async () => {
    assert.equal(
      await fromStdin(['#'.repeat(3 * 1024 * 1024)]),
      '<stdin>: is larger than 1 MiB, so it is hardly a configuration\n',
    );
  });
});

function written(name: string, content: string | Buffer): string {
  const file = join(folder, name);
  writeFileSync(file, content);
  return file;
}

/** What is said about a file, without its name. */
async function said(file: string): Promise<string[]> {
  return (await saidBy(loadConfig({ file, env: {} }), `${file}:`)).map((line) => line.trim());
}

async function fromStdin(chunks: readonly string[]): Promise<string> {
  const script = `
    const { loadConfig } = await import('./src/config/load.ts');
    await loadConfig({ file: '-', env: {} }).then(
      (config) => console.log(config.channels.all.length + ' channel'),
      (error) => console.log(error.message),
    );
    process.exit();`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    cwd: new URL('../..', import.meta.url),
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  // The reader may be gone before everything is written.
  child.stdin.on('error', () => child.stdin.destroy());
  for (const chunk of chunks) child.stdin.write(chunk);
  child.stdin.end();
  await once(child, 'close');
  return output;
}
