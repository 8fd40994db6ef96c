/** What a request's target names: a route, channels, parameters. */
import { isChannelName } from '../config/names.ts';
import { UsageError } from '../errors.ts';

/** A parsed target. */
export interface Target {
  /** The path below `server.base_path`, beginning with "/"; undefined where it is not below it. */
  readonly path: string | undefined;
  readonly parameters: URLSearchParams;
}

/** Parses a request's URL. Nothing is decoded in the path: what it names is decoded where it is used. */
export function parseTarget(url: string, basePath: string): Target {
  const local = url.replace(/^https?:\/\/[^/?#]*/i, ''); // RFC 9112, section 3.2.2: the absolute form is accepted
  const question = local.indexOf('?');
  const whole = question < 0 ? local : local.slice(0, question);
  const parameters = new URLSearchParams(question < 0 ? '' : local.slice(question + 1));
  const base = basePath.endsWith('/') ? basePath.slice(0, -1) : basePath;
  const below = whole === base || whole.startsWith(`${base}/`);
  return { path: below ? whole.slice(base.length) || '/' : undefined, parameters };
}

/** Whether a path is one of events: `/events` or `/events/{channel}`. */
export function isEventsPath(path: string | undefined): path is string {
  return path !== undefined && /^\/events(\/[^/]*)?$/.test(path);
}

/** The channels that a request for events names. Throws UsageError where there are none or one is no name. */
export function channelsOf(path: string, parameters: URLSearchParams): string[] {
  const names =
    path === '/events' ? [...new Set(parameters.getAll('channel'))] : [decoded(path.slice('/events/'.length))];
  if (names.length === 0) {
    throw new UsageError('no channel is named', { hint: 'ask for /events/CHANNEL, or /events?channel=A&channel=B' });
  }
  for (const name of names) if (!isChannelName(name)) throw badName(name);
  return names;
}

/** The last value of a repeated parameter, as EventSource clients that build on their own URL expect. */
export function lastOf(parameters: URLSearchParams, name: string): string | undefined {
  return parameters.getAll(name).at(-1);
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch (cause) {
    throw badName(segment, cause);
  }
}

/** What a name is refused with that no channel can have; a long one is not sent back whole. */
export function badName(name: string, cause?: unknown): UsageError {
  return new UsageError(`${JSON.stringify(name.slice(0, 80))} is not a channel name`, {
    hint: 'names are 1 to 255 of letters, digits and _ . : @ ~ | + = -',
    cause,
  });
}
