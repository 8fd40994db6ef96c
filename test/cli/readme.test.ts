/** The command lines of the README and of docs/cli.md, as somebody pastes them into a shell, against a real gateway and Redis. */
import assert from 'node:assert/strict';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Child, startChild } from '../support/child.ts';
import { type Owner, suiteOwner } from '../support/owner.ts';
import { startRedis } from '../support/redis.ts';
import { scratchFolder } from '../support/scratch.ts';
import { waitFor } from '../support/wait.ts';

describe('the examples of docs/cli.md', () => {
  const owner = suiteOwner();
  const text = pageText('docs/cli.md');
  const lines = blocks(text, 'sh').flatMap((block) => block.split('\n'));
  let shell: Shell;
  before(async () => {
    shell = await openShell(owner, blocks(text, 'yaml')[0] ?? '');
    const gateway = shell.run(owner, served('sse-gateway serve --config gateway.yaml'));
    shell.gateway = await addressOf(gateway);
    await becomesReady(shell);
  });

  test('are many', () => {
    assert.ok(lines.length >= 20 && lines.every((line) => line.includes('sse-gateway ')), lines.join('\n'));
  });

  for (const line of lines) {
    test(line, async (t) => {
      if (line.startsWith('sse-gateway serve')) await serves(t, shell, line);
      else if (line.startsWith('sse-gateway tail') && !line.includes('--count')) await follows(t, shell, line);
      else assert.equal((await shell.run(t, line).ends()).code, 0);
    });
  }
});

describe('the examples of the README', () => {
  const owner = suiteOwner();
  const text = pageText('README.md');
  let shell: Shell;
  before(async () => {
    shell = await openShell(owner, blocks(text, 'yaml')[0] ?? '');
  });

  test('serve a Redis, follow a channel and publish to it', async (t) => {
    const lines = [...text.matchAll(/^ {4}(sse-gateway .*)$/gm)].map((match) => withoutComment(match[1] ?? ''));
    const [serve, tail, publish] = ['serve', 'tail', 'publish'].map((command) =>
      lines.find((line) => line.startsWith(`sse-gateway ${command} `)),
    );
    assert.ok(serve !== undefined && tail !== undefined && publish !== undefined, lines.join('\n'));
    const gateway = shell.run(t, served(serve));
    shell.gateway = await addressOf(gateway);
    await becomesReady(shell);
    const following = shell.run(t, `exec ${tail} --gateway-events`);
    // Either Redis was heard when the stream was opened, or the gap says when it was.
    await following.printed('stdout', /"resumed":false\}|"source-lost"/);
    const published = shell.run(t, publish);
    assert.equal((await published.ends()).code, 0, published.stderr);
    await following.printed('stdout', /\n42\n/);
  });

  test('have a configuration that can be served', async (t) => {
    const check = shell.run(t, 'sse-gateway check --config gateway.yaml');
    assert.equal((await check.ends()).code, 0, check.stderr);
    assert.doesNotMatch(check.stdout, /warning/);
    await serves(t, shell, 'sse-gateway serve --config gateway.yaml');
  });
});

/** A folder, a Redis and a gateway, in which command lines run as they stand. */
interface Shell {
  gateway: string;
  run(owner: Owner, line: string): Child;
}

/** `config` is the text of gateway.yaml. Its Redis, and that of the lines, is one of the test's own. */
async function openShell(owner: Owner, config: string): Promise<Shell> {
  const folder = await scratchFolder(owner);
  const redis = await startRedis(owner);
  const here = (text: string) => text.replaceAll('127.0.0.1:6379', `127.0.0.1:${redis.port}`);
  writeFileSync(join(folder, 'gateway.yaml'), here(config));
  const bin = fileURLToPath(new URL('../../bin/sse-gateway.ts', import.meta.url));
  const program = process.env['SSE_GATEWAY_BIN'] ?? `${process.execPath}' '${bin}`;
  writeFileSync(join(folder, 'sse-gateway'), `#!/bin/sh\nexec '${program}' "$@"\n`);
  chmodSync(join(folder, 'sse-gateway'), 0o755);
  const PATH = `${folder}:${process.env['PATH']}`;
  const shell: Shell = {
    gateway: '',
    run(lineOwner, line) {
      const env = { PATH, HOME: folder, XDG_RUNTIME_DIR: folder, SSE_GATEWAY_URL: shell.gateway };
      return startChild(lineOwner, '/bin/sh', ['-c', here(line)], { cwd: folder, env });
    },
  };
  return shell;
}

/** Any port, and signals reach it. */
function served(line: string): string {
  return `exec ${line} --listen 127.0.0.1:0`;
}

async function addressOf(gateway: Child): Promise<string> {
  const [, address = ''] = await gateway.printed('stderr', /listening on (http:\/\/127\.0\.0\.1:\d+)/);
  return address;
}

/** Settles when the gateway hears its Redis. */
async function becomesReady({ gateway }: Shell): Promise<void> {
  await waitFor('/readyz to be 200', async () => {
    const response = await fetch(`${gateway}/readyz`);
    await response.text();
    return response.status === 200;
  });
}

async function serves(t: TestContext, shell: Shell, line: string): Promise<void> {
  const child = shell.run(t, served(line));
  const response = await fetch(`${await addressOf(child)}/healthz`);
  assert.equal(response.status, 200);
  child.signal('SIGTERM');
  assert.equal((await child.ends()).code, 0);
}

async function follows(t: TestContext, shell: Shell, line: string): Promise<void> {
  const child = shell.run(t, `exec ${line}`);
  await child.printed('stderr', /^following /);
  child.signal('SIGINT');
  assert.equal((await child.ends()).code, 130);
}

function pageText(path: string): string {
  return readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
}

/** The fenced blocks of a language. */
function blocks(text: string, language: string): string[] {
  return [...text.matchAll(/^```(\w*)\n([\s\S]*?)\n```$/gm)].flatMap(([, of, block]) =>
    of === language && block !== undefined ? [block] : [],
  );
}

function withoutComment(line: string): string {
  return line.replace(/\s+#.*$/, '');
}
