/** The documentation's code for EventSource, run as it stands there. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { browserEventSource } from '../support/chromium.ts';
import { startCuttingProxy } from '../support/cutting-proxy.ts';
import { startGateway } from '../support/gateway.ts';
import { impostor } from '../support/impostor.ts';
import { once } from '../support/once.ts';
import { suiteOwner } from '../support/owner.ts';
import { channelOf, samplePage } from '../support/sample-page.ts';
import { adapted, sample, samplesOf } from '../support/samples.ts';
import { freePort } from '../support/scratch.ts';

const PAGE = 'docs/clients.md';

const CONFIG = `
server: {retry: 100ms}
allow: {subscribe: ["prices*"], publish: ["*"]}
channels: {"*": {memory: true}}
`;

/** Everything that has a name on the page, and so is run by a test. */
const TESTED = [
  ...['eventsource.js', 'revive.js', 'state.js', 'cors.yaml', 'cors.js', 'follow.js', 'for-await.js'],
  ...['fetch-event-source.js', 'curl.sh', 'follow.py'],
];

describe('the samples for EventSource', { concurrency: true }, () => {
  const owner = suiteOwner();
  const gateway = once(() => startGateway(owner, { config: CONFIG }));
  const browser = once(async () => browserEventSource(owner, `${(await gateway()).url}/events/prices`, []));

  test('and all others are run', () => {
    const names = samplesOf(PAGE).map(({ name }) => name);
    assert.deepEqual(names, TESTED);
  });

  test('show events with and without a type', async () => {
    const { url, publish } = channelOf(await gateway(), 'prices.plain');
    const page = await samplePage(
      await browser(),
      url,
      adapted(sample(PAGE, 'eventsource.js'), { prices: 'prices.plain' }),
    );
    await page.evaluate('until(() => events.readyState === EventSource.OPEN)');
    await publish('41');
    await publish('{"price":42}', '?event=price');
    assert.deepEqual(await page.evaluate('until(() => seen.length === 2)'), ['41', { price: 42 }]);
  });

  test('revive an EventSource that a proxy has closed, resume, and load the state where something may be missing', async (t) => {
    const options = { config: CONFIG, port: await freePort(t) };
    const first = await startGateway(t, options);
    const proxy = await startCuttingProxy(t, first.port);
    const soon = adapted(sample(PAGE, 'revive.js'), { '1000 + Math.random() * 4000': '50' });
    const page = await samplePage(await browser(), proxy.url, soon + sample(PAGE, 'state.js'));
    await page.evaluate('until(() => seen.length === 1)');
    await first.publish('prices', '1');
    await page.evaluate('until(() => seen.length === 2)');
    proxy.shut();
    for (let times = 0; times < 3; times += 1) await proxy.turnsAway('bad-gateway');
    await first.publish('prices', '2');
    proxy.reopen();
    assert.deepEqual(await page.evaluate('until(() => seen.length === 3)'), ['state', '1', '2']);
    const turnedAway = proxy.turnsAway('bad-gateway');
    await first.child.kill();
    await turnedAway;
    const second = await startGateway(t, options);
    await page.evaluate('until(() => seen.length === 5)');
    await second.publish('prices', '3');
    assert.deepEqual(await page.evaluate('until(() => seen.length === 6)'), ['state', '1', '2', 'state', 'state', '3']);
  });

  test('leave an EventSource closed when its channel has ended', async () => {
    const { url, publish } = channelOf(await gateway(), 'prices.ended');
    const watched = `let timers = 0;
      const setTimeout = (...args) => { timers += 1; return globalThis.setTimeout(...args); };
      const EventSource = class extends globalThis.EventSource {
        constructor(...args) { super(...args); globalThis.current = this; }
      };`;
    const follow = `subscribe('/events/prices.ended', { message: (event) => show(event.data) });`;
    const page = await samplePage(await browser(), url, `${watched} ${sample(PAGE, 'revive.js')} ${follow}`);
    await page.evaluate('until(() => current.readyState === EventSource.OPEN)');
    await publish('the last');
    await page.evaluate('until(() => seen.length === 1)');
    await page.evaluate(`globalThis.timersAtEnd = new Promise((resolve) => {
      current.addEventListener('error', () => { if (current.readyState === EventSource.CLOSED) resolve(timers); });
      timers = 0;
    }); undefined`);
    await (await gateway()).get('/events/prices.ended', { method: 'DELETE' });
    assert.equal(await page.evaluate('timersAtEnd'), 0);
  });

  test('read from a page of another origin', async (t) => {
    const origin = await impostor(t, 200, 'text/html', '<!doctype html>');
    const cors = adapted(sample(PAGE, 'cors.yaml'), { 'https://app.example.com': origin });
    const { url, publish } = channelOf(await startGateway(t, { config: CONFIG + cors }), 'prices');
    const code = adapted(sample(PAGE, 'cors.js'), { 'https://events.example.com': url });
    const page = await samplePage(await browser(), origin, `${code}; events.onmessage = (event) => show(event.data);`);
    await page.evaluate('until(() => events.readyState === EventSource.OPEN)');
    await publish('from elsewhere');
    assert.deepEqual(await page.evaluate('until(() => seen.length === 1)'), ['from elsewhere']);
  });
});
