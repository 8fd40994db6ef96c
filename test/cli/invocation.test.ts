/** The beginning of the command lines that `serve` prints. */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { invocation, quoted } from '../../src/cli/invocation.ts';
import { scratchFolder } from '../support/scratch.ts';

describe('a line that can be pasted', () => {
  test('names the program alone where the shell finds it', async (t) => {
    const folder = await scratchFolder(t);
    const executable = join(folder, 'dist/sse-gateway');
    mkdirSync(join(folder, 'dist'));
    mkdirSync(join(folder, 'bin'));
    writeFileSync(executable, '');
    chmodSync(executable, 0o755);
    symlinkSync(executable, join(folder, 'bin/sse-gateway'));
    const call = { executable, script: executable, bundled: true, cwd: folder };
    assert.equal(invocation({ ...call, env: { PATH: `/nowhere:${folder}/bin` } }), 'sse-gateway');
    assert.equal(invocation({ ...call, env: { PATH: '/usr/bin' } }), 'dist/sse-gateway');
    assert.equal(invocation({ ...call, env: {}, cwd: join(folder, 'dist') }), './sse-gateway');
    assert.equal(invocation({ ...call, env: {}, cwd: '/usr' }), executable);
  });

  test('runs the sources by the Node that runs them now', async (t) => {
    const folder = await scratchFolder(t);
    const executable = join(folder, 'node_modules/.bin/node');
    mkdirSync(join(folder, 'node_modules/.bin'), { recursive: true });
    writeFileSync(executable, '');
    chmodSync(executable, 0o755);
    const call = { executable, script: join(folder, 'bin/sse-gateway.ts'), bundled: false, cwd: folder };
    const env = { PATH: join(folder, 'node_modules/.bin') };
    assert.equal(invocation({ ...call, env }), 'node bin/sse-gateway.ts');
    assert.equal(invocation({ ...call, env: {} }), 'node_modules/.bin/node bin/sse-gateway.ts');
    const underNpm = { ...env, npm_lifecycle_event: 'start' };
    assert.equal(invocation({ ...call, env: underNpm }), 'node_modules/.bin/node bin/sse-gateway.ts');
    const real = join(folder, 'node');
    renameSync(executable, real);
    symlinkSync(real, executable);
    const linked = { ...call, executable: real, env: underNpm };
    assert.equal(invocation(linked), 'node_modules/.bin/node bin/sse-gateway.ts');
    assert.equal(
      invocation({ ...linked, cwd: '/' }),
      `.${real} ${join(folder, 'bin/sse-gateway.ts').slice(1)}`.slice(2),
    );
  });

  test('runs by npm where it was started by npm and there is a script for it', async (t) => {
    const folder = await scratchFolder(t);
    const manifest = join(folder, 'package.json');
    writeFileSync(manifest, JSON.stringify({ scripts: { 'sse-gateway': 'node bin/sse-gateway.ts' } }));
    const call = {
      executable: '/usr/bin/node',
      script: join(folder, 'bin/sse-gateway.ts'),
      bundled: false,
      cwd: folder,
    };
    const env = { npm_lifecycle_event: 'start', npm_package_json: manifest };
    assert.equal(invocation({ ...call, env }), 'npm run -s sse-gateway --');
  });

  test('quotes what a shell would take apart', () => {
    assert.equal(quoted('chat.lobby'), 'chat.lobby');
    assert.equal(quoted('a|b'), "'a|b'");
    assert.equal(quoted("it's ~"), "'it'\\''s ~'");
    assert.equal(quoted('~a'), "'~a'");
    assert.equal(quoted(''), "''");
  });
});
