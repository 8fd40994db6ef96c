/** GET of events: from a request to a stream. */

import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Credential } from '../auth/policy.ts';
import { type Brought, isPastEnd } from '../channel/continuity.ts';
import { type Clock, jitter, type Random } from '../clock.ts';
import { parseDuration } from '../config/units.ts';
import { longestCursor, MAX_CURSOR_BYTES, parseCursor } from '../cursor.ts';
import { LimitError, UnknownChannelError, UsageError } from '../errors.ts';
import type { View } from '../fanout/batch.ts';
import type { Fanout } from '../fanout/fanout.ts';
import { type Asked, type OpeningContext, openStream } from '../fanout/opening.ts';
import type { Subscriber } from '../fanout/subscriber.ts';
import type { Channel } from '../hub/channel.ts';
import type { Hub } from '../hub/hub.ts';
import type { Plan } from '../hub/plan.ts';
import type { Replay } from '../position.ts';
import { encodeRetry } from '../sse/encode.ts';
import { Outlet } from '../sse/outlet.ts';
import type { Pinned } from '../sse/pinned.ts';
import type { AddressLimit } from './address-limit.ts';
import type { Cors } from './cors.ts';
import type { Guard } from './guard.ts';
import { answerOver, responseHead } from './handover.ts';
import { isOver, mayBeOver } from './over.ts';
import { RequestRefused } from './problem.ts';
import { channelsOf, lastOf, type Target } from './target.ts';

/** What subscribing needs; times in milliseconds. */
export interface SubscribeOptions {
  readonly guard: Guard;
  readonly cors: Cors;
  readonly hub: Hub;
  readonly fanout: Fanout;
  readonly opening: OpeningContext;
  readonly clock: Clock;
  readonly random: Random;
  readonly retry: number;
  readonly clientStall: number;
  /** By what right subscribers read that have more than everybody. */
  readonly credentials: WeakMap<Subscriber, Credential>;
  /** Counts what is pending at all clients. */
  readonly pinned: Pinned;
  readonly maxChannels: number;
  /** Open streams at most. */
  readonly maxStreams: number;
  /** Open streams of one address. */
  readonly addressLimit: AddressLimit;
  /** While the gateway stops: after how long clients come back. */
  readonly stopping: () => { readonly retry: number } | undefined;
}

/** The headers that every stream has, HEAD included. */
export const STREAM_HEADERS: Readonly<Record<string, string>> = {
  'Content-Type': 'text/event-stream',
  'Cache-Control': 'no-store, no-transform',
  'X-Accel-Buffering': 'no',
};

/** A request for events that may be answered: what `check` found. */
export interface Subscription extends Asked {
  readonly plans: readonly Plan[];
  readonly view: View;
  readonly credential: Credential;
  /** The client has everything of channels that have all ended: 204, after which a browser asks no more. */
  readonly over: boolean;
}

export class Subscribe {
  readonly #options: SubscribeOptions;

  constructor(options: SubscribeOptions) {
    this.#options = options;
  }

  /** Whether the request may be answered with a stream. Throws what it is refused with otherwise. */
  check(request: IncomingMessage, path: string, target: Target): Subscription {
    const { guard, hub, maxChannels } = this.#options;
    guard.checkHost(request);
    const names = channelsOf(path, target.parameters);
    if (names.length > maxChannels) {
      throw new UsageError(`${names.length} channels are more than limits.channels_per_connection allows`, {
        hint: `name at most ${maxChannels}, or open a second connection`,
      });
    }
    const credential = guard.identify(request);
    for (const name of names) guard.require('subscribe', name, credential);
    const plans = names.map((name) => hub.plan(name) ?? unknown(name));
    checkBody(request);
    checkAccept(request.headers.accept);
    const longest = longestCursor(names);
    if (longest > MAX_CURSOR_BYTES) {
      throw new UsageError(`the cursor of these channels may need ${longest} bytes; ${MAX_CURSOR_BYTES} are the most`, {
        hint: 'name fewer channels on one connection',
      });
    }
    const { parameters } = target;
    const brought = broughtBy(request, parameters);
    return {
      plans,
      brought,
      replay: replayOf(parameters),
      announce: !isOff(lastOf(parameters, 'open')),
      view: viewOf(plans, parameters),
      credential,
      over: names.every((name) => this.#isOver(name, brought)),
    };
  }

  /** Whether a subscriber may still read all that it does. */
  mayStay(subscriber: Subscriber): boolean {
    const { guard, credentials } = this.#options;
    const credential = credentials.get(subscriber) ?? 'nobody';
    return subscriber.channels.every(({ name }) => guard.may('subscribe', name, credential));
  }

  /** Opens the stream on a socket that was handed over. */
  open(request: IncomingMessage, socket: Socket, subscription: Subscription): void {
    const { fanout, opening } = this.#options;
    const stopping = this.#options.stopping();
    const refusal = stopping === undefined ? this.#refusal(request, socket) : 'drain';
    const channels = refusal === undefined ? this.#follow(subscription.plans) : undefined;
    if (channels === undefined) {
      if (refusal !== 'drain') this.#count(refusal ?? 'overload');
      // Another status than 200 would close a browser's EventSource for good: it is told to come back instead.
      this.#begin(request, socket, stopping?.retry).end(refusal ?? 'overload');
      return;
    }
    const { brought } = subscription;
    const answer = (over: boolean): void => {
      if (over && !socket.destroyed) answerOver(socket, this.#options.cors.headers(request));
      if (over || socket.destroyed) {
        for (const channel of channels) this.#options.hub.release(channel);
        return;
      }
      const outlet = this.#begin(request, socket, undefined);
      const subscriber = fanout.admit(outlet, channels, subscription.view);
      const { credential } = subscription;
      if (credential !== 'nobody') this.#options.credentials.set(subscriber, credential);
      openStream(subscriber, subscription, opening);
    };
    if (mayBeOver(channels, brought, opening)) void isOver(channels, brought, opening).then(answer);
    else answer(false);
  }

  /** Why there is no room for this one; undefined where there is, and then it is counted. */
  #refusal(request: IncomingMessage, socket: Socket): 'overload' | 'crowded-address' | undefined {
    const { fanout, maxStreams, addressLimit } = this.#options;
    if (fanout.subscribers.size >= maxStreams) return 'overload';
    return addressLimit.admits(request, socket) ? undefined : 'crowded-address';
  }

  #count(refusal: 'overload' | 'crowded-address'): void {
    this.#options.opening.metrics.count(refusal === 'overload' ? 'streams_refused' : 'streams_refused_by_address');
  }

  #isOver(name: string, brought: Brought): boolean {
    const { hub, opening } = this.#options;
    const channel = hub.live.get(name);
    // Of a stream Redis has to be asked.
    return (
      channel !== undefined && channel.plan.feed.kind !== 'stream' && isPastEnd(channel.log, brought, opening.numbering)
    );
  }

  #begin(request: IncomingMessage, socket: Socket, retry = this.#options.retry): Outlet {
    const { clock, random, cors } = this.#options;
    const form = request.httpVersion === '1.0' ? 'plain' : 'chunked';
    const outlet = new Outlet(socket, form, this.#options.clientStall, this.#options.pinned);
    outlet.writeHead(
      responseHead('200 OK', {
        ...STREAM_HEADERS,
        ...cors.headers(request),
        Date: new Date(clock.wall()).toUTCString(),
        Connection: 'close',
        ...(outlet.form === 'chunked' && { 'Transfer-Encoding': 'chunked' }),
      }),
    );
    outlet.write(encodeRetry(jitter(retry, 0.2, random)));
    return outlet;
  }

  /** All channels, or none where `limits.channels` is reached. */
  #follow(plans: readonly Plan[]): Channel[] | undefined {
    const followed: Channel[] = [];
    try {
      for (const plan of plans) followed.push(this.#options.hub.follow(plan));
      return followed;
    } catch (error) {
      for (const channel of followed) this.#options.hub.release(channel);
      if (error instanceof LimitError) return undefined;
      throw error;
    }
  }
}

/** The first cursor that is present. EventSource repeats its URL on reconnect, so the header wins. */
function broughtBy(request: IncomingMessage, parameters: URLSearchParams): Brought {
  const bytes = request.headers['last-event-id'];
  // Clients send their id in UTF-8, and Node gives a header's bytes as they are.
  const header = bytes === undefined ? undefined : Buffer.from(String(bytes), 'latin1').toString();
  const text = [header, lastOf(parameters, 'lastEventId'), lastOf(parameters, 'last_event_id')].find(Boolean);
  if (text === undefined) return { kind: 'nothing' };
  const cursor = parseCursor(text);
  return cursor === undefined ? { kind: 'text', text } : { kind: 'cursor', cursor };
}

/** What a newcomer wants first: `since=5m`, `since=start`, `last=20`; undefined where nothing is said. */
function replayOf(parameters: URLSearchParams): Replay | undefined {
  const since = lastOf(parameters, 'since');
  const last = lastOf(parameters, 'last');
  if (since === 'start') return { kind: 'all' };
  if (since !== undefined) {
    const duration = parseDuration(since);
    if (duration === undefined)
      throw new UsageError('since is a time such as 5m, or start', { hint: 'units are ms s m h' });
    return { kind: 'since', since: duration };
  }
  if (last === undefined) return undefined;
  if (!/^[0-9]{1,9}$/.test(last)) throw new UsageError('last is a number of events, such as last=20');
  return { kind: 'last', count: Number(last) };
}

function isOff(value: string | undefined): boolean {
  return value === '0' || value === 'false';
}

function viewOf(plans: readonly Plan[], parameters: URLSearchParams): View {
  const envelope = lastOf(parameters, 'envelope');
  if (envelope !== undefined && !isOff(envelope)) return 'enveloped';
  return plans.length === 1 && plans[0]?.publisherIds === true ? 'publisher-ids' : 'shared';
}

/** A body would be cut by the request timeout in the middle of the stream. */
function checkBody(request: IncomingMessage): void {
  const length = request.headers['content-length'];
  if (request.headers['transfer-encoding'] === undefined && (length === undefined || Number(length) === 0)) return;
  throw new UsageError('a request for events has no body', { hint: 'send GET without one' });
}

function checkAccept(accept: string | undefined): void {
  if (accept === undefined || acceptsEventStream(accept)) return;
  const detail = 'events are sent as text/event-stream, which the Accept header of this request leaves out';
  throw new RequestRefused(406, 'not-acceptable', detail);
}

/** RFC 9110, section 12.5.1: the most specific range decides; a weight of 0 excludes. */
function acceptsEventStream(accept: string): boolean {
  const weights = new Map<string, number>();
  for (const range of accept.toLowerCase().split(',')) {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim());
    const weight = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2);
    weights.set(type, weight === undefined ? 1 : Number(weight));
  }
  const weight = weights.get('text/event-stream') ?? weights.get('text/*') ?? weights.get('*/*');
  return weight !== undefined && weight !== 0;
}

function unknown(name: string): never {
  throw new UnknownChannelError(`no channel is named "${name}"`, {
    hint: 'add it under "channels" in the config file',
  });
}
