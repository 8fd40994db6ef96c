/** What must hold between keys. The sentences stand in the reference page too. */
import { CHANNEL_RULES } from './channel-rules.ts';
import type { RawChannel } from './channel-schema.ts';
import { describeListen, isLoopback } from './listen.ts';
import type { Path } from './node.ts';
import { showPath } from './problems.ts';
import type { Conflict, Rule } from './rule.ts';
import type { RawConfig } from './schema.ts';
import { formatDuration, formatSize } from './units.ts';

/** All of them. */
export const RULES: readonly Rule[] = [
  {
    text: '`server.heartbeat` is below `server.max_connection_age`.',
    check: ({ server }) =>
      below(['server', 'heartbeat'], server.heartbeat, ['server', 'max_connection_age'], server.max_connection_age),
  },
  {
    text: '`limits.client_stall` is below `server.max_connection_age`.',
    check: ({ server, limits }) =>
      below(
        ['limits', 'client_stall'],
        limits.client_stall,
        ['server', 'max_connection_age'],
        server.max_connection_age,
      ),
  },
  {
    text: '`server.drain.retry` is at least `server.retry`: a stop keeps clients away no shorter than a cut.',
    check: ({ server }) => {
      const path = ['server', 'drain', 'retry'];
      const message = `${formatDuration(server.drain.retry)} is less than server.retry, which is ${formatDuration(server.retry)}`;
      const wanted = `${formatDuration(server.retry)} or more`;
      return server.drain.retry >= server.retry ? [] : [{ path, others: [['server', 'retry']], message, wanted }];
    },
  },
  {
    text: '`server.hosts` needs a TCP address: behind a unix socket the Host header is not looked at.',
    check: ({ server }) => {
      if (server.listen.kind !== 'unix' || server.hosts.length === 0) return [];
      const message = 'Host names have no meaning where server.listen is a unix socket';
      return [{ path: ['server', 'hosts'], others: [['server', 'listen']], message, wanted: '[]' }];
    },
  },
  {
    text: '`server.reuse_port: true` needs a TCP address: a unix socket has one listener.',
    check: ({ server }) => {
      if (server.listen.kind !== 'unix' || !server.reuse_port) return [];
      const message = 'a unix socket cannot be listened on twice';
      const hint = 'take it out, or let systemd hold the socket';
      return [{ path: ['server', 'reuse_port'], others: [['server', 'listen']], message, hint }];
    },
  },
  {
    text: '`limits.window` is at least 4 times `limits.event_size`.',
    check: ({ limits }) => holds(['limits', 'window'], limits.window, 4, ['limits', 'event_size'], limits.event_size),
  },
  {
    text: '`limits.buffered_total` is at least `limits.window`.',
    check: ({ limits }) =>
      holds(['limits', 'buffered_total'], limits.buffered_total, 1, ['limits', 'window'], limits.window),
  },
  {
    text: '`history.bytes` of a channel is at least 4 times `limits.event_size`.',
    check: ({ channels, limits }) =>
      withHistory(channels).flatMap(([name, { history }]) =>
        holds(['channels', name, 'history', 'bytes'], history.bytes, 4, ['limits', 'event_size'], limits.event_size),
      ),
  },
  {
    text: '`history.bytes` of a channel is at most `limits.history_total`.',
    check: ({ channels, limits }) =>
      withHistory(channels).flatMap(([name, { history }]) =>
        holds(
          ['limits', 'history_total'],
          limits.history_total,
          1,
          ['channels', name, 'history', 'bytes'],
          history.bytes,
        ),
      ),
  },
  {
    text: 'A `replay` of a number of events is at most `history.events` of the channel, but for streams, which Redis keeps.',
    check: ({ channels }) =>
      [...(channels ?? [])].flatMap(([name, { replay, history, stream, key }]) => {
        if (stream !== undefined || key !== undefined) return [];
        if (replay.kind !== 'last' || replay.count <= history.events) return [];
        const path = ['channels', name];
        const message = `${replay.count} is more than history.events, which is ${history.events}`;
        const hint = `write ${history.events} or less, or set history.events to ${replay.count}`;
        return [{ path: [...path, 'replay'], others: [[...path, 'history', 'events']], message, hint }];
      }),
  },
  ...CHANNEL_RULES,
  {
    text: 'The channels with `follow: always` are at most `limits.channels`.',
    check: ({ channels, limits }) => {
      const always = [...(channels ?? [])].filter(([, { follow }]) => follow === 'always');
      if (always.length <= limits.channels) return [];
      const message = `${limits.channels} is less than the ${always.length} channels with follow: always`;
      const others = always.map(([name]) => ['channels', name, 'follow']);
      return [{ path: ['limits', 'channels'], others, message, wanted: `${always.length} or more` }];
    },
  },
  {
    text: '`cors.credentials: true` needs `cors.origins` by name, not `*`.',
    check: ({ cors }) => {
      if (!cors.credentials || !cors.origins.includes('*')) return [];
      const message = 'with "*" in cors.origins every web page could act in the name of whoever opens it';
      const hint = 'list the origins, or take credentials out';
      return [{ path: ['cors', 'credentials'], others: [['cors', 'origins']], message, hint }];
    },
  },
  {
    text: '`linger` of a channel is above 2 times `server.retry`, so that a client that comes back finds it.',
    check: ({ channels, server }) =>
      [...(channels ?? [])].flatMap(([name, { linger, memory }]) => {
        if (memory || linger > 2 * server.retry) return [];
        const path = ['channels', name, 'linger'];
        const message = `${formatDuration(linger)} is not above 2 times server.retry, which is ${formatDuration(server.retry)}`;
        return [
          { path, others: [['server', 'retry']], message, wanted: `more than ${formatDuration(2 * server.retry)}` },
        ];
      }),
  },
  {
    text: 'A `server.listen` that other machines reach needs `allow.subscribe`, which says who may read.',
    check: ({ server, allow, channels }) => {
      if (isLoopback(server.listen) || allow.subscribe !== undefined) return [];
      const message = `${describeListen(server.listen)} can be reached by other machines, and nothing says who may subscribe`;
      const hint = `add what everybody may read, or [] for nobody, as a line of its own: allow: {subscribe: [${examplePatterns(channels)}]}`;
      return [{ path: ['server', 'listen'], others: [['allow']], message, hint }];
    },
  },
];

/** The channels that have a history; a key has none to set. */
function withHistory(channels: RawConfig['channels']): (readonly [string, RawChannel])[] {
  return [...(channels ?? [])].filter(([, { key }]) => key === undefined);
}

/** A duration that must be shorter than another. */
function below(path: Path, value: number, other: Path, limit: number): Conflict[] {
  if (value < limit) return [];
  const message = `${formatDuration(value)} is not below ${showPath(other)}, which is ${formatDuration(limit)}`;
  return [{ path, others: [other], message, wanted: `less than ${formatDuration(limit)}` }];
}

/** A size that must hold another some times. */
function holds(path: Path, value: number, times: number, other: Path, part: number): Conflict[] {
  if (value >= times * part) return [];
  const what = `${times === 1 ? '' : `${times} times `}${showPath(other)}, which is ${formatSize(part)}`;
  return [
    {
      path,
      others: [other],
      message: `${formatSize(value)} is less than ${what}`,
      wanted: `${formatSize(times * part)} or more`,
    },
  ];
}

/** The first three channels as patterns; that everybody may read everything is for the author to write, not to copy. */
function examplePatterns(channels: RawConfig['channels']): string {
  const names = [...(channels?.keys() ?? [])].filter((name) => name !== '*').slice(0, 3);
  const patterns = names.map((name) => name.replaceAll(/\{[^{}]*\}/g, '*'));
  return (patterns.length > 0 ? patterns : ['public.*']).map((pattern) => JSON.stringify(pattern)).join(', ');
}
