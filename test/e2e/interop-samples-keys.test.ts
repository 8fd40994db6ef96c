/** The documentation's code for clients that send headers, run as it stands there. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { startChild } from '../support/child.ts';
import { browserEventSource } from '../support/chromium.ts';
import { startPythonSample } from '../support/command-clients.ts';
import { startGateway } from '../support/gateway.ts';
import { followWithParser } from '../support/node-clients.ts';
import { once } from '../support/once.ts';
import { suiteOwner } from '../support/owner.ts';
import { channelOf, localKey, samplePage } from '../support/sample-page.ts';
import { adapted, pageScript, sample } from '../support/samples.ts';

const PAGE = 'docs/clients.md';

const CONFIG = `
allow: {subscribe: ["prices*"], publish: ["*"]}
channels: {"*": {memory: true}}
`;

describe('the samples for clients with headers', { concurrency: true }, () => {
  const owner = suiteOwner();
  const gateway = once(() => startGateway(owner, { config: CONFIG }));
  const browser = once(async () => browserEventSource(owner, `${(await gateway()).url}/events/prices`, []));
  const key = async () => localKey(await gateway());

  test('bring a key with fetch and eventsource-parser, in Node and in a browser', async (t) => {
    const { url, publish } = channelOf(await gateway(), 'secret');
    const leaving = new AbortController();
    t.after(() => leaving.abort());
    const follow = async (token?: string) =>
      (await followWithParser(`${url}/events/secret`, leaving.signal, token))[Symbol.asyncIterator]();
    await assert.rejects((await follow()).next(), /401/);
    const loop = adapted(sample(PAGE, 'for-await.js'), { prices: 'secret' });
    const module = `${sample(PAGE, 'follow.js')}; export async function run(token, opened, show) {
      ${adapted(loop, { '  if (': "  if (event === 'gateway.open') opened(); if (" })}
    }`;
    const page = await samplePage(await browser(), url, pageScript(module, 'client'));
    const opened = page.evaluate(
      `new Promise((opened) => void client.run(${JSON.stringify(await key())}, opened, show))`,
    );
    const events = await follow(await key());
    assert.equal((await events.next()).value?.event, 'gateway.open');
    await opened;
    await publish('hidden');
    assert.equal((await events.next()).value?.data, 'hidden');
    assert.deepEqual(await page.evaluate('until(() => seen.length === 1)'), ['hidden']);
  });

  test('bring a key with fetch-event-source', async () => {
    const { url, publish } = channelOf(await gateway(), 'secret.too');
    const page = await samplePage(await browser(), url, pageScript(sample(PAGE, 'fetch-event-source.js'), 'client'));
    await page.evaluate(
      `client.follow('/events/secret.too', ${JSON.stringify(await key())}, (type) => show(type)); undefined`,
    );
    await page.evaluate('until(() => seen.length === 1)');
    await publish('hidden');
    assert.deepEqual(await page.evaluate('until(() => seen.length === 2)'), ['gateway.open', 'message']);
  });

  test('bring a key with Python, and say so where it is refused', async (t) => {
    const { url, publish } = channelOf(await gateway(), 'secret.three');
    const refused = await startPythonSample(t, `${url}/events/secret.three`, 'wrong');
    await refused.printed('stderr', /ValueError: 401/);
    const child = await startPythonSample(t, `${url}/events/secret.three`, await key());
    await child.printed('stdout', /gateway\.open/);
    await publish('hidden');
    await child.printed('stdout', /"data": "hidden"/);
  });

  test('use curl to read, to bring a key and to resume', async (t) => {
    const { url, publish } = channelOf(await gateway(), 'prices.curl');
    const cursor = await publish('first');
    await publish('second');
    const lines = sample(PAGE, 'curl.sh').trim().split('\n');
    const values = { 'http://127.0.0.1:8080': url, '/events/prices': '/events/prices.curl' };
    const all = adapted(lines.join('\n'), { ...values, KEY: await key(), CURSOR: cursor }).split('\n');
    const shells = all.map((line) =>
      startChild(t, 'sh', ['-c', `exec ${line}`], { env: { PATH: process.env['PATH'] ?? '' } }),
    );
    for (const shell of shells) await shell.printed('stdout', /event: gateway\.open\n/);
    await shells.at(-1)?.printed('stdout', /"resumed":true\}\nid: \S+\n\ndata: second\n/);
  });
});
