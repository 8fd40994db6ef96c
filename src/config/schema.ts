/**
 * Every key of the configuration: what it takes, its default and what it does.
 * The types, the validation, `config.example.yaml`, the JSON Schema and the reference page derive from this file.
 */
import { LOG_LEVELS } from '../logger.ts';
import { channel } from './channel-schema.ts';
import { choice, flag, list, listOrFlag } from './kind.ts';
import { duration, integer, size } from './measure.ts';
import { NAME_CHARACTERS } from './names.ts';
import { record } from './record.ts';
import {
  alternative,
  exemplary,
  given,
  homesOf,
  later,
  nested,
  optional,
  type SectionValue,
  section,
} from './section.ts';
import { source } from './source-schema.ts';
import {
  basePath,
  channelKey,
  channelPattern,
  connectionLimit,
  hostName,
  listenAddress,
  originList,
  redisUrl,
  secretPath,
  sourceKey,
  trustedProxy,
} from './value.ts';

const KiB = 1024;
const MiB = 1024 * KiB;
const GiB = 1024 * MiB;
const SECOND = 1000;
const HOUR = 3600 * SECOND;

const drain = section({
  window: given(
    duration({ min: 0, max: HOUR }),
    '20s',
    'How long a stop (SIGTERM) takes at most; the streams are ended one after the other within it.',
  ),
  retry: given(
    duration({ min: 10, max: HOUR }),
    '5s',
    'What clients are told to wait before they come back after a stop. Must exceed the time of a restart.',
  ),
});

const server = section({
  listen: given(
    listenAddress,
    '127.0.0.1:8080',
    'Where clients connect: `host:port`, or `unix:/run/sse-gateway.sock`. Port 0 takes a free one.',
  ),
  base_path: given(
    basePath,
    '/',
    'The path in front of every route, such as `/sse` behind a proxy that does not strip it.',
  ),
  hosts: given(
    list(hostName, 'host names'),
    '[]',
    'The names that a request may have in its Host header; others get 421. Empty on a loopback address: loopback names only. Empty elsewhere: any.',
  ),
  heartbeat: given(
    duration({ min: 100, max: HOUR }),
    '15s',
    'A comment is sent to a client that got nothing for this long (jittered), so that proxies keep the connection. Keep it below their idle timeout.',
  ),
  retry: given(
    duration({ min: 10, max: HOUR }),
    '2s',
    'What clients are told on connect to wait before they come back (jittered per client).',
  ),
  max_connection_age: given(
    duration({ min: SECOND }),
    '30m',
    'A stream is ended after this long (jittered) and the client resumes without loss. It finds peers that are gone without a word.',
  ),
  drain: nested(drain, 'What a stop does to open streams.'),
  trusted_proxies: given(
    list(trustedProxy, 'networks such as 10.0.0.0/8'),
    '[]',
    'The proxies whose `X-Forwarded-For` is believed: networks (`10.0.0.0/8`, `2001:db8::/32`), addresses, `loopback` (proxies on this machine) or `unix` (whoever comes by the unix socket). It says only whom `limits.connections_per_ip` and `limits.publish_rate` count.',
  ),
  reuse_port: given(
    flag,
    'false',
    'true: another gateway of the same user may listen on the same port, so that the new one starts before the old one stops.',
  ),
  tls: later,
});

const log = section({ level: given(choice(LOG_LEVELS), 'info', 'The least that is logged.') }, 'level');

const limits = section({
  channels: given(integer({ min: 1, max: 10_000_000 }), '100000', 'Live channels at one time.'),
  channels_per_connection: given(integer({ min: 1, max: 1000 }), '64', 'Channels that one connection may name.'),
  event_size: given(
    size({ min: KiB, max: 64 * MiB }),
    '1MiB',
    'The largest event. Larger ones are refused from publishers, and are a gap when they come from Redis.',
  ),
  client_stall: given(
    duration({ min: 100, max: HOUR }),
    '10s',
    'A client that has bytes waiting and takes none for this long is cut; it can resume.',
  ),
  buffered_total: given(
    size({ min: 64 * KiB, max: 64 * GiB }),
    '256MiB',
    'What clients that lag may keep in memory together: what they have not passed in the logs (beyond it they get a gap, the largest window first), and what their sockets hold (beyond it the one that holds the most is cut).',
  ),
  history_total: given(
    size({ min: 64 * KiB, max: 64 * GiB }),
    '256MiB',
    'The history of all channels together; beyond it the oldest idle channel is forgotten first.',
  ),
  window: given(
    size({ min: 64 * KiB, max: 4 * GiB }),
    '16MiB',
    'For each channel, what connected clients have not been sent yet; a client that falls further behind gets a gap.',
  ),
  connections: given(
    connectionLimit,
    'auto',
    'Open streams at one time; one more is told to come back. auto: as many as the limit of open files allows, with a reserve; a larger number is cut to that.',
  ),
  connections_per_ip: given(
    integer({ min: 0, max: 10_000_000 }),
    '0',
    'Open streams of one client address, or of one IPv6 /64; one more is told to come back. 0: no limit. Behind a proxy it needs `server.trusted_proxies`.',
  ),
  publish_rate: given(
    integer({ min: 0, max: 10_000_000 }),
    '0',
    'Events that one client address, or one IPv6 /64, may publish over HTTP in a second; what is faster is refused with 429. 0: no limit. Behind a proxy it needs `server.trusted_proxies`.',
  ),
});

const cors = section({
  origins: given(
    originList,
    '[]',
    'The web pages of other origins that may read, and publish where they have the right: `https://app.example.com`, one for each item, compared exactly. `*` alone is any.',
  ),
  credentials: given(flag, 'false', 'true: those pages may send cookies (`withCredentials`). Not together with `*`.'),
});

const patterns = list(channelPattern, 'channel names, in which * is any run of characters');

const allow = section({
  subscribe: optional(
    patterns,
    '["prices", "chat.*"]',
    'Channels that everybody may read. `[]` is nobody. Left out, on a loopback address: all; on any other address it must be decided.',
  ),
  publish: optional(patterns, '["chat.*"]', 'Channels that everybody may publish to over HTTP. Left out: nobody.'),
  admin: optional(
    listOrFlag(patterns),
    'false',
    'Channels whose state everybody may see, or true for all and the metrics. Left out: nobody.',
  ),
});

/** The whole file. */
export const schema = section({
  redis: exemplary(
    redisUrl,
    'redis://127.0.0.1:6379',
    'The one Redis to read: short for a source with the name redis. Forms: `redis://[user:password@]host[:port][/db]`, and `rediss://` for TLS.',
  ),
  redis_file: alternative(
    secretPath,
    '/run/secrets/redis',
    'Instead of `redis`: a file that holds the URL and nothing else. A relative path begins in the folder of this file.',
  ),
  server: nested(server, 'The listener and its streams.'),
  cors: nested(cors, 'Which web pages of other origins may use the gateway (CORS).'),
  log: nested(log, 'The log, on stderr.'),
  limits: nested(limits, 'What the gateway may use at most.'),
  sources: optional(
    record(source, {
      wanted: 'a map with a source on each line, such as main: {redis: redis://127.0.0.1:6379}',
      key: sourceKey,
      pattern: '^[A-Za-z0-9_-]{1,64}$',
      examples: [{ name: 'main', value: '', doc: '' }],
    }),
    '',
    'Redis deployments by name, where there are several. Names have letters, digits, `_` and `-`.',
  ),
  channels: exemplary(
    record(channel, {
      wanted: 'a map with a channel on each line, such as prices: {}',
      key: channelKey,
      pattern: `^[*{}${NAME_CHARACTERS}]+$`,
      examples: [
        { name: 'prices', value: '', doc: 'An exact name, with all that a channel can have.' },
        {
          name: 'alerts',
          value: '{pubsub: "app:alerts", format: envelope}',
          doc: 'Under another name than in Redis, with type and id.',
        },
        {
          name: 'chat.{room}',
          value: '{pubsub: "chat:{room}"}',
          doc: 'A template: {room} is one segment of the name, without . and :',
        },
        { name: 'logs.{path*}', value: '{}', doc: 'The last variable may take everything that is left.' },
        {
          name: 'sensors',
          value: '{pattern: "sensor:*", event: "{feed}"}',
          doc: 'All that a Redis pattern hears, each under its own type.',
        },
        { name: 'lobby', value: '{memory: true, replay: 10}', doc: 'Without Redis.' },
      ],
    }),
    '',
    'What clients subscribe to: exact names, templates such as `chat.{room}`, and `"*"` for every other name (except those that begin with `__`).',
  ),
  allow: nested(allow, 'What needs no credential. In a pattern * is any run of characters.'),
  auth: later,
  admin: later,
});

/** Where each key belongs, for hints. */
export const homes = homesOf(schema.fields);

/** The file as it was read, before names are looked up. */
export type RawConfig = SectionValue<typeof schema.fields>;
/** `server`: durations in ms. */
export type ServerConfig = SectionValue<typeof server.fields>;
export type LogConfig = SectionValue<typeof log.fields>;
/** `limits`: durations in ms, sizes in bytes. */
export type LimitsConfig = SectionValue<typeof limits.fields>;
/** `cors`: origins in the form of `URL.origin`, or `*` alone. */
export type CorsConfig = SectionValue<typeof cors.fields>;
/** `allow`: an absent right is undecided, an empty list is nobody. */
export type AllowConfig = SectionValue<typeof allow.fields>;
