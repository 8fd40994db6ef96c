/**
 * The way out to one client: a socket that carries a stream and nothing else.
 *
 * The HTTP parser is gone from it by now, so an idle outlet is little more than its socket. Handlers are shared by
 * all sockets and find their outlet on it: no closure for each connection.
 */
import type { Socket } from 'node:net';
import type { EndingName } from '../ending.ts';
import { type Form, LAST_CHUNK, unframe } from './framing.ts';
import type { Holder, Pinned } from './pinned.ts';

/** Who is told what becomes of an outlet. Calls come on turns of their own, never from within a method of the outlet. */
export interface OutletOwner {
  /** Nothing is pending any more, after `whenDrained`. */
  drained(): void;
  /** The socket is closed. Comes once, last. */
  closed(ending: EndingName): void;
}

const outletOf = Symbol('outlet');
type OutletSocket = Socket & { [outletOf]?: Outlet };

const NOTHING = Buffer.alloc(0);

export class Outlet implements Holder {
  readonly form: Form;
  readonly #socket: Socket;
  readonly #stallMs: number;
  readonly #pinned: Pinned;
  #owner: OutletOwner | undefined;
  #ending: EndingName | undefined;
  #watched = false;

  /**
   * Takes over a socket. `stallMs`: how long bytes may be pending and none taken before it is destroyed; `pinned` counts
   * what is pending at all outlets.
   */
  constructor(socket: Socket, form: Form, stallMs: number, pinned: Pinned) {
    this.#pinned = pinned;
    this.#socket = socket;
    this.form = form;
    this.#stallMs = stallMs;
    (socket as OutletSocket)[outletOf] = this;
    socket.setTimeout(0);
    socket.on('data', onData);
    socket.on('end', onEnd);
    socket.on('error', onError);
    socket.on('timeout', onTimeout);
    socket.on('close', onClose);
  }

  /** Names who is told. Where the socket closed before, that is told on a turn of its own. */
  own(owner: OutletOwner): void {
    this.#owner = owner;
    if (this.#socket.closed) queueMicrotask(() => this.socketClosed());
  }

  /** Bytes that were written and not yet taken by the kernel. */
  get pending(): number {
    return this.#socket.writableLength;
  }

  /** False once it ends or its socket is gone: what is written then goes nowhere. */
  get open(): boolean {
    return this.#ending === undefined && this.#socket.writable;
  }

  /** Writes the response head, as text with CRLF line ends. */
  writeHead(head: string): void {
    this.#socket.write(head, 'latin1');
  }

  /** Writes whole frames. */
  write(frames: Buffer): void {
    this.writeFormed(this.form === 'plain' ? unframe(frames) : frames);
  }

  /** Writes bytes that are in this outlet's form already, as one audience shares them. */
  writeFormed(bytes: Buffer): void {
    if (!this.open) return;
    this.#socket.write(bytes);
    if (this.#socket.writableLength === 0) return;
    this.#pinned.hold(this, bytes);
    if (!this.#watched) this.#watch();
  }

  /** Calls the owner's `drained` once nothing is pending. */
  whenDrained(): void {
    if (!this.open) return;
    this.#socket.write(NOTHING, () => {
      if (this.open) this.#owner?.drained();
    });
  }

  /** Ends the response completely, after what is pending; then the socket is closed. */
  end(ending: EndingName): void {
    if (!this.open) return;
    this.#ending = ending;
    if (this.form === 'chunked') this.#socket.write(LAST_CHUNK);
    this.#watch();
    this.#socket.destroySoon();
  }

  /** Closes the socket at once: the response stays incomplete, and whatever was pending is lost. */
  destroy(ending: EndingName): void {
    this.#ending ??= ending;
    this.#socket.destroy();
  }

  /**
   * Lets Node's socket timer look whether pending bytes move: it fires when none were taken for its whole time.
   * Only a socket with something pending has one.
   */
  #watch(): void {
    this.#watched = true;
    this.#socket.setTimeout(this.#stallMs);
    this.#socket.write(NOTHING, () => {
      if (!this.open) return;
      this.#watched = false;
      this.#socket.setTimeout(0);
      if (this.#socket.writableLength > 0) this.#watch();
      else this.#pinned.release(this);
    });
  }

  /** For the socket's own handler: tells the owner, once. */
  socketClosed(): void {
    this.#pinned.release(this);
    const owner = this.#owner;
    this.#owner = undefined;
    owner?.closed(this.#ending ?? 'client-left');
  }
}

/** A second request on a socket that carries a stream: pipelined, it would become a hidden subscription. */
function onData(this: OutletSocket): void {
  this[outletOf]?.destroy('second-request');
}

/** A client that half-closes has left: nothing it could still want is worth a socket that looks alive. */
function onEnd(this: OutletSocket): void {
  this[outletOf]?.destroy('client-left');
}

function onError(this: OutletSocket): void {
  this[outletOf]?.destroy('client-error');
}

function onTimeout(this: OutletSocket): void {
  this[outletOf]?.destroy('stalled');
}

function onClose(this: OutletSocket): void {
  this[outletOf]?.socketClosed();
}
