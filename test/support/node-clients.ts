/** Clients that Node applications use, each as its own documentation shows it. */
import { EventSource as EventSource5 } from 'eventsource';
import { createEventSource } from 'eventsource-client';
import EventSource2 from 'eventsource-v2';
import { EventSource as EventSource4 } from 'eventsource-v4';
import { EventSource as UndiciEventSource } from 'undici';
import { type ClientKind, Recorder, TYPES } from './interop-client.ts';
import type { Owner } from './owner.ts';
import { loadModule, sample } from './samples.ts';

/** Everything that has the interface of `EventSource`. */
interface Source {
  addEventListener(type: string, listener: (event: Dispatched) => void): void;
  close(): void;
}

interface Dispatched {
  readonly type: string;
  readonly data?: unknown;
  readonly lastEventId?: string;
}

/** Clients in the test's own process. */
export const NODE_CLIENTS: readonly ClientKind[] = [
  { name: 'npm eventsource 2', open: (owner, url) => listen(owner, 'eventsource 2', new EventSource2(url)) },
  { name: 'npm eventsource 4', open: (owner, url) => listen(owner, 'eventsource 4', new EventSource4(url)) },
  { name: 'npm eventsource 5', open: (owner, url) => listen(owner, 'eventsource 5', new EventSource5(url)) },
  { name: 'undici', open: (owner, url) => listen(owner, 'undici', new UndiciEventSource(url)) },
  { name: 'npm eventsource-client', open: eventSourceClient },
  { name: 'npm eventsource-parser with fetch', open: parserWithFetch },
];

function listen(owner: Owner, name: string, source: Source): Recorder {
  owner.after(() => source.close());
  const recorder = new Recorder(name);
  for (const type of TYPES) {
    source.addEventListener(type, (event) =>
      recorder.received({ type: event.type, data: String(event.data), id: event.lastEventId }),
    );
  }
  return recorder;
}

function eventSourceClient(owner: Owner, url: string): Recorder {
  const recorder = new Recorder('eventsource-client');
  const client = createEventSource({
    url,
    onMessage: ({ event, data, id }) => recorder.received({ type: event ?? 'message', data, id }),
  });
  owner.after(() => client.close());
  return recorder;
}

/** What the sample's `follow` yields. */
export interface Parsed {
  readonly event?: string;
  readonly data: string;
  readonly id?: string;
}

/** Follows with fetch and eventsource-parser, as the documentation shows it. */
export async function followWithParser(
  url: string,
  signal: AbortSignal,
  token?: string,
): Promise<AsyncIterable<Parsed>> {
  const { follow } = (await loadModule(sample('docs/clients.md', 'follow.js'))) as {
    follow(url: string, token: string | undefined, signal: AbortSignal): AsyncIterable<Parsed>;
  };
  return follow(url, token, signal);
}

function parserWithFetch(owner: Owner, url: string): Recorder {
  const recorder = new Recorder('eventsource-parser');
  const leaving = new AbortController();
  owner.after(() => leaving.abort());
  const read = async () => {
    for await (const { event = 'message', data, id } of await followWithParser(url, leaving.signal)) {
      recorder.received({ type: event, data, id });
    }
  };
  read().catch((error: unknown) => {
    if (!leaving.signal.aborted) recorder.received({ type: 'error', data: String(error), id: undefined });
  });
  return recorder;
}
