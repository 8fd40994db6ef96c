/** Pages and channels to run the documentation's samples with. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { openPage } from './browser-clients.ts';
import type { PageEvents } from './chromium.ts';
import type { Gateway } from './gateway.ts';

/** What the samples leave to the application: in `seen` is what it shows, `until` settles with it. */
const APPLICATION = `
  const seen = [];
  const show = (data) => seen.push(data);
  const apply = show;
  const loadState = () => seen.push('state');
  const until = (wanted) => new Promise((resolve) => {
    const look = () => wanted() ? resolve(seen) : globalThis.setTimeout(look, 10);
    look();
  });
`;

/** A page of `origin` in which `code` has run as a script of its own. */
export async function samplePage(browser: PageEvents, origin: string, code: string): Promise<Page> {
  const page = await openPage(browser, `${origin}/healthz`);
  await page.addScriptTag({ content: APPLICATION + code });
  return page;
}

/** Publishes to a memory channel, and tells its event's cursor. */
export type Publish = (data: string, query?: string) => Promise<string>;

/** What a test needs to follow a channel and to publish to it. */
export function channelOf(gateway: Gateway, channel: string): { url: string; publish: Publish } {
  return { url: gateway.url, publish: (data, query = '') => gateway.publish(channel, data, query) };
}

/** The key that the command line of this gateway uses. */
export async function localKey(gateway: Gateway): Promise<string> {
  const folder = join(gateway.runtimeFolder, 'sse-gateway');
  const [file = ''] = await readdir(folder);
  return (await readFile(join(folder, file), 'utf8')).trim();
}
