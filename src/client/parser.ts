/** The bytes of one event stream, as events (WHATWG HTML, section 9.2.6). */
import { createParser, type EventSourceParser } from 'eventsource-parser';

/** An event as an EventSource would dispatch it. */
export interface StreamEvent {
  /** `message` where the stream names none. */
  readonly type: string;
  readonly data: string;
  /** The last id of the stream up to here: what a reconnect after this event sends. Empty where there was none. */
  readonly lastEventId: string;
}

/** How much of one event is kept before it is refused, in characters: no gateway allows events of this size. */
const MAX_EVENT_CHARACTERS = 64 * 1024 * 1024;

/** Reads one connection. A reconnect needs a new parser, since half an event is no event. */
export class StreamParser {
  /** Always UTF-8, whatever the content type says. The parser itself takes the one byte order mark away. */
  readonly #decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  readonly #parser: EventSourceParser;
  #events: StreamEvent[] = [];
  #lastEventId: string;
  #retry: number | undefined;
  #overflowed = false;

  /** `lastEventId` is what the connection was opened with. */
  constructor(lastEventId = '') {
    this.#lastEventId = lastEventId;
    this.#parser = createParser({
      maxBufferSize: MAX_EVENT_CHARACTERS,
      onId: (id) => {
        if (canBeSent(id)) this.#lastEventId = id;
      },
      onEvent: ({ event, data }) => {
        this.#events.push({ type: event || 'message', data, lastEventId: this.#lastEventId });
      },
      onRetry: (ms) => {
        this.#retry = ms;
      },
      onError: ({ type }) => {
        if (type === 'max-buffer-size-exceeded') this.#overflowed = true;
      },
    });
  }

  /** The events that these bytes complete. */
  feed(bytes: Uint8Array): readonly StreamEvent[] {
    if (this.#overflowed) return [];
    this.#parser.feed(this.#decoder.decode(bytes, { stream: true }));
    const events = this.#events;
    this.#events = [];
    return events;
  }

  /** What a reconnect has to send as `Last-Event-ID`; empty for no header. */
  get lastEventId(): string {
    return this.#lastEventId;
  }

  /** The last `retry:`, in milliseconds; undefined before the first. */
  get retry(): number | undefined {
    return this.#retry;
  }

  /** True once a single event was longer than any gateway sends; nothing is read from then on. */
  get overflowed(): boolean {
    return this.#overflowed;
  }
}

/** A control character cannot travel in a header: such an id is not taken, so that a reconnect repeats events and never skips one. */
function canBeSent(id: string): boolean {
  return !/[\x00-\x08\x0a-\x1f\x7f]/.test(id);
}
