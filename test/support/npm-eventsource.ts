/** The npm `eventsource` client, as a Node application would use it. */
import { EventSource } from 'eventsource';
import type { Owner } from './owner.ts';
import type { ReceivedEvent } from './sse-reader.ts';
import { Watch } from './wait.ts';

/** An `EventSource` and what it has dispatched. */
export interface FollowedSource {
  readonly source: EventSource;
  readonly events: ReceivedEvent[];
  until(what: string, wanted: (event: ReceivedEvent) => boolean): Promise<ReceivedEvent>;
}

/** Follows `url`, listening for `types`; closed with its owner. */
export function npmEventSource(owner: Owner, url: string, types: readonly string[]): FollowedSource {
  const source = new EventSource(url);
  owner.after(() => source.close());
  const events: ReceivedEvent[] = [];
  const watch = new Watch();
  for (const type of types) {
    source.addEventListener(type, (event) => {
      events.push({ type: event.type, data: String(event.data), id: event.lastEventId });
      watch.changed();
    });
  }
  const until = (what: string, wanted: (event: ReceivedEvent) => boolean) =>
    watch.until(
      () => `${what} by npm eventsource, which saw ${JSON.stringify(events)}`,
      () => events.find(wanted),
    );
  return { source, events, until };
}
