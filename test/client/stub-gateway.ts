/** A gateway that answers as a test tells it to, well or badly. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import type { Owner } from '../support/owner.ts';
import { Watch } from '../support/wait.ts';

/** One request as it came, with its whole body. */
export interface StubRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

/** Answers the request at `index`, counted from 0. */
export type StubAnswer = (response: ServerResponse, request: StubRequest, index: number) => void;

/** A listening stub. */
export class StubGateway {
  readonly url: string;
  readonly requests: StubRequest[] = [];
  readonly watch = new Watch();
  readonly #server: Server;

  constructor(server: Server, url: string) {
    this.#server = server;
    this.url = url;
  }

  /** Settles with the request at `index` once it is there. */
  request(index: number): Promise<StubRequest> {
    return this.watch.until(
      () => `request ${index}; there were ${this.requests.length}`,
      () => this.requests[index],
    );
  }

  /** Ends every connection and the listener. */
  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }
}

/** Starts a stub on a free port, on `port` or on a unix socket. */
export async function startStub(
  owner: Owner,
  answer: StubAnswer,
  listen: { readonly port?: number; readonly path?: string } = {},
): Promise<StubGateway> {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const { method = '', url: path = '', headers } = request;
    const seen = { method, path, headers, body: Buffer.concat(chunks) };
    stub.requests.push(seen);
    stub.watch.changed();
    answer(response, seen, stub.requests.length - 1);
  });
  const where = listen.path === undefined ? { port: listen.port ?? 0, host: '127.0.0.1' } : { path: listen.path };
  await new Promise<void>((resolve, reject) => server.on('error', reject).listen(where, resolve));
  const url =
    listen.path === undefined ? `http://127.0.0.1:${(server.address() as AddressInfo).port}` : `unix:${listen.path}`;
  const stub = new StubGateway(server, url);
  owner.after(() => stub.stop());
  return stub;
}

/** Opens an event stream and writes `text` to it; the stream stays open. */
export function stream(response: ServerResponse, text = ''): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.write(`:\n${text}`);
}

/** Answers JSON, whole. */
export function json(response: ServerResponse, status: number, value: unknown, type = 'application/json'): void {
  response.writeHead(status, { 'content-type': type }).end(JSON.stringify(value));
}

/** Refuses as a gateway does. */
export function problem(response: ServerResponse, status: number, detail: string): void {
  json(response, status, { type: 'about:blank', title: 'Refused', status, detail }, 'application/problem+json');
}

/** A listener that speaks no HTTP: `onConnection` gets the bare socket. Tells its URL. */
export async function startTcp(owner: Owner, onConnection: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    onConnection(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  owner.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
