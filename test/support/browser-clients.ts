/** Clients that web pages use, each in a page of its own: the browser's EventSource and what people put in its place. */
import type { Page } from 'playwright-core';
import { browserEventSource, type PageEvents } from './chromium.ts';
import { type ClientKind, Recorder, TYPES } from './interop-client.ts';
import type { Owner } from './owner.ts';
import { pageScript, sample } from './samples.ts';

/** How long a page may take to load on a busy machine, in milliseconds. */
const LOAD_MS = 60_000;

/** Follows with anything that has the interface of `EventSource`. */
const LISTEN = `
  export function follow(url, types, received) {
    const source = globalThis.source = open(url);
    for (const type of types) source.addEventListener(type, (event) => received(event.type, event.data, event.lastEventId));
  }
`;

/** The script of a page that follows with the browser's own `EventSource`, cookies included. */
export const NATIVE = pageScript(
  `const open = (url) => new EventSource(url, { withCredentials: true }); ${LISTEN}`,
  'client',
);

/** What runs in the page of each other client: a module with a function `follow(url, types, received)`. */
const MODULES: Readonly<Record<string, string>> = {
  'reconnecting-eventsource': `
    import ReconnectingEventSource from 'reconnecting-eventsource';
    const open = (url) => new ReconnectingEventSource(url); ${LISTEN}`,
  'event-source-polyfill': `
    import { EventSourcePolyfill } from 'event-source-polyfill';
    const open = (url) => new EventSourcePolyfill(url); ${LISTEN}`,
  '@microsoft/fetch-event-source': `
    ${sample('docs/clients.md', 'fetch-event-source.js').replace('export function follow', 'function sample')}
    export function follow(url, types, received) { void sample(url, 'KEY', received); }`,
};

/** Clients of one address in one browser, each in a profile of its own: connections are not shared. */
export function browserClients(): readonly ClientKind[] {
  let native: Promise<PageEvents> | undefined;
  const browser = (owner: Owner, url: string) => {
    native ??= browserEventSource(owner, url, TYPES);
    return native;
  };
  const others = Object.entries(MODULES).map(([name, module]) => ({
    name: `${name} in Chromium`,
    open: async (owner: Owner, url: string) => {
      const page = await openPage(await browser(owner, url), `${new URL(url).origin}/healthz`);
      return await followInPage(page, name, pageScript(module, 'client'), url);
    },
  }));
  return [{ name: "Chromium's EventSource", open: browser }, ...others];
}

/**
 * A page in a profile of its own. It is really fetched: one that a test makes up comes from nowhere, and such a page may not
 * reach this machine unless somebody at a screen allows it.
 */
export async function openPage({ page }: Pick<PageEvents, 'page'>, url: string): Promise<Page> {
  const context = await page.context().browser()?.newContext();
  if (context === undefined) throw new Error('the browser is gone');
  const own = await context.newPage();
  await own.goto(url, { timeout: LOAD_MS });
  return own;
}

/** Follows `url` in `page` with a script that leaves a function `client.follow(url, types, received)`. */
export async function followInPage(page: Page, name: string, script: string, url: string): Promise<Recorder> {
  const recorder = new Recorder(name);
  await page.exposeFunction('received', (type: string, data: string, id: string) =>
    recorder.received({ type, data, id }),
  );
  await page.evaluate(
    `${script}; client.follow(${JSON.stringify(url)}, ${JSON.stringify(TYPES)}, received); undefined`,
  );
  return recorder;
}
