/** A client of the gateway's core on a fake socket: what it was sent, judged as it comes. */

import type { View } from '../../src/fanout/batch.ts';
import type { Subscriber } from '../../src/fanout/subscriber.ts';
import type { Channel } from '../../src/hub/channel.ts';
import type { Replay } from '../../src/position.ts';
import type { Form } from '../../src/sse/framing.ts';
import { Outlet } from '../../src/sse/outlet.ts';
import { Pinned } from '../../src/sse/pinned.ts';
import { FakeSocket, UNBOUNDED } from './fake-socket.ts';
import { isPublished } from './gateway-events.ts';
import { ResponseBody } from './response-body.ts';
import type { ReceivedEvent } from './sse-reader.ts';

/** How a client differs from a fast one that speaks HTTP/1.1. */
export interface ClientOptions {
  readonly form?: Form;
  readonly room?: number;
  readonly view?: View;
  readonly replay?: Replay;
  readonly announce?: boolean;
  readonly received?: (event: ReceivedEvent) => void;
}

/** One open stream and what came of it. */
export class Client {
  readonly channels: readonly Channel[];
  readonly body: ResponseBody;
  readonly socket: FakeSocket;
  readonly outlet: Outlet;
  subscriber: Subscriber | undefined;
  #violation: unknown;

  constructor(channels: readonly Channel[], options: ClientOptions = {}) {
    const form = options.form ?? 'chunked';
    this.channels = channels;
    this.body = new ResponseBody(options.received);
    this.socket = new FakeSocket((bytes) => this.#judge(() => this.body.push(bytes)), options.room);
    // A reset leaves the response as it is; any other close ends one without chunks.
    this.socket.on('close', () => {
      if (this.socket.errored === null) this.#judge(() => this.body.close());
    });
    this.outlet = new Outlet(this.socket, form, UNBOUNDED, new Pinned(UNBOUNDED));
    this.outlet.writeHead(`HTTP/1.1 200 OK\r\n${form === 'chunked' ? 'Transfer-Encoding: chunked\r\n' : ''}\r\n`);
  }

  /** What was published, without the gateway's own events. */
  get data(): string[] {
    this.check();
    return this.body.events.filter(isPublished).map(({ data }) => data);
  }

  /** Takes what is pending, and no byte more. */
  catchUp(): void {
    this.socket.give(this.outlet.pending);
  }

  /** Throws at the first thing that this client should not have seen. */
  check(): void {
    if (this.#violation !== undefined) throw this.#violation;
  }

  /** Whatever a client finds wrong must not be thrown into the gateway that writes to it. */
  #judge(look: () => void): void {
    try {
      if (this.#violation === undefined) look();
    } catch (error) {
      this.#violation = error;
    }
  }
}
