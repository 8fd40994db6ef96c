/** The HTTP server: listens, finds the route, turns errors into answers. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { finished } from 'node:stream';
import type { Clock } from '../clock.ts';
import type { Logger } from '../logger.ts';
import type { Metrics } from '../metrics/metrics.ts';
import { MAX_HEADER_LINES } from './client-address.ts';
import type { Cors } from './cors.ts';
import { answerOver, Responses, refuseStream, requestClass } from './handover.ts';
import { type Listening, startListening, stopListening } from './listening.ts';
import { type Problem, problemOf, renderProblem } from './problem.ts';
import type { Routes } from './routes.ts';
import type { Subscribe } from './subscribe.ts';
import { isEventsPath, parseTarget, type Target } from './target.ts';

/** What the server needs. */
export interface HttpOptions {
  readonly listening: Listening;
  readonly basePath: string;
  readonly cors: Cors;
  readonly subscribe: Subscribe;
  readonly routes: Routes;
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** Connections of every kind at most. */
  readonly maxConnections: number;
  /** Whether it is about to stop. */
  readonly stopping: () => boolean;
}

/** How long a client may take for its headers and for its whole request, and how often that is looked at. */
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 15_000;
const TIMEOUT_CHECK_MS = 2000;
/** Above what proxies keep idle connections open for, so that it is they who close them. */
const KEEP_ALIVE_MS = 75_000;
/** When TCP begins to ask an idle peer whether it is there. */
const PROBE_AFTER_MS = 30_000;
/** What an answer may take that was asked for when others had taken over. */
const LAST_ANSWERS_MS = 2000;
const MAX_HEADER_BYTES = 16 * 1024;

export class HttpServer {
  #options: HttpOptions;
  readonly #server: Server;
  readonly #responses = new Responses();
  readonly #empty = Promise.withResolvers<void>();

  constructor(options: HttpOptions) {
    this.#options = options;
    const isStream = (method: string, url: string): boolean => method === 'GET' && isEventsPath(this.#target(url).path);
    this.#server = createServer({
      IncomingMessage: requestClass(isStream),
      shouldUpgradeCallback: () => true,
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: TIMEOUT_CHECK_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      maxHeaderSize: MAX_HEADER_BYTES,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: PROBE_AFTER_MS,
    });
    this.#server.maxHeadersCount = MAX_HEADER_LINES;
    if (Number.isFinite(options.maxConnections)) this.#server.maxConnections = options.maxConnections;
    this.#server.on('drop', () => options.metrics.count('connections_dropped'));
    this.#server.on('request', (request, response) => void this.#answer(request, response));
    this.#server.on('checkContinue', (request, response) => void this.#answer(request, response));
    this.#server.on('upgrade', (request, socket: Socket, head) => this.#stream(request, socket, head));
  }

  /** Listens; gives the URL, without a slash at its end. Throws ListenError. */
  async start(): Promise<string> {
    const { listening, logger } = this.#options;
    const url = await startListening(this.#server, listening);
    this.#server.on('error', (error) => logger.error({ err: error }, 'a connection could not be accepted'));
    return url;
  }

  /** Answers by other parts from now on. Where it listens stays as it is. */
  replace(parts: Pick<HttpOptions, 'basePath' | 'cors' | 'subscribe' | 'routes' | 'maxConnections'>): void {
    this.#options = { ...this.#options, ...parts };
    if (Number.isFinite(parts.maxConnections)) this.#server.maxConnections = parts.maxConnections;
  }

  /** Leaves new connections to others who listen here, and closes idle ones. Resolves when it no longer listens. */
  async leave(): Promise<void> {
    this.#server.once('close', () => this.#empty.resolve());
    await stopListening(this.#server);
  }

  /** After `leave`: resolves when nobody is connected any more, or has had the time for an answer, at most `ms`. */
  answered(clock: Clock, ms: number): Promise<void> {
    this.#server.closeIdleConnections();
    const cancel = clock.after(Math.min(ms, LAST_ANSWERS_MS), () => this.#empty.resolve());
    return this.#empty.promise.finally(cancel);
  }

  /** Takes no new connections and closes those that carry no stream. */
  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #target(url: string): Target {
    return parseTarget(url, this.#options.basePath);
  }

  #stream(request: IncomingMessage, socket: Socket, head: Buffer): void {
    socket.on('error', dropSocket);
    // So many requests stood before this one that Node has stopped reading: their sender would never be heard again.
    const deaf = socket.isPaused();
    this.#responses.afterAll(socket, () => {
      if (deaf) socket.destroySoon();
      // More behind a request for a stream can only be pipelined requests: each would be a hidden subscription.
      else if (head.length > 0 && !hasBody(request)) socket.destroy();
      else this.#open(request, socket);
    });
  }

  #open(request: IncomingMessage, socket: Socket): void {
    const { subscribe, cors } = this.#options;
    const target = this.#target(request.url ?? '/');
    try {
      const subscription = subscribe.check(request, target.path ?? '/', target);
      if (subscription.over) answerOver(socket, cors.headers(request));
      else subscribe.open(request, socket, subscription);
    } catch (error) {
      this.#log(request, error);
      refuseStream(socket, problemOf(error), cors.headers(request));
    }
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#responses.began(request.socket, response);
    // Whoever keeps a connection to a gateway that leaves would be cut with it, or never meet the one that has come.
    if (!this.#server.listening || this.#options.stopping()) response.shouldKeepAlive = false;
    try {
      await this.#options.routes.answer(request, response, this.#target(request.url ?? '/'));
    } catch (error) {
      if (request.socket.destroyed) return; // the client has gone in the middle of its own request
      this.#log(request, error);
      const problem = problemOf(error);
      if (response.headersSent || response.destroyed) {
        response.destroy();
        return;
      }
      answerProblem(request, response, problem);
    }
  }

  #log(request: IncomingMessage, error: unknown): void {
    const problem = problemOf(error);
    const facts = { method: request.method, status: problem.status, code: problem.code };
    if (problem.status === 500) this.#options.logger.error({ ...facts, err: error }, 'a request failed');
    else this.#options.logger.debug(facts, 'a request was refused');
  }
}

/**
 * A body that is still on its way is not kept, and the connection ends with the answer. But what arrives at a closed
 * socket is answered by a reset, and a client that is still sending would have that in place of the answer: so the rest
 * is let pass, for as long as any request may take.
 */
function answerProblem(request: IncomingMessage, response: ServerResponse, problem: Problem): void {
  const { headers, body } = renderProblem(problem);
  const isComing = !request.complete;
  response.writeHead(problem.status, { ...headers, ...(isComing && { Connection: 'close' }) });
  if (!isComing || request.headers.expect !== undefined) {
    response.end(body);
    return;
  }
  response.write(body);
  finished(request.resume(), () => response.end());
}

/** HTTP's own listener is gone after the handover, and a reset must not end the process. */
function dropSocket(this: Socket): void {
  this.destroy();
}

function hasBody(request: IncomingMessage): boolean {
  return Number(request.headers['content-length'] ?? 0) > 0 || request.headers['transfer-encoding'] !== undefined;
}
