/** The example of a token stream in a real browser: complete and nothing twice, whatever happens to the page and its connections. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { ANSWER } from '../../examples/llm-stream/producer.ts';
import { startChild } from '../support/child.ts';
import { startBrowser } from '../support/chromium.ts';
import { type CuttingProxy, startCuttingProxy } from '../support/cutting-proxy.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { type Owner, suiteOwner } from '../support/owner.ts';
import { startRedis } from '../support/redis.ts';
import type { RespClient } from '../support/resp.ts';
import { freePort } from '../support/scratch.ts';
import { waitFor } from '../support/wait.ts';

const FOLDER = fileURLToPath(new URL('../../examples/llm-stream/', import.meta.url));

/** Pieces of the answer that are no tokens: with white space at both ends, and single letters. */
const PIECES = ANSWER.match(/[^a]+|a/g) ?? [];

/** The example as its README starts it, with a proxy between page and gateway. */
interface Example {
  readonly url: string;
  readonly redis: RespClient;
  readonly proxy: CuttingProxy;
  gateway: Gateway;
  /** Starts the gateway again on the same port. */
  restart(): Promise<void>;
}

describe('the example of a token stream', () => {
  const owner = suiteOwner();
  let example: Example;
  let browser: Browser;
  before(async () => {
    example = await startExample(owner, '10m');
    browser = await startBrowser(owner);
  });

  test('shows the question and the answer, and keeps both in the address', async () => {
    const page = await browser.newPage();
    await page.goto(example.url);
    await page.fill('input', 'Why <b>not</b>?');
    await page.click('button');
    await becomes(page, 'complete');
    assert.equal(await page.textContent('#question'), 'Why <b>not</b>?');
    assert.equal(await page.textContent('#answer'), ANSWER);
    const again = await browser.newPage();
    await again.goto(page.url());
    await becomes(again, 'complete');
    assert.equal(await again.textContent('#question'), 'Why <b>not</b>?');
    assert.equal(await again.textContent('#answer'), ANSWER);
  });

  test('is complete and says nothing twice, though the page is reloaded, its connection cut and the gateway killed', async () => {
    const answer = new Answer(example.redis, 'all-at-once');
    const { page, requests } = await openAnswer(browser, example, answer);
    await answer.write(0, 40);
    await shows(page, answer);

    await page.reload();
    await shows(page, answer);
    await answer.write(40, 60);
    await shows(page, answer);
    assert.equal(requests.length, 2);

    example.proxy.cutBehind('data: ');
    await answer.write(60, 80);
    await shows(page, answer);
    assert.equal(requests.length, 3);

    await example.gateway.child.kill();
    await answer.write(80, 100);
    await becomes(page, 'lost');
    await example.restart();
    await shows(page, answer);

    await answer.write(100, PIECES.length);
    await answer.end();
    await becomes(page, 'complete');
    assert.equal(await page.textContent('#answer'), ANSWER);
  });

  test('makes no request after the end, and one when it is loaded again', async () => {
    const answer = new Answer(example.redis, 'over');
    const { page, requests } = await openAnswer(browser, example, answer);
    await answer.write(0, PIECES.length);
    await answer.end();
    await becomes(page, 'complete');
    assert.equal(requests.length, 1);
    await page.reload();
    await becomes(page, 'complete');
    assert.equal(await page.textContent('#answer'), ANSWER);
    await pageThatForgetsToClose(page, `${example.proxy.url}/events/answer.over?forgetful=1`);
    assert.equal(requests.filter((url) => !url.includes('forgetful')).length, 2);
  });

  test('shows where something is missing', async () => {
    const answer = new Answer(example.redis, 'trimmed');
    const { page } = await openAnswer(browser, example, answer);
    await answer.write(0, 3);
    await shows(page, answer);
    await example.redis.command('MULTI'); // or the gateway reads some before they are gone
    await answer.write(3, 10);
    await example.redis.command('XTRIM', 'answer:trimmed', 'MAXLEN', '2');
    await example.redis.command('EXEC');
    await answer.end();
    await becomes(page, 'broken');
    const note = 'Missing here: 5 of the tokens (trimmed).';
    assert.equal(await page.textContent('.gap'), note);
    const text = [...PIECES.slice(0, 3), note, ...PIECES.slice(8, 10)].join('');
    assert.equal(await page.textContent('#answer'), text);
    assert.equal(await page.textContent('#state'), 'Ended, but not complete.');
  });

  test('says so where the writer has died', async (t) => {
    const impatient = await startExample(t, '2s');
    const answer = new Answer(impatient.redis, 'died');
    const { page } = await openAnswer(browser, impatient, answer);
    await impatient.redis.command('MULTI'); // or the writer may seem to have died in between
    await answer.write(0, 10);
    await impatient.redis.command('EXEC');
    await becomes(page, 'broken');
    await shows(page, answer);
  });

  test('shows what is written by hand, as the README has it', async () => {
    const readme = readFileSync(`${FOLDER}README.md`, 'utf8');
    const commands = [...readme.matchAll(/^redis-cli (.+)$/gm)].map(([, line = '']) => line);
    const page = await browser.newPage();
    await page.goto(`${example.url}#by-hand`);
    for (const command of commands) {
      const words = [...command.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, word = '']) => quoted ?? word);
      await example.redis.command(...words);
    }
    await becomes(page, 'complete');
    assert.equal(await page.textContent('#answer'), 'Hello, world.');
  });
});

/** An answer that a test writes piece by piece. */
class Answer {
  readonly id: string;
  text = '';
  readonly #redis: RespClient;

  constructor(redis: RespClient, id: string) {
    this.#redis = redis;
    this.id = id;
  }

  async write(from: number, to: number): Promise<void> {
    for (const piece of PIECES.slice(from, to)) {
      await this.#redis.command('XADD', `answer:${this.id}`, '*', 'data', piece);
      this.text += piece;
    }
  }

  async end(): Promise<void> {
    await this.#redis.command('XADD', `answer:${this.id}`, '*', 'end', 'true');
  }
}

/** `endAfter`: how long a writer may say nothing. */
async function startExample(owner: Owner, endAfter: string): Promise<Example> {
  const redis = await startRedis(owner);
  const port = await freePort(owner);
  const proxy = await startCuttingProxy(owner, port);
  const env = { PORT: '0', REDIS_URL: redis.url, GATEWAY_URL: proxy.url, PACE_MS: '2' };
  const app = startChild(owner, process.execPath, [`${FOLDER}app.ts`], { env });
  const [, url = ''] = await app.printed('stdout', /Open (http:\S+)/);
  const config = configFor(redis.url, url, endAfter);
  const start = () => startGateway(owner, { config, port });
  const example: Example = {
    url: `${url}/`,
    redis: redis.client(),
    proxy,
    gateway: await start(),
    restart: async () => {
      example.gateway = await start();
    },
  };
  return example;
}

/** The configuration of the example for other addresses and times. */
function configFor(redis: string, origin: string, endAfter: string): string {
  const changes = [
    ['redis://127.0.0.1:6379', redis],
    ['http://127.0.0.1:3000', origin],
    ['end_after: 30s', `end_after: ${endAfter}`],
  ] as const;
  let text = `${readFileSync(`${FOLDER}gateway.yaml`, 'utf8')}\nserver: {retry: 200ms}\n`;
  for (const [from, to] of changes) {
    assert.ok(text.includes(from), `${from} is not in gateway.yaml`);
    text = text.replace(from, to);
  }
  return text;
}

/** Opens the page of an answer; `requests` are the addresses that it asked the gateway for. */
async function openAnswer(
  browser: Browser,
  { url, proxy }: Example,
  { id }: Answer,
): Promise<{ page: Page; requests: string[] }> {
  const page = await browser.newPage();
  const requests: string[] = [];
  page.on('request', (request) => {
    if (request.url().startsWith(proxy.url)) requests.push(request.url());
  });
  await page.goto(`${url}#${id}`);
  return { page, requests };
}

/** Settles when the page shows exactly what was written. */
async function shows(page: Page, answer: Answer): Promise<void> {
  let shown: string | null = '';
  await waitFor(
    () => `the page to show what was written; it shows ${JSON.stringify(shown)}`,
    async () => {
      shown = await page.textContent('#answer');
      return shown === answer.text;
    },
  );
}

async function becomes(page: Page, state: string): Promise<void> {
  await page.locator(`body[data-state=${state}]`).waitFor();
}

/** Settles once an EventSource that does not close at the end has come back and was sent away: time enough for any other to have done so. */
async function pageThatForgetsToClose(page: Page, url: string): Promise<void> {
  await page.evaluate(`new Promise((resolve) => {
    const source = new EventSource(${JSON.stringify(url)});
    source.onerror = () => source.readyState === EventSource.CLOSED && resolve();
  })`);
}
