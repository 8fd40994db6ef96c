/** Streams on channels whose source is heard, however long Redis and the gateway take to get there. */
import type { Gateway } from './gateway.ts';
import { openData } from './gateway-events.ts';
import type { Owner } from './owner.ts';
import type { SseStream, StreamOptions } from './sse-stream.ts';
import { waitFor } from './wait.ts';

/**
 * A stream that was opened with every channel of `path` confirmed: what is published from now on comes to it, and its
 * id proves what follows. The gateway waits a second for that and opens a stream as pending then, so another is opened
 * until one is not; while it stays, every further stream on these channels opens at once.
 */
export async function heard(owner: Owner, gateway: Gateway, path: string, options?: StreamOptions): Promise<SseStream> {
  const early: SseStream[] = [];
  const stream = await waitFor(`the sources of ${path} to be heard`, async () => {
    const next = gateway.stream(owner, path, options);
    if (openData(await next.opened()).pending.length === 0) return next;
    early.push(next);
    return;
  });
  for (const each of early) each.cut();
  return stream;
}
