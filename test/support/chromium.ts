/** Headless Chromium, and an `EventSource` in a page of the gateway's own origin. */
import { type Browser, chromium, type Page } from 'playwright-core';
import type { Owner } from './owner.ts';
import { findExecutable } from './prerequisites.ts';
import type { ReceivedEvent } from './sse-reader.ts';
import { Watch } from './wait.ts';

const ARGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** How long a start, a load or anything else that is waited for in a page may take on a busy machine, in milliseconds. */
const STEP_MS = 60_000;

/** What an `EventSource` in a page has dispatched. */
export interface PageEvents {
  readonly page: Page;
  readonly events: ReceivedEvent[];
  /** Settles with the first event that `wanted` accepts. */
  until(what: string, wanted: (event: ReceivedEvent) => boolean): Promise<ReceivedEvent>;
}

/** A new browser that is closed with its owner. */
export async function startBrowser(owner: Owner): Promise<Browser> {
  const executablePath = findExecutable('chromium') ?? 'chromium';
  const browser = await chromium.launch({ executablePath, args: ARGS, timeout: STEP_MS });
  owner.after(() => browser.close());
  return browser;
}

/** Opens `url`'s own origin in a new browser and an `EventSource` on `url` in it, listening for `types`. */
export async function browserEventSource(owner: Owner, url: string, types: readonly string[]): Promise<PageEvents> {
  const browser = await startBrowser(owner);
  const page = await browser.newPage();
  page.setDefaultTimeout(STEP_MS);
  const events: ReceivedEvent[] = [];
  const watch = new Watch();
  await page.exposeFunction('received', (type: string, data: string, id: string) => {
    events.push({ type, data, id });
    watch.changed();
  });
  await page.goto(`${new URL(url).origin}/`);
  await page.evaluate(`{
    globalThis.source = new EventSource(${JSON.stringify(url)});
    for (const type of ${JSON.stringify(types)}) {
      source.addEventListener(type, (event) => received(event.type, event.data, event.lastEventId));
    }
  }`);
  const until = (what: string, wanted: (event: ReceivedEvent) => boolean) =>
    watch.until(
      () => `${what} in the browser, which saw ${JSON.stringify(events)}`,
      () => events.find(wanted),
    );
  return { page, events, until };
}
