/** The subscribers: raw sockets that read into one shared buffer, and some that do not read at all. */
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { systemClock } from '../../src/clock.ts';
import type { Scanner } from '../../src/load/scanner.ts';
import { Streams } from '../../src/load/streams.ts';
import { localTarget } from '../../src/load/target.ts';
import { type Dialect, subscribePath } from './dialect.ts';

/** What the streams are opened with. */
export interface SubscriberOptions {
  readonly count: number;
  readonly port: number;
  readonly dialect: Dialect;
  /** The channels of a stream. */
  readonly channelsOf: (stream: number) => readonly string[];
  readonly scanner: (stream: number) => Scanner;
  /** Called before the bytes of a read are scanned, and after. */
  readonly before: () => void;
  readonly after: () => void;
  /** What a stream sends as `Last-Event-ID`; default: nothing. */
  readonly cursor?: string;
}

/** How often those are opened again that a server has refused or closed before it came to rest, where it needs that. */
const TURNS = 3;

/** All streams of a run, opened in the words of the server. */
export class Subscribers {
  readonly #streams: Streams;
  readonly #settle: number;

  constructor(options: SubscriberOptions) {
    const { count, port, dialect, scanner, before, after } = options;
    const { opened, unfit, settle = 0, atOnce } = dialect.subscribe;
    this.#settle = settle;
    this.#streams = new Streams({
      ...{ count, scanner, before, after, clock: systemClock, wholeChunks: true },
      target: localTarget(port),
      request: (stream) => requestOf(options, stream),
      opened: new RegExp(opened),
      ...(atOnce !== undefined && { atOnce }),
      ...(unfit !== undefined && { unfit: { pattern: new RegExp(unfit), problem: 'the server has not confirmed it' } }),
    });
  }

  /** Streams that were closed before `close` was called. */
  get closed(): number {
    return this.#streams.closed;
  }

  /** Settles when the server has confirmed every stream; rejects where it has not. */
  async open(): Promise<void> {
    await this.#streams.open();
    for (let turn = 0; this.#settle > 0 && turn < TURNS; turn++) {
      await delay(this.#settle);
      await this.#streams.reopen();
    }
    const { failed, problems } = this.#streams;
    if (failed > 0) throw new Error(`streams that were not opened: ${failed} (${[...problems.keys()].join(', ')})`);
  }

  close(): void {
    this.#streams.close();
  }
}

/** Opens streams that never read; gives what closes them. */
export function openNonReaders(options: Omit<SubscriberOptions, 'scanner' | 'before' | 'after'>): () => void {
  const sockets = Array.from({ length: options.count }, (_, stream) => {
    const socket = connect({ host: '127.0.0.1', port: options.port, noDelay: true });
    socket.pause();
    socket.on('error', () => undefined); // the gateway may end whom it finds too slow
    socket.write(requestOf(options, stream), 'latin1');
    return socket;
  });
  return () => {
    for (const socket of sockets) socket.destroy();
  };
}

type Request = Pick<SubscriberOptions, 'port' | 'dialect' | 'channelsOf' | 'cursor'>;

function requestOf({ port, dialect, channelsOf, cursor }: Request, stream: number): string {
  const path = subscribePath(dialect, channelsOf(stream));
  const resume = cursor === undefined ? '' : `Last-Event-ID: ${cursor}\r\n`;
  return `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAccept: text/event-stream\r\n${resume}\r\n`;
}
