/** Every key of a channel: what it takes, its default and what it does. A part of the schema. */
import {
  eventType,
  feedName,
  fieldName,
  keyName,
  patternName,
  rate,
  replayAmount,
  sourceName,
  streamName,
} from './channel-value.ts';
import { conflation } from './conflate.ts';
import { choice, flag } from './kind.ts';
import { duration, integer, size } from './measure.ts';
import { alternative, given, nested, optional, type SectionValue, section } from './section.ts';

const KiB = 1024;
const GiB = 1024 ** 3;
const SECOND = 1000;

const history = section({
  events: given(
    integer({ min: 1, max: 10_000_000 }),
    '1000',
    'The number of newest events that a client may resume from.',
  ),
  age: given(duration({ min: SECOND }), '5m', 'How old they may be.'),
  bytes: given(
    size({ min: 4 * KiB, max: 4 * GiB }),
    '4MiB',
    'How much memory they may take. At least 4 times `limits.event_size`.',
  ),
});

const fields = section({
  data: given(fieldName, 'data', 'Holds the data. An entry without it is sent whole, as a JSON object.'),
  event: given(fieldName, 'event', 'Holds the SSE event type.'),
  id: given(fieldName, 'id', "Holds the publisher's id."),
  end: given(fieldName, 'end', 'Ends the channel where it holds `true` or `1`.'),
});

const publish = section({
  idempotency: given(
    duration({ min: SECOND }),
    '10m',
    'How long an `Idempotency-Key` is remembered: a publish that is repeated with it within this time is answered as the first was.',
  ),
  maxlen: given(
    integer({ min: 0, max: 1_000_000_000 }),
    '10000',
    'About how many entries a stream keeps when it is published to (`MAXLEN ~`); 0 keeps all. Only with `stream`.',
  ),
  expire: given(
    duration({ min: 0 }),
    '0',
    'How long after the last publish a stream is deleted (`EXPIRE`); 0 is never. Only with `stream`.',
  ),
});

/** A channel. */
export const channel = section(
  {
    source: optional(sourceName, 'redis', 'The name of the source. May be left out where there is only one.'),
    pubsub: optional(
      feedName,
      'app:prices',
      "The Redis pub/sub channel to read; the variables of a template stand in it as `{var}`. Default: the channel's own name.",
    ),
    pattern: alternative(
      patternName,
      '"sensor:*"',
      'Instead of `pubsub`: the Redis pattern to read (PSUBSCRIBE), with `*`, `?` and `[abc]`. Nothing can be published to it over HTTP.',
    ),
    stream: alternative(
      streamName,
      '"app:prices"',
      'Instead of `pubsub`: the Redis stream to read. Its entries are the events, and a client resumes from Redis itself, on any gateway and after any restart.',
    ),
    key: alternative(
      keyName,
      'current_price',
      'Instead of `pubsub`: the Redis key to watch. A client gets what it holds, and then each change. Implies `conflate: true` and `replay: 1`.',
    ),
    memory: given(
      flag,
      'false',
      'true: a channel without Redis, in the memory of this process; publish to it over HTTP.',
    ),
    format: given(
      choice(['text', 'envelope']),
      'text',
      'How a payload is read. text: it is the data. envelope: it is a JSON object with `data`, `event` (or `type`), `id` and `end`, as flask-sse publishes; what is no such object is the data. On streams it is the data field that is read so. Not for memory channels and keys.',
    ),
    encode: given(
      choice(['none', 'json', 'base64']),
      'none',
      'How the data is sent. none: as it is, but SSE turns every line end into LF and bytes that are no UTF-8 into U+FFFD. json: as a JSON string, which keeps line ends. base64: keeps every byte.',
    ),
    event: given(
      eventType,
      '""',
      "The SSE event type of messages that bring none; empty is none, which clients call message. `{feed}` stands for the name that was published under, without the source's prefix, `{var}` for a variable of the channel's name.",
    ),
    fields: optional(fields, '', 'Which fields of an entry mean what. Only with `stream`.'),
    history: nested(
      history,
      'What is kept in memory for clients that come back; older entries of a stream are read from Redis. Not for keys.',
    ),
    replay: given(
      replayAmount,
      'none',
      'What a client that brings no position gets first: none, all that is kept, or the newest N events. all, where `conflate` is written and this is not.',
    ),
    conflate: given(
      conflation,
      'false',
      'true: only the newest event is kept, so a slow client skips to it and a new one gets it first. {key: symbol, max_keys: 10000}: the newest of each value of the member `symbol` of JSON data, for at most 10000 values.',
    ),
    max_rate: optional(
      rate,
      '10/s',
      'How many times a second a conflated channel sends at most; the first event goes out at once, the newest always. Needs `conflate`.',
    ),
    ids: given(
      choice(['gateway', 'publisher']),
      'gateway',
      "What stands in the SSE `id`. publisher: the publisher's own id, where a client follows this channel alone; needs `format: envelope` or `memory: true`. Not for streams and keys.",
    ),
    linger: given(
      duration({ min: 20 }),
      '60s',
      'How long the channel is kept after its last client has left, so that a reconnect resumes. Above 2 times `server.retry`. Not for memory channels, which live as long as their history.',
    ),
    follow: given(
      choice(['on-demand', 'always']),
      'on-demand',
      'When Redis is read. on-demand: while a client listens, and for `linger` afterwards. always: from the start on, so that the first client finds a history; for exact names only.',
    ),
    end_after: given(
      duration({ min: 0 }),
      '0',
      'How long after its newest event a channel is taken as ended, for publishers that die without saying so; 0 is never. Only with `stream` or `memory: true`.',
    ),
    publish: optional(publish, '', 'Publishing over HTTP. Only with `stream` or `memory: true`.'),
  },
  'pubsub',
);

/** The keys of a channel as they were read. */
export type RawChannel = SectionValue<typeof channel.fields>;
/** `history` of a channel: age in ms, size in bytes. */
export type HistoryConfig = SectionValue<typeof history.fields>;
/** `fields` of a channel: the names of the fields of an entry. */
export type FieldsConfig = SectionValue<typeof fields.fields>;
/** `publish` of a channel: durations in ms. */
export type PublishConfig = SectionValue<typeof publish.fields>;

/** A channel with nothing written below its name. */
export const channelDefaults: RawChannel = channel.defaults;
/** `fields` of a channel that says nothing of it. */
export const fieldsDefaults: FieldsConfig = fields.defaults;
/** `publish` of a channel that says nothing of it. */
export const publishDefaults: PublishConfig = publish.defaults;
