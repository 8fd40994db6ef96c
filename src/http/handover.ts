/**
 * How a socket leaves HTTP and becomes a stream.
 *
 * Node hands a socket over when a request is an upgrade: its parser goes back to the pool, and whatever came behind
 * the request arrives as `head`. Here every GET of events answers that it is one. An upgrade is announced while
 * earlier requests on the same socket may still be answered, so it waits for the last of them.
 */
import { IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { type Problem, renderProblem } from './problem.ts';

/** The class of requests for a server whose streams are those for which `isStream` holds, by method and URL. */
export function requestClass(isStream: (method: string, url: string) => boolean): typeof IncomingMessage {
  return class GatewayRequest extends IncomingMessage {
    /** What the client itself asked for by an `Upgrade` header is not wanted and not kept. */
    set upgrade(_asked: boolean) {
      // The parser sets it before the method is known; it is decided when it is read.
    }

    get upgrade(): boolean {
      return isStream(this.method ?? '', this.url ?? '');
    }
  };
}

/** Knows what is still being answered on each socket that may carry a stream later. */
export class Responses {
  readonly #last = new WeakMap<Socket, ServerResponse>();

  /** A request on a socket is being answered. */
  began(socket: Socket, response: ServerResponse): void {
    this.#last.set(socket, response);
    response.once('close', () => {
      if (this.#last.get(socket) === response) this.#last.delete(socket);
    });
  }

  /** Calls `run` when everything that was asked before on this socket is answered; never if it closes before. */
  afterAll(socket: Socket, run: () => void): void {
    const last = this.#last.get(socket);
    if (last === undefined) run();
    else last.once('close', () => socket.writable && run());
  }
}

/** Answers a problem on a socket that was handed over, and closes it. */
export function refuseStream(socket: Socket, problem: Problem, extra: Readonly<Record<string, string>>): void {
  const { title, headers, body } = renderProblem(problem);
  const head = responseHead(`${problem.status} ${title}`, { ...headers, ...extra, Connection: 'close' });
  socket.write(`${head}${body}`);
  socket.destroySoon();
}

/** Answers that there is nothing more to come: a browser's EventSource does not ask again after a 204. */
export function answerOver(socket: Socket, extra: Readonly<Record<string, string>>): void {
  socket.write(responseHead('204 No Content', { 'Cache-Control': 'no-store', ...extra, Connection: 'close' }));
  socket.destroySoon();
}

/** A response head as it stands on the wire. `status` is the code and its reason. */
export function responseHead(status: string, headers: Readonly<Record<string, string>>): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status}\r\n${lines.join('')}\r\n`;
}
