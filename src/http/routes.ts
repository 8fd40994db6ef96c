/** Which address and method does what, for everything that is answered without a stream. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { UnknownChannelError } from '../errors.ts';
import type { Hub } from '../hub/hub.ts';
import { EXPOSITION_TYPE } from '../metrics/exposition.ts';
import type { Numbering } from '../position.ts';
import type { Batch } from './batch.ts';
import { answerJson } from './body.ts';
import { channelState, channelStates } from './channels.ts';
import type { Cors } from './cors.ts';
import type { Guard } from './guard.ts';
import { answerPage, type Page } from './page.ts';
import { RequestRefused } from './problem.ts';
import { notAllowed, type Publish } from './publish.ts';
import { answerHealth, answerReady, type StatusOptions } from './status.ts';
import { STREAM_HEADERS, type Subscribe } from './subscribe.ts';
import { channelsOf, isEventsPath, type Target } from './target.ts';

/** What the routes lead to. */
export interface RoutesOptions {
  readonly guard: Guard;
  readonly cors: Cors;
  readonly subscribe: Subscribe;
  readonly publish: Publish;
  readonly batch: Batch;
  readonly hub: Hub;
  readonly numbering: Numbering;
  readonly status: StatusOptions;
  readonly page: Page;
  /** All metrics as text. */
  readonly metrics: () => string;
}

export class Routes {
  readonly #options: RoutesOptions;

  constructor(options: RoutesOptions) {
    this.#options = options;
  }

  /** Answers a request. Throws what it is refused with. */
  async answer(request: IncomingMessage, response: ServerResponse, target: Target): Promise<void> {
    const { path } = target;
    // What came behind a request for another protocol was taken for that protocol, and is gone.
    if (request.headers.upgrade !== undefined) response.setHeader('Connection', 'close');
    for (const [name, value] of Object.entries(this.#options.cors.headers(request))) response.setHeader(name, value);
    if (request.method === 'OPTIONS') this.#answerOptions(request, response);
    else if (isEventsPath(path)) await this.#answerEvents(request, response, path, target);
    else this.#answerOther(request, response, path);
  }

  #answerOptions(request: IncomingMessage, response: ServerResponse): void {
    this.#options.guard.checkHost(request);
    const { cors } = this.#options;
    response.writeHead(204, { Allow: 'GET, HEAD, POST, DELETE, OPTIONS', ...cors.preflight(request) });
    response.end();
  }

  async #answerEvents(request: IncomingMessage, response: ServerResponse, path: string, target: Target): Promise<void> {
    const { publish, batch } = this.#options;
    const whole = path === '/events';
    if (request.method === 'HEAD') this.#answerHead(request, response, path, target);
    else if (request.method === 'POST' && whole) await batch.run(request, response, target);
    else if (request.method === 'POST') await publish.one(request, response, path, target);
    else if (request.method === 'DELETE' && !whole) await publish.end(request, response, path, target);
    else throw notAllowed(whole ? 'GET, HEAD, POST' : 'GET, HEAD, POST, DELETE');
  }

  #answerHead(request: IncomingMessage, response: ServerResponse, path: string, target: Target): void {
    const { over } = this.#options.subscribe.check(request, path, target);
    response.writeHead(over ? 204 : 200, over ? {} : STREAM_HEADERS);
    response.end();
  }

  #answerOther(request: IncomingMessage, response: ServerResponse, path: string | undefined): void {
    const { guard, status, page } = this.#options;
    guard.checkHost(request);
    const answers: Readonly<Record<string, () => void>> = {
      '/': () => answerPage(response, page),
      '/healthz': () => answerHealth(response),
      '/readyz': () => answerReady(response, status),
      '/channels': () => this.#answerChannels(request, response),
      '/metrics': () => this.#answerMetrics(request, response),
    };
    const one = path?.startsWith('/channels/') === true ? path : undefined;
    const answer = one === undefined ? answers[path ?? ''] : () => this.#answerChannel(request, response, one);
    if (answer === undefined) {
      throw new RequestRefused(404, 'not-found', 'there is nothing at this address; events are at /events/CHANNEL');
    }
    if (request.method !== 'GET' && request.method !== 'HEAD') throw notAllowed('GET, HEAD');
    answer();
  }

  #answerChannels(request: IncomingMessage, response: ServerResponse): void {
    const { guard, hub, numbering } = this.#options;
    const credential = guard.identify(request);
    guard.requireAny('admin', credential);
    const may = (name: string): boolean => guard.may('admin', name, credential);
    answerJson(response, 200, { channels: channelStates(hub, numbering, may) });
  }

  #answerMetrics(request: IncomingMessage, response: ServerResponse): void {
    const { guard, metrics } = this.#options;
    guard.require('admin', undefined, guard.identify(request));
    const text = metrics();
    const headers = { 'Content-Type': EXPOSITION_TYPE, 'Content-Length': Buffer.byteLength(text) };
    response.writeHead(200, { ...headers, 'Cache-Control': 'no-store' });
    response.end(text);
  }

  #answerChannel(request: IncomingMessage, response: ServerResponse, path: string): void {
    const { guard, hub, numbering } = this.#options;
    const [name = ''] = channelsOf(path.replace('/channels/', '/events/'), new URLSearchParams());
    guard.require('admin', name, guard.identify(request));
    const channel = hub.live.get(name);
    if (channel === undefined) throw new UnknownChannelError(`the channel "${name}" is not live`);
    answerJson(response, 200, channelState(channel, numbering));
  }
}
