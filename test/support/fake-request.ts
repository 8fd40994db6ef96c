/** A request without a connection, as Node's parser would have made it. */
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';

/** What the request says. */
export interface FakeRequest {
  readonly method?: string;
  readonly url?: string;
  readonly version?: '1.0' | '1.1';
  /** In order and with repetitions, as they stand on the wire. `Host` is `localhost` unless it is among them. */
  readonly headers?: readonly (readonly [name: string, value: string])[];
  /** Leaves `Host` out. */
  readonly hostless?: boolean;
}

/** Makes a request; header values are what the parser gives: each byte a character. */
export function fakeRequest(said: FakeRequest = {}): IncomingMessage {
  const { method = 'GET', url = '/', version = '1.1', headers = [], hostless = false } = said;
  const request = new IncomingMessage(new Socket());
  const hasHost = hostless || headers.some(([name]) => name.toLowerCase() === 'host');
  const all = hasHost ? headers : [['Host', 'localhost'] as const, ...headers];
  request.method = method;
  request.url = url;
  request.httpVersion = version;
  // What the parser itself calls: it alone knows which repeated fields are joined and which are dropped.
  const raw = all.flat();
  Reflect.apply(Reflect.get(request, '_addHeaderLines'), request, [raw, raw.length]);
  return request;
}
