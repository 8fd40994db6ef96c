/** A gateway that loses and doubles what it is given, and cuts its chunks in the middle of events. */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Owner } from './owner.ts';
import { Watch } from './wait.ts';

/** How often every stream gets the event at `index`, counted from 0 in each channel. */
export type Spoiling = (index: number) => number;

/** A running one. */
export interface LossyGateway {
  readonly url: string;
  /** Settles once so many events were posted. */
  posted(count: number): Promise<void>;
}

/** Starts it. An event that it does not pass on is announced as a gap; the first post of a channel is passed on to nobody. */
export async function startLossyGateway(owner: Owner, spoiling: Spoiling): Promise<LossyGateway> {
  const streams = new Map<string, ServerResponse[]>();
  const counts = new Map<string, number>();
  const watch = new Watch();
  let posts = 0;
  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? '/', 'http://gateway');
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part);
    if (request.method === 'GET') {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      write(response, 'retry: 2000\n:\nevent: gateway.open\ndata: {"channels":[],"resumed":false}\nid: a-1\n\n');
      const name = url.searchParams.get('channel') ?? '';
      streams.set(name, [...(streams.get(name) ?? []), response]);
      return;
    }
    const name = url.pathname.split('/').at(-1) ?? '';
    const index = counts.get(name) ?? -1;
    counts.set(name, index + 1);
    posts += 1;
    const text = eventsOf(Buffer.concat(parts).toString(), index < 0 ? 1 : spoiling(index));
    for (const stream of streams.get(name) ?? []) write(stream, text);
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    watch.changed();
  });
  owner.after(() => {
    server.closeAllConnections();
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    posted: async (count) => {
      await watch.until(
        () => `${count} posts; there were ${posts}`,
        () => posts >= count,
      );
    },
  };
}

function eventsOf(data: string, times: number): string {
  if (times === 0) return 'event: gateway.gap\ndata: {"channel":"bench","reason":"too-slow"}\nid: a-2\n\n';
  return `data: ${data}\nid: a-3\n\n`.repeat(times);
}

/** In chunks of a few bytes each. */
function write(response: ServerResponse, text: string): void {
  for (let at = 0; at < text.length; at += 11) response.write(text.slice(at, at + 11));
}
