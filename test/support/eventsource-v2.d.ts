/** The part of npm `eventsource` 2 that the tests use; the package brings no types. */
declare module 'eventsource-v2' {
  interface MessageEvent {
    readonly type: string;
    readonly data: string;
    readonly lastEventId: string;
  }
  class EventSource {
    constructor(url: string);
    addEventListener(type: string, listener: (event: MessageEvent) => void): void;
    close(): void;
  }
  export = EventSource;
}
