/** Web pages of other origins: who may read, who may write, and what a browser is told. */
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { suiteOwner } from '../support/owner.ts';
import { assertProblem } from '../support/problem.ts';

const OPEN = 'allow: {subscribe: ["*"], publish: ["*"]}\nchannels: {"n.{x}": {memory: true}}\n';
const APP = 'https://app.example.com';
const FOREIGN = [
  'https://evil.example',
  'null',
  'http://app.example.com',
  'https://app.example.com:8443',
  'https://app.example.com.evil.example',
  'https://x.app.example.com',
];
const WRITES = [
  ['POST', '/events/n.a'],
  ['POST', '/events'],
  ['DELETE', '/events/n.a'],
] as const;

describe('pages of origins that are named', () => {
  const owner = suiteOwner();
  let gateway: Gateway;
  before(async () => {
    gateway = await startGateway(owner, {
      config: `${OPEN}cors: {origins: ["${APP}", "http://localhost:3000"], credentials: true}\n`,
    });
  });

  test('may read streams, answers and errors, with cookies', async (t) => {
    const stream = gateway.stream(t, '/events/n.a', { headers: { origin: APP } });
    assert.equal((await stream.responded()).headers.get('access-control-allow-origin'), APP);
    for (const path of ['/events/unknown', '/events/n.a?lastEventId=x', '/healthz', '/nowhere']) {
      const { headers } = await gateway.get(path, { method: 'HEAD', headers: { origin: 'http://localhost:3000' } });
      assert.equal(headers.get('access-control-allow-origin'), 'http://localhost:3000', path);
      assert.equal(headers.get('access-control-allow-credentials'), 'true', path);
      assert.match(headers.get('vary') ?? '', /\borigin\b/i, path);
    }
  });

  test('are told by a preflight what they may send, also where a right lacks', async () => {
    for (const path of ['/events/n.a', '/events', '/channels', '/metrics']) {
      const response = await preflight(gateway, path, APP);
      assert.ok(response.ok, `${path}: ${response.status}`);
      const { headers } = response;
      assert.equal(headers.get('access-control-allow-origin'), APP);
      assert.equal(headers.get('access-control-allow-credentials'), 'true');
      assert.match(headers.get('access-control-allow-methods') ?? '', /POST.*DELETE/);
      for (const name of ['authorization', 'content-type', 'idempotency-key', 'last-event-id']) {
        assert.ok(headers.get('access-control-allow-headers')?.toLowerCase().includes(name), name);
      }
    }
  });

  test('may write', async () => {
    for (const [method, path] of WRITES) {
      const body = method === 'POST' ? '{"channel":"n.a","data":"x"}' : null;
      const response = await gateway.get(path, { method, body, headers: { origin: APP } });
      assert.equal(response.status, 200, await response.text());
      assert.equal(response.headers.get('access-control-allow-origin'), APP);
    }
  });

  test('others are not told that they may read, and an answer says that it depends', async () => {
    for (const origin of FOREIGN) {
      const answers = [
        await gateway.get('/events/n.a', { method: 'HEAD', headers: { origin } }),
        await preflight(gateway, '/events/n.a', origin),
      ];
      for (const { headers } of answers) {
        for (const name of ['origin', 'methods', 'headers', 'credentials']) {
          assert.equal(headers.get(`access-control-allow-${name}`), null, origin);
        }
        assert.match(headers.get('vary') ?? '', /\borigin\b/i, origin);
      }
    }
    const { headers } = await gateway.get('/events/n.a', { method: 'HEAD' });
    assert.match(headers.get('vary') ?? '', /\borigin\b/i);
  });

  test('others may not write, and nothing is written', async (t) => {
    const stream = gateway.stream(t, '/events/n.b');
    await stream.opened();
    for (const origin of FOREIGN) await assertMayNotWrite(gateway, { origin });
    await assertMayNotWrite(gateway, {
      origin: 'https://evil.example',
      authorization: `Bearer ${await keyOf(gateway)}`,
    });
    await gateway.publish('n.b', 'first');
    assert.equal((await stream.next()).data, 'first');
  });
});

describe('cors.origins: ["*"]', () => {
  const owner = suiteOwner();
  let gateway: Gateway;
  before(async () => {
    gateway = await startGateway(owner, { config: `${OPEN}cors: {origins: ["*"]}\n` });
  });

  test('lets every page read, never with cookies', async () => {
    for (const origin of [APP, 'null', 'http://localhost:1']) {
      for (const response of [
        await gateway.get('/events/n.a', { method: 'HEAD', headers: { origin, cookie: 'a=b' } }),
        await preflight(gateway, '/events/n.a', origin),
      ]) {
        assert.equal(response.headers.get('access-control-allow-origin'), '*');
        assert.equal(response.headers.get('access-control-allow-credentials'), null);
      }
    }
  });

  test('lets those write who bring a credential, although everybody has the right', async () => {
    const authorization = `Bearer ${await keyOf(gateway)}`;
    for (const [method, path] of WRITES) {
      const body = method === 'POST' ? '{"channel":"n.a","data":"x"}' : null;
      const response = await gateway.get(path, { method, body, headers: { origin: APP, authorization } });
      assert.equal(response.status, 200, await response.text());
    }
  });

  test('refuses pages without a credential, and with one that nobody knows', async () => {
    const key = await keyOf(gateway);
    await assertMayNotWrite(gateway, { origin: APP });
    for (const authorization of ['Bearer junk', 'Bearer', 'Basic eDp4', key, `Bearer ${key}x`, `Basic ${key}`]) {
      await assertMayNotWrite(gateway, { origin: APP, authorization });
    }
    await assertMayNotWrite(gateway, { origin: 'null', cookie: `sse_gateway=${key}` });
  });
});

test('without cors no page of another origin is told anything, and none may write', async (t) => {
  const gateway = await startGateway(t, { config: OPEN });
  for (const response of [
    await gateway.get('/events/n.a', { method: 'HEAD', headers: { origin: APP } }),
    await preflight(gateway, '/events/n.a', APP),
  ]) {
    const told = [...response.headers.keys()].filter((name) => name.startsWith('access-control-'));
    assert.deepEqual(told, []);
  }
  await assertMayNotWrite(gateway, { origin: APP });
});

test('* together with credentials is a config error', async (t) => {
  const refused = startGateway(t, { config: `${OPEN}cors: {origins: ["*"], credentials: true}\n` });
  await assert.rejects(refused, /cors/);
});

function preflight(gateway: Gateway, path: string, origin: string): Promise<Response> {
  const asked = { 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization' };
  return gateway.get(path, { method: 'OPTIONS', headers: { origin, ...asked } });
}

/** Asserts that every request that writes is refused for its origin. */
async function assertMayNotWrite(gateway: Gateway, headers: Record<string, string>): Promise<void> {
  for (const [method, path] of WRITES) {
    const body = method === 'POST' ? '{"channel":"n.b","data":"bad"}' : null;
    const text = await assertProblem(await gateway.get(path.replace('.a', '.b'), { method, body, headers }), 403);
    assert.match(text, /foreign-origin/, JSON.stringify(headers));
  }
}

/** The key of the command line on this machine. */
async function keyOf(gateway: Gateway): Promise<string> {
  const folder = join(gateway.runtimeFolder, 'sse-gateway');
  const [file = ''] = await readdir(folder);
  return (await readFile(join(folder, file), 'utf8')).trim();
}
