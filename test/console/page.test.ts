/** The console page in a browser: what it shows, what it sends, what it never does. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import type { Page } from 'playwright-core';
import { browserEventSource } from '../support/chromium.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { freePort } from '../support/scratch.ts';

const CLOSED = 'channels: {news: {memory: true}}\nallow: {subscribe: [], publish: []}\n';

describe('the console page', () => {
  test('follows the channel of its address and shows events as text, whatever is in them', async (t) => {
    const gateway = await startGateway(t);
    const page = await openPage(t, gateway, '#channel=prices');
    await says(page, '#state', 'live: prices');
    const data = '<img src=x onerror=alert(1)> <b>grün</b>\n\u202e🎈';
    const id = await gateway.publish('prices', data, '?event=tick');
    const row = page.locator('#events .event');
    assert.equal(await row.locator('.data').textContent(), data);
    assert.equal(await row.locator('.type').textContent(), 'tick');
    assert.equal(await row.locator('.id').textContent(), id);
    assert.equal(await row.locator('img, b').count(), 0);
  });

  test('changes the channel, publishes to it and says which id the event got', async (t) => {
    const gateway = await startGateway(t);
    const page = await openPage(t, gateway);
    await says(page, '#state', 'live: hello');
    await page.fill('#channel', 'chat.lobby');
    await page.press('#channel', 'Enter');
    await says(page, '#state', 'live: chat.lobby');
    await page.fill('#data', '{"text":"hi"}');
    await page.press('#data', 'Control+Enter');
    await page.locator('#published', { hasText: /^published as / }).waitFor();
    assert.equal(await page.locator('#events .event .data').textContent(), '{"text":"hi"}');
    assert.match(page.url(), /#channel=chat\.lobby$/);
    assert.match((await page.locator('#snippet').textContent()) ?? '', /\/events\/chat\.lobby'/);
  });

  test('takes the key from its address, drops it there and uses it', async (t) => {
    const gateway = await startGateway(t, { config: CLOSED });
    const page = await openPage(t, gateway, `#key=${readKey(gateway)}&channel=news`);
    await says(page, '#state', 'live: news');
    assert.equal(page.url(), `${gateway.url}/#channel=news`);
    await page.click('#publish button');
    await page.locator('#events .event').waitFor();
    await page.reload();
    await says(page, '#state', 'live: news');
  });

  test('asks for a key where one is needed', async (t) => {
    const gateway = await startGateway(t, { config: CLOSED });
    const page = await openPage(t, gateway, '#channel=news');
    await says(page, '#state', 'refused');
    await page.locator('#events .refused', { hasText: 'subscribe' }).waitFor();
    await page.fill('#key', readKey(gateway));
    await page.press('#key', 'Enter');
    await says(page, '#state', 'live: news');
    assert.equal(await page.locator('#ask').isVisible(), false);
  });

  test('comes back by itself after a restart, and shows the gap', async (t) => {
    const port = await freePort();
    const first = await startGateway(t, { port });
    const page = await openPage(t, first, '#channel=news');
    await says(page, '#state', 'live: news');
    await first.publish('news', 'before');
    await page.locator('.data', { hasText: 'before' }).waitFor();
    await first.child.kill();
    await says(page, '#state', 'retrying');
    const second = await startGateway(t, { port });
    await says(page, '#state', 'live: news');
    await page.locator('#events .gap', { hasText: 'restarted' }).waitFor();
    await second.publish('news', 'after');
    await page.locator('.data', { hasText: 'after' }).waitFor();
    assert.equal(await page.locator('#events .event').count(), 2);
  });

  test('asks no other host for anything and breaks no rule of its policy', async (t) => {
    const gateway = await startGateway(t);
    const requested: string[] = [];
    const said: string[] = [];
    const page = await openPage(t, gateway, '', (fresh) => {
      fresh.on('request', (request) => requested.push(new URL(request.url()).origin));
      fresh.on('console', (message) => said.push(message.text()));
      fresh.on('pageerror', (error) => said.push(error.message));
    });
    await says(page, '#state', 'live: hello');
    await page.click('#publish button');
    await page.click('#tab-curl');
    await page.click('#clear');
    await page.click('#stop');
    await says(page, '#state', 'not connected');
    assert.deepEqual(said, []);
    assert.deepEqual(
      requested.filter((origin) => origin !== gateway.url && origin !== 'null'),
      [],
    );
  });
});

/** Opens the page of `gateway`; `prepare` sees it before it is loaded for good. */
async function openPage(
  t: TestContext,
  gateway: Gateway,
  fragment = '',
  prepare: (page: Page) => void = () => undefined,
): Promise<Page> {
  const { page } = await browserEventSource(t, `${gateway.url}/events/elsewhere`, []);
  await page.goto('about:blank');
  prepare(page);
  await page.goto(`${gateway.url}/${fragment}`);
  return page;
}

async function says(page: Page, selector: string, text: string): Promise<void> {
  await page.locator(`${selector}:text-is(${JSON.stringify(text)})`).waitFor();
}

function readKey(gateway: Gateway): string {
  const folder = join(gateway.runtimeFolder, 'sse-gateway');
  const [file = ''] = readdirSync(folder);
  return readFileSync(join(folder, file), 'utf8');
}
