/** Mistakes with streams, keys, ends and conflation, each with all that is said about it. */
import type { Mistake } from './mistakes.ts';

export const KEPT_MISTAKES: readonly Mistake[] = [
  {
    what: 'two feeds at once',
    edits: [['alerts: {pubsub: "app:alerts"}', 'alerts: {stream: "app:alerts", key: alerts}']],
    said: ['7:34: channels.alerts.key: stream says already what the channel reads (keep either stream or key)'],
  },
  {
    what: 'a stream beside pub/sub',
    edits: [['alerts: {pubsub: "app:alerts"}', 'alerts: {stream: "app:alerts", pubsub: "app:alerts"}']],
    said: ['7:12: channels.alerts.stream: pubsub says already what the channel reads (keep either pubsub or stream)'],
  },
  {
    what: 'a stream in a memory channel',
    edits: [['lobby: {memory: true}', 'lobby: {memory: true, stream: lobby}']],
    said: ['9:25: channels.lobby.stream: a channel with memory: true reads no Redis (keep either memory or stream)'],
  },
  {
    what: 'true for a stream',
    edits: [['prices: {}', 'prices: {stream: true}']],
    said: ['6:20: channels.prices.stream: found true, wanted the name of a Redis stream'],
  },
  {
    what: 'a star in the name of a stream',
    edits: [['prices: {}', 'prices: {stream: "prices:*"}']],
    said: [
      '6:20: channels.prices.stream: found "prices:*": a channel reads one Redis stream, and a * has no meaning there (for many, use a variable in the channel\'s name: item.{id}: {stream: "item:{id}"})',
    ],
  },
  {
    what: 'a star for a key',
    edits: [['prices: {}', 'prices: {key: "*"}']],
    said: [
      '6:12: channels.prices.key: found "*": a channel reads one Redis key, and a * has no meaning there (for many, use a variable in the channel\'s name: item.{id}: {key: "item:{id}"})',
    ],
  },
  {
    what: 'a variable that the stream lacks',
    edits: [['pubsub: "chat:{room}"', 'stream: chat']],
    said: [
      '8:17: channels."chat.{room}".stream: found "chat": {room} does not occur, so different channels would read the same feed (put {room} into it)',
    ],
  },
  {
    what: 'a variable of a key that the name lacks',
    edits: [['prices: {}', 'prices: {key: "price:{symbol}"}']],
    said: [
      '6:12: channels.prices.key: found "price:{symbol}": the channel\'s name has no variable {symbol} (an exact name has no variables)',
    ],
  },
  {
    what: 'the catch-all with a named stream',
    edits: [['prices: {}', '"*": {stream: "app:prices"}']],
    said: [
      '6:9: channels."*".stream: the channel "*" reads the Redis stream with the name that is asked for (write stream: "*"; to add something to the name, use a template such as {name*} with stream: "app:{name}")',
    ],
  },
  {
    what: 'the catch-all with a named key',
    edits: [['prices: {}', '"*": {key: price}']],
    said: [
      '6:9: channels."*".key: the channel "*" reads the Redis key with the name that is asked for (write key: "*"; to add something to the name, use a template such as {name*} with key: "app:{name}")',
    ],
  },
  {
    what: 'fields on pub/sub',
    edits: [['prices: {}', 'prices: {fields: {data: body}}']],
    said: [
      '6:12: channels.prices.fields: has no meaning here: only the entries of a stream have fields (take it out, or read a stream)',
    ],
  },
  {
    what: 'fields in a memory channel',
    edits: [['lobby: {memory: true}', 'lobby: {memory: true, fields: {data: body}}']],
    said: [
      '9:25: channels.lobby.fields: has no meaning here: only the entries of a stream have fields (take it out, or read a stream)',
    ],
  },
  {
    what: 'two fields of one name',
    edits: [['prices: {}', 'prices: {stream: prices, fields: {data: event}}']],
    said: [
      '6:37: channels.prices.fields.data: "event" is the name of both the data and the event field (give one of them another name)',
    ],
  },
  {
    what: 'a field that means nothing',
    edits: [['prices: {}', 'prices: {stream: prices, fields: {type: kind}}']],
    said: ['6:37: channels.prices.fields.type: unknown key (known here: data, event, id, end)'],
  },
  {
    what: 'a field without a name',
    edits: [['prices: {}', 'prices: {stream: prices, fields: {data: ""}}']],
    said: ['6:43: channels.prices.fields.data: found "", wanted the name of a field'],
  },
  {
    what: 'a limit of entries for a memory channel',
    edits: [['lobby: {memory: true}', 'lobby: {memory: true, publish: {maxlen: 5, expire: 1h}}']],
    said: [
      '9:35: channels.lobby.publish.maxlen: has no meaning for a channel with memory: true: it is for what a Redis stream keeps (set history)',
      '9:46: channels.lobby.publish.expire: has no meaning for a channel with memory: true: it is for what a Redis stream keeps (set history)',
    ],
  },
  {
    what: 'publishing options on a key',
    edits: [['prices: {}', 'prices: {key: price, publish: {expire: 1h}}']],
    said: [
      '6:24: channels.prices.publish: has no meaning here: a key holds its newest value, so nothing is kept or repeated (take the line out)',
    ],
  },
  {
    what: 'a history of a key',
    edits: [['prices: {}', 'prices: {key: price, history: {events: 5}}']],
    said: [
      '6:24: channels.prices.history: has no meaning here: a key holds its newest value, and nothing older can be resumed from (take the line out)',
    ],
  },
  {
    what: 'a key that is not conflated',
    edits: [['prices: {}', 'prices: {key: price, conflate: false}']],
    said: [
      '6:24: channels.prices.conflate: a key is always conflated: Redis has only its newest value (take the line out)',
    ],
  },
  {
    what: 'a key that is conflated by a member',
    edits: [['prices: {}', 'prices: {key: price, conflate: {key: symbol}}']],
    said: [
      '6:24: channels.prices.conflate: a key holds one value, so there are no others to tell it from (take the line out)',
    ],
  },
  {
    what: 'a key without a value for newcomers',
    edits: [['prices: {}', 'prices: {key: price, replay: none}']],
    said: [
      '6:24: channels.prices.replay: a client of a key always gets the value first, and there is only one (take the line out)',
    ],
  },
  {
    what: 'a key with older values',
    edits: [['prices: {}', 'prices: {key: price, replay: 5}']],
    said: [
      '6:24: channels.prices.replay: a client of a key always gets the value first, and there is only one (take the line out)',
    ],
  },
  {
    what: 'a key in envelopes',
    edits: [['prices: {}', 'prices: {key: price, format: envelope}']],
    said: ['6:24: channels.prices.format: what a key holds is the data, whatever it looks like (take the line out)'],
  },
  {
    what: "publishers' ids on a key",
    edits: [['prices: {}', 'prices: {key: price, ids: publisher}']],
    said: [
      '6:24: channels.prices.ids: the SSE id of a key is the position that a client resumes from; from another it could not (take the line out)',
    ],
  },
  {
    what: "publishers' ids on a stream",
    edits: [['prices: {}', 'prices: {stream: prices, format: envelope, ids: publisher}']],
    said: [
      "6:46: channels.prices.ids: the SSE id of a stream is the position that a client resumes from; from another it could not (take the line out; envelope=1 shows the publisher's id)",
    ],
  },
  {
    what: 'an idle end of pub/sub',
    edits: [['prices: {}', 'prices: {end_after: 5m}']],
    said: [
      '6:12: channels.prices.end_after: pub/sub keeps no events, so silence is no end (take the line out, or use stream or memory: true)',
    ],
  },
  {
    what: 'an idle end of a key',
    edits: [['prices: {}', 'prices: {key: price, end_after: 5m}']],
    said: [
      '6:24: channels.prices.end_after: a key that does not change is no end (take the line out, or use stream or memory: true)',
    ],
  },
  {
    what: 'a rate without conflation',
    edits: [['prices: {}', 'prices: {max_rate: 10/s}']],
    said: [
      '6:12: channels.prices.max_rate: without conflate every event is sent, so there is nothing to leave out (add conflate: true, or take the line out)',
    ],
  },
  {
    what: 'a rate of a stream without conflation',
    edits: [['prices: {}', 'prices: {stream: prices, max_rate: 10/s, conflate: false}']],
    said: [
      '6:28: channels.prices.max_rate: without conflate every event is sent, so there is nothing to leave out (add conflate: true, or take the line out)',
    ],
  },
  {
    what: 'a rate without a unit',
    edits: [['prices: {}', 'prices: {conflate: true, max_rate: 10}']],
    said: [
      '6:38: channels.prices.max_rate: found 10, wanted a number of events a second from 0.01/s to 1000/s, such as 10/s (write 10/s)',
    ],
  },
  {
    what: 'a rate by the minute',
    edits: [['prices: {}', 'prices: {conflate: true, max_rate: 600/m}']],
    said: [
      '6:38: channels.prices.max_rate: found "600/m", wanted a number of events a second from 0.01/s to 1000/s, such as 10/s (write 10/s)',
    ],
  },
  {
    what: 'a rate in words',
    edits: [['prices: {}', 'prices: {conflate: true, max_rate: 5 per second}']],
    said: [
      '6:38: channels.prices.max_rate: found "5 per second", wanted a number of events a second from 0.01/s to 1000/s, such as 10/s (write 5/s)',
    ],
  },
  {
    what: 'a rate beyond a timer',
    edits: [['prices: {}', 'prices: {conflate: true, max_rate: 5000/s}']],
    said: ['6:38: channels.prices.max_rate: found "5000/s": the most is 1000/s'],
  },
  {
    what: 'a rate of none',
    edits: [['prices: {}', 'prices: {conflate: true, max_rate: 0/s}']],
    said: ['6:38: channels.prices.max_rate: found "0/s": the least is 0.01/s'],
  },
  {
    what: 'a member in the place of conflation',
    edits: [['prices: {}', 'prices: {conflate: symbol}']],
    said: [
      '6:22: channels.prices.conflate: found "symbol", wanted true, false, or a map such as {key: symbol, max_keys: 10000} (write {key: symbol})',
    ],
  },
  {
    what: 'yes for conflation',
    edits: [['prices: {}', 'prices: {conflate: yes}']],
    said: [
      '6:22: channels.prices.conflate: found "yes", wanted true, false, or a map such as {key: symbol, max_keys: 10000} (write true)',
    ],
  },
  {
    what: 'conflation with a misspelt key',
    edits: [['prices: {}', 'prices: {conflate: {keys: symbol}}']],
    said: ['6:23: channels.prices.conflate.keys: unknown key (did you mean key?)'],
  },
  {
    what: 'conflation of so many of nothing',
    edits: [['prices: {}', 'prices: {conflate: {max_keys: 5}}']],
    said: [
      '6:22: channels.prices.conflate: key is missing (name the member by whose value events are told apart, such as {key: symbol}, or write true)',
    ],
  },
  {
    what: 'conflation without a member',
    edits: [['prices: {}', 'prices: {conflate: {}}']],
    said: [
      '6:22: channels.prices.conflate: key is missing (name the member by whose value events are told apart, such as {key: symbol}, or write true)',
    ],
  },
  {
    what: 'a template of streams that is always followed',
    edits: [['pubsub: "chat:{room}"', 'stream: "chat:{room}", follow: always']],
    said: [
      '8:40: channels."chat.{room}".follow: always is for exact names only: which channels there are is not known before somebody asks for them (take the line out, or list the channels by name)',
    ],
  },
  {
    what: 'a number of entries that is no number',
    edits: [['prices: {}', 'prices: {stream: prices, publish: {maxlen: all}}']],
    said: ['6:46: channels.prices.publish.maxlen: found "all", wanted a whole number from 0 to 1000000000'],
  },
];
