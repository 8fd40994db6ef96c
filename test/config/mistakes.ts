/** Mistakes in an ordinary configuration, each with all that is said about it. */
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the texts are files with ${VAR} in them

/** The configuration that the mistakes are made in. */
export const GOOD = `redis: redis://127.0.0.1:6379
server:
  listen: 127.0.0.1:8080
  heartbeat: 15s
channels:
  prices: {}
  alerts: {pubsub: "app:alerts"}
  chat.{room}: {pubsub: "chat:{room}"}
  lobby: {memory: true}
allow: {subscribe: [prices, "chat.*"]}
`;

/** What is replaced by what, and the lines that are said, without the name of the file. */
export interface Mistake {
  readonly what: string;
  readonly edits: readonly (readonly [from: string, to: string])[];
  readonly said: readonly string[];
}

export const MISTAKES: readonly Mistake[] = [
  {
    what: 'a misspelt key',
    edits: [['listen:', 'lisen:']],
    said: ['3:3: server.lisen: unknown key (did you mean listen?)'],
  },
  {
    what: 'a misspelt key at the top',
    edits: [['channels:', 'chanels:']],
    said: ['5:1: chanels: unknown key (did you mean channels?)'],
  },
  {
    what: 'a misspelt redis, which the channels miss',
    edits: [['redis: ', 'redsi: ']],
    said: ['1:1: redsi: unknown key (did you mean redis?)'],
  },
  {
    what: 'a key that nothing has',
    edits: [['allow: {subscribe: [prices, "chat.*"]}', 'allow: {subscribe: [prices, "chat.*"]}\n\nretry_after: 3s']],
    said: [
      '12:1: retry_after: unknown key (known here: redis, redis_file, server, cors, log, limits, sources, channels, allow)',
    ],
  },
  {
    what: 'a server key at the top level',
    edits: [['server:\n  listen: 127.0.0.1:8080\n', 'listen: 127.0.0.1:8080\nserver:\n']],
    said: ['2:1: listen: unknown key (it belongs under server: check where it stands and its indentation)'],
  },
  {
    what: 'a misspelt server key at the top level',
    edits: [['server:\n  listen: 127.0.0.1:8080\n', 'heartbaet: 10s\nserver:\n']],
    said: ['2:1: heartbaet: unknown key (did you mean heartbeat, which belongs under server?)'],
  },
  {
    what: 'a top-level key that is indented',
    edits: [['allow: {', '  allow: {']],
    said: [
      '10:11: channels.allow.subscribe: unknown key (it belongs under allow: check where it stands and its indentation)',
    ],
  },
  {
    what: 'a key of history beside it',
    edits: [['prices: {}', 'prices: {events: 10}']],
    said: [
      '6:12: channels.prices.events: unknown key (it belongs under channels.NAME.history: check where it stands and its indentation; or did you mean event?)',
    ],
  },
  {
    what: 'a key that belongs elsewhere and is a letter short of one that belongs here',
    edits: [['prices: {}', 'prices: {history: {event: 10}}']],
    said: [
      '6:22: channels.prices.history.event: unknown key (it belongs under channels.NAME or under channels.NAME.fields: check where it stands and its indentation; or did you mean events?)',
    ],
  },
  {
    what: 'a key that comes in a later version',
    edits: [['  heartbeat: 15s', '  heartbeat: 15s\n  tls: {cert: a, key: b}']],
    said: ['5:3: server.tls: is not available in this version (take the key out)'],
  },
  {
    what: 'authentication, which comes in a later version',
    edits: [['allow: {subscribe: [prices, "chat.*"]}', 'auth: {keys: []}']],
    said: ['10:1: auth: is not available in this version (take the key out)'],
  },
  {
    what: 'two keys of a later version in one section',
    edits: [['allow: {subscribe: [prices, "chat.*"]}', 'auth: {keys: []}\nadmin: {}']],
    said: [
      '10:1: auth: is not available in this version (take the key out)',
      '11:1: admin: is not available in this version (take the key out)',
    ],
  },
  {
    what: 'proxies that are no networks',
    edits: [
      [
        '  heartbeat: 15s',
        '  trusted_proxies: [10.0.0.5/8, 0.0.0.0/0, 10.0.0.0/33, localhost, nginx, "fe80::1%eth0", "2001:db8::1/32", loopback]',
      ],
    ],
    said: [
      '4:21: server.trusted_proxies.0: found "10.0.0.5/8": it has bits behind the first 8 (write 10.0.0.0/8, or 10.0.0.5 for it alone)',
      '4:33: server.trusted_proxies.1: found "0.0.0.0/0": this is every address, and any client could say who it is (list the proxies alone)',
      '4:44: server.trusted_proxies.2: found "10.0.0.0/33": what follows the / is a number of bits, from 1 to 32',
      '4:57: server.trusted_proxies.3: found "localhost", wanted a network such as 10.0.0.0/8, an IP address, loopback or unix (write loopback)',
      '4:68: server.trusted_proxies.4: found "nginx", wanted a network such as 10.0.0.0/8, an IP address, loopback or unix',
      '4:75: server.trusted_proxies.5: found "fe80::1%eth0", wanted a network such as 10.0.0.0/8, an IP address, loopback or unix',
      '4:91: server.trusted_proxies.6: found "2001:db8::1/32": it has bits behind the first 32 (write 2001:db8::/32, or 2001:db8::1 for it alone)',
    ],
  },
  {
    what: 'one proxy that is no list',
    edits: [['  heartbeat: 15s', '  trusted_proxies: 10.0.0.0/8']],
    said: [
      '4:20: server.trusted_proxies: found "10.0.0.0/8", wanted a list of networks such as 10.0.0.0/8 (write ["10.0.0.0/8"])',
    ],
  },
  {
    what: 'a unix socket that is shared like a port',
    edits: [['listen: 127.0.0.1:8080', 'listen: unix:/run/gateway.sock\n  reuse_port: true']],
    said: [
      '4:3: server.reuse_port: a unix socket cannot be listened on twice (take it out, or let systemd hold the socket)',
    ],
  },
  {
    what: 'a port alone',
    edits: [['listen: 127.0.0.1:8080', 'listen: 8080']],
    said: [
      '3:11: server.listen: found 8080, wanted host:port such as 127.0.0.1:8080, or unix:/path (write 127.0.0.1:8080, or 0.0.0.0:8080 for every interface)',
    ],
  },
  {
    what: 'an address without a port',
    edits: [['listen: 127.0.0.1:8080', 'listen: localhost']],
    said: ['3:11: server.listen: found "localhost": the port is missing (write localhost:8080)'],
  },
  {
    what: 'an address without a host',
    edits: [['listen: 127.0.0.1:8080', 'listen: ":8080"']],
    said: [
      '3:11: server.listen: found ":8080": the host is missing (write 127.0.0.1:8080, or 0.0.0.0:8080 for every interface)',
    ],
  },
  {
    what: 'a URL for an address',
    edits: [['listen: 127.0.0.1:8080', 'listen: http://127.0.0.1:8080']],
    said: [
      '3:11: server.listen: found "http://127.0.0.1:8080", wanted host:port such as 127.0.0.1:8080, or unix:/path (leave http:// away)',
    ],
  },
  {
    what: 'a port that is too large',
    edits: [['listen: 127.0.0.1:8080', 'listen: 127.0.0.1:80800']],
    said: ['3:11: server.listen: found "127.0.0.1:80800": the port is not a plain number from 0 to 65535'],
  },
  {
    what: 'an address of five numbers',
    edits: [['listen: 127.0.0.1:8080', 'listen: 127.0.0.1.1:8080']],
    said: ['3:11: server.listen: found "127.0.0.1.1:8080": the host is neither a name nor an IP address'],
  },
  {
    what: 'an IPv6 address without brackets',
    edits: [['listen: 127.0.0.1:8080', 'listen: ::1:8080']],
    said: [
      '3:11: server.listen: found "::1:8080", wanted host:port such as 127.0.0.1:8080, or unix:/path (write IPv6 addresses in brackets, such as [::1]:8080)',
    ],
  },
  {
    what: 'a socket path without unix:',
    edits: [['listen: 127.0.0.1:8080', 'listen: /run/sse.sock']],
    said: [
      '3:11: server.listen: found "/run/sse.sock", wanted host:port such as 127.0.0.1:8080, or unix:/path (write unix:/run/sse.sock)',
    ],
  },
  {
    what: 'a relative socket path',
    edits: [['listen: 127.0.0.1:8080', 'listen: unix:sse.sock']],
    said: [
      '3:11: server.listen: found "unix:sse.sock": the path of the socket must begin with / (write unix:/run/sse-gateway.sock)',
    ],
  },
  {
    what: 'an address that others reach, and nobody decided who may read',
    edits: [
      ['listen: 127.0.0.1:8080\n  heartbeat: 15s', 'listen: 0.0.0.0:8080\n  heartbeat: 15s'],
      ['allow: {subscribe: [prices, "chat.*"]}', 'allow: {publish: []}'],
    ],
    said: [
      '3:3: server.listen: 0.0.0.0:8080 can be reached by other machines, and nothing says who may subscribe (add what everybody may read, or [] for nobody, as a line of its own: allow: {subscribe: ["prices", "alerts", "chat.*"]})',
    ],
  },
  {
    what: 'a duration without a unit',
    edits: [['heartbeat: 15s', 'heartbeat: 15']],
    said: [
      '4:14: server.heartbeat: found 15, wanted a duration from 100ms to 1h, such as 500ms, 15s, 10m or 1h (write 15s)',
    ],
  },
  {
    what: 'a duration in milliseconds without a unit',
    edits: [['heartbeat: 15s', 'heartbeat: 15000']],
    said: [
      '4:14: server.heartbeat: found 15000, wanted a duration from 100ms to 1h, such as 500ms, 15s, 10m or 1h (write 15000ms)',
    ],
  },
  {
    what: 'a duration with a long unit',
    edits: [['heartbeat: 15s', 'heartbeat: 15 seconds']],
    said: [
      '4:14: server.heartbeat: found "15 seconds", wanted a duration from 100ms to 1h, such as 500ms, 15s, 10m or 1h (write 15s)',
    ],
  },
  {
    what: 'a duration in an unknown unit',
    edits: [['heartbeat: 15s', 'heartbeat: 5 parsecs']],
    said: [
      '4:14: server.heartbeat: found "5 parsecs", wanted a duration from 100ms to 1h, such as 500ms, 15s, 10m or 1h',
    ],
  },
  {
    what: 'a duration of nothing',
    edits: [['heartbeat: 15s', 'heartbeat: 0']],
    said: ['4:14: server.heartbeat: found 0: the least is 100ms'],
  },
  {
    what: 'a negative duration',
    edits: [['heartbeat: 15s', 'heartbeat: -1s']],
    said: ['4:14: server.heartbeat: found "-1s", wanted a duration from 100ms to 1h, such as 500ms, 15s, 10m or 1h'],
  },
  {
    what: 'a duration that is too long',
    edits: [['heartbeat: 15s', 'heartbeat: 2h']],
    said: ['4:14: server.heartbeat: found "2h": the most is 1h'],
  },
  {
    what: 'a heartbeat that the connection does not live to see',
    edits: [['heartbeat: 15s', 'heartbeat: 20s\n  max_connection_age: 15s']],
    said: ['4:3: server.heartbeat: 20s is not below server.max_connection_age, which is 15s (write less than 15s)'],
  },
  {
    what: 'a retry beyond what a stop tells',
    edits: [['heartbeat: 15s', 'retry: 10s']],
    said: [
      '4:3: server.retry: the default of server.drain.retry does not fit: 5s is less than server.retry, which is 10s (set server.drain.retry to 10s or more)',
    ],
  },
  {
    what: 'a value that was forgotten',
    edits: [['heartbeat: 15s', 'heartbeat:']],
    said: ['4:13: server.heartbeat: found nothing, wanted a duration from 100ms to 1h, such as 500ms, 15s, 10m or 1h'],
  },
  {
    what: 'a list where one value belongs',
    edits: [['heartbeat: 15s', 'heartbeat: [15s]']],
    said: ['4:14: server.heartbeat: found a list, wanted a duration from 100ms to 1h, such as 500ms, 15s, 10m or 1h'],
  },
  {
    what: 'a size in megabytes',
    edits: [
      ['allow: {subscribe: [prices, "chat.*"]}', 'allow: {subscribe: [prices, "chat.*"]}\nlimits: {event_size: 2MB}'],
    ],
    said: [
      '11:22: limits.event_size: found "2MB", wanted a size from 1KiB to 64MiB, such as 64KiB or 1MiB (write 2MiB)',
    ],
  },
  {
    what: 'a size without a unit',
    edits: [
      ['allow: {subscribe: [prices, "chat.*"]}', 'allow: {subscribe: [prices, "chat.*"]}\nlimits: {event_size: 65536}'],
    ],
    said: [
      '11:22: limits.event_size: found 65536, wanted a size from 1KiB to 64MiB, such as 64KiB or 1MiB (write 64KiB)',
    ],
  },
  {
    what: 'an event size that no history holds',
    edits: [
      ['allow: {subscribe: [prices, "chat.*"]}', 'allow: {subscribe: [prices, "chat.*"]}\nlimits: {event_size: 2MiB}'],
    ],
    said: [
      '11:10: limits.event_size: the default of channels.prices.history.bytes does not fit: 4MiB is less than 4 times limits.event_size, which is 2MiB (set channels.prices.history.bytes to 8MiB or more)',
    ],
  },
  {
    what: 'a number with an exponent',
    edits: [
      ['allow: {subscribe: [prices, "chat.*"]}', 'allow: {subscribe: [prices, "chat.*"]}\nlimits: {channels: 1e6}'],
    ],
    said: ['11:20: limits.channels: found "1e6", wanted a whole number from 1 to 10000000'],
  },
  {
    what: 'a number in words',
    edits: [
      [
        'allow: {subscribe: [prices, "chat.*"]}',
        'allow: {subscribe: [prices, "chat.*"]}\nlimits: {channels: unlimited}',
      ],
    ],
    said: ['11:20: limits.channels: found "unlimited", wanted a whole number from 1 to 10000000'],
  },
  {
    what: 'a log level that is misspelt',
    edits: [['allow: {subscribe: [prices, "chat.*"]}', 'allow: {subscribe: [prices, "chat.*"]}\nlog: {level: inof}']],
    said: [
      '11:14: log.level: found "inof", wanted one of trace, debug, info, warn, error, silent (did you mean info?)',
    ],
  },
  {
    what: 'a log level without its key',
    edits: [['allow: {subscribe: [prices, "chat.*"]}', 'allow: {subscribe: [prices, "chat.*"]}\nlog: debug']],
    said: ['11:6: log: found "debug", wanted a map with level (write {level: ...})'],
  },
  {
    what: 'channels as a list',
    edits: [
      [
        'prices: {}\n  alerts: {pubsub: "app:alerts"}\n  chat.{room}: {pubsub: "chat:{room}"}\n  lobby: {memory: true}',
        '- prices\n  - alerts',
      ],
    ],
    said: ['6:3: channels: found a list, wanted a map with a channel on each line, such as prices: {}'],
  },
  {
    what: 'a channel as a word',
    edits: [['prices: {}', 'prices: app:prices']],
    said: [
      '6:11: channels.prices: found "app:prices", wanted a map with keys such as source, pubsub, pattern, stream, key, memory, format (write {pubsub: ...})',
    ],
  },
  {
    what: 'no channels',
    edits: [
      [
        'channels:\n  prices: {}\n  alerts: {pubsub: "app:alerts"}\n  chat.{room}: {pubsub: "chat:{room}"}\n  lobby: {memory: true}\nallow',
        'allow',
      ],
    ],
    said: [
      '1:1: channels: the file has no channels, so there is nothing to subscribe to (add a line such as channels: {prices: {}})',
    ],
  },
  {
    what: 'a space in a name',
    edits: [['prices: {}', '"stock prices": {}']],
    said: [
      '6:3: channels."stock prices": a channel name cannot have a space in it, only letters, digits and _ . : @ ~ | + = -',
    ],
  },
  {
    what: 'a slash in a name',
    edits: [['prices: {}', 'stock/prices: {}']],
    said: [
      '6:3: channels."stock/prices": a channel name cannot have "/" in it, only letters, digits and _ . : @ ~ | + = -',
    ],
  },
  {
    what: 'a star in a name',
    edits: [['chat.{room}: {pubsub: "chat:{room}"}', 'chat.*: {}']],
    said: [
      '8:3: channels."chat.*": a * stands alone, for every other name; within a name use a variable (write chat.{name})',
    ],
  },
  {
    what: 'the catch-all without quotes',
    edits: [['prices: {}', '*: {}']],
    said: ['6:4: a * at the beginning of a key or value means something else in YAML (put it in quotes: "*")'],
  },
  {
    what: 'the catch-all with a feed',
    edits: [['prices: {}', '"*": {pubsub: all}']],
    said: [
      '6:9: channels."*".pubsub: the channel "*" reads the Redis channel with the name that is asked for (to add something to it, use a template such as {name*} with pubsub: "app:{name}")',
    ],
  },
  {
    what: 'a template that begins with { without quotes',
    edits: [['chat.{room}: {pubsub: "chat:{room}"}', '{room}.chat: {pubsub: "chat:{room}"}']],
    said: ['8:3: a name that begins with { needs quotes (write "{room}.chat": and not {room}.chat:)'],
  },
  {
    what: 'a template in braces without quotes',
    edits: [
      [
        'channels:\n  prices: {}\n  alerts: {pubsub: "app:alerts"}\n  chat.{room}: {pubsub: "chat:{room}"}\n  lobby: {memory: true}',
        'channels: {chat.{room}: {}}',
      ],
    ],
    said: [
      '5:17: a comma, colon or closing bracket is missing before this (within { } and [ ] what has { in it needs quotes, such as "chat.{room}" and "${VAR}")',
    ],
  },
  {
    what: 'a brace that is not closed',
    edits: [['chat.{room}: {pubsub: "chat:{room}"}', 'chat.{room: {pubsub: chat}']],
    said: ['8:3: channels."chat.{room": a { has no partner (a variable is written {name})'],
  },
  {
    what: 'two variables side by side',
    edits: [['chat.{room}: {pubsub: "chat:{room}"}', '"chat.{a}{b}": {}']],
    said: ['8:3: channels."chat.{a}{b}": nothing stands between {a} and {b}, so it cannot be told where one ends'],
  },
  {
    what: 'a variable that takes the rest before another',
    edits: [['chat.{room}: {pubsub: "chat:{room}"}', '"chat.{a*}.{b}": {}']],
    said: ['8:3: channels."chat.{a*}.{b}": {a*} takes everything that is left, so it must be the last variable'],
  },
  {
    what: 'a variable that the feed lacks',
    edits: [['chat.{room}: {pubsub: "chat:{room}"}', 'chat.{room}: {pubsub: chat}']],
    said: [
      '8:17: channels."chat.{room}".pubsub: found "chat": {room} does not occur, so different channels would read the same feed (put {room} into it)',
    ],
  },
  {
    what: 'a variable that the name lacks',
    edits: [['chat.{room}: {pubsub: "chat:{room}"}', 'chat.{room}: {pubsub: "chat:{rom}"}']],
    said: [
      '8:17: channels."chat.{room}".pubsub: found "chat:{rom}": the channel\'s name has no variable {rom} (it has {room})',
    ],
  },
  {
    what: 'a variable in the feed of an exact name',
    edits: [['alerts: {pubsub: "app:alerts"}', 'alerts: {pubsub: "app:{name}"}']],
    said: [
      '7:12: channels.alerts.pubsub: found "app:{name}": the channel\'s name has no variable {name} (an exact name has no variables)',
    ],
  },
  {
    what: 'two templates for one name',
    edits: [['chat.{room}: {pubsub: "chat:{room}"}', 'chat.{room}: {pubsub: "chat:{room}"}\n  "{app}.lobby": {}']],
    said: [
      '9:3: channels."{app}.lobby": matches names that "chat.{room}" on line 8 matches too, such as chat.lobby (make them differ in a fixed part; exact names may overlap, they win)',
    ],
  },
  {
    what: 'a Redis pattern',
    edits: [['alerts: {pubsub: "app:alerts"}', 'alerts: {pubsub: "app:*"}']],
    said: [
      '7:20: channels.alerts.pubsub: found "app:*": pubsub reads one Redis channel, and a * has no meaning there (write pattern: "app:*")',
    ],
  },
  {
    what: 'pubsub: true',
    edits: [['alerts: {pubsub: "app:alerts"}', 'alerts: {pubsub: true}']],
    said: [
      '7:20: channels.alerts.pubsub: found true, wanted the name of a Redis pub/sub channel (leave the line out to read the Redis channel with the same name)',
    ],
  },
  {
    what: 'yes for true',
    edits: [['lobby: {memory: true}', 'lobby: {memory: yes}']],
    said: ['9:19: channels.lobby.memory: found "yes", wanted true or false (write true)'],
  },
  {
    what: 'a memory channel with a feed',
    edits: [['lobby: {memory: true}', 'lobby: {memory: true, pubsub: lobby}']],
    said: ['9:25: channels.lobby.pubsub: a channel with memory: true reads no Redis (keep either memory or pubsub)'],
  },
  {
    what: 'a memory channel that lingers',
    edits: [['lobby: {memory: true}', 'lobby: {memory: true, linger: 10s}']],
    said: [
      '9:25: channels.lobby.linger: has no meaning for a channel with memory: true, which lives until its history has aged out (set history.age)',
    ],
  },
  {
    what: 'a linger that a reconnect misses',
    edits: [['prices: {}', 'prices: {linger: 3s}']],
    said: ['6:12: channels.prices.linger: 3s is not above 2 times server.retry, which is 2s (write more than 4s)'],
  },
  {
    what: 'a source that is not there',
    edits: [['prices: {}', 'prices: {source: redi}']],
    said: ['6:12: channels.prices.source: found "redi", and no source has this name (did you mean redis?)'],
  },
  {
    what: 'memory as a source',
    edits: [['lobby: {memory: true}', 'lobby: {source: memory}']],
    said: ['9:11: channels.lobby.source: found "memory", and no source has this name (write memory: true)'],
  },
  {
    what: 'a channel twice',
    edits: [['prices: {}', 'prices: {}\n  prices: {linger: 10s}']],
    said: ['7:3: channels.prices: is given twice, first on line 6 (keep one of them)'],
  },
  {
    what: 'no Redis at all',
    edits: [
      ['redis: redis://127.0.0.1:6379\n', ''],
      [
        'channels:\n  prices: {}\n  alerts: {pubsub: "app:alerts"}\n  chat.{room}: {pubsub: "chat:{room}"}\n  lobby: {memory: true}\nallow',
        'channels: {prices: {}}\nallow',
      ],
    ],
    said: [
      '4:12: channels.prices: there is no source to read it from (add redis: redis://127.0.0.1:6379 at the top level, or memory: true to the channel)',
    ],
  },
  {
    what: 'two sources and no word which',
    edits: [
      ['redis: redis://127.0.0.1:6379\n', 'sources: {one: {redis: redis://a}, two: {redis: redis://b}}\n'],
      [
        'channels:\n  prices: {}\n  alerts: {pubsub: "app:alerts"}\n  chat.{room}: {pubsub: "chat:{room}"}\n  lobby: {memory: true}\nallow',
        'channels: {prices: {}}\nallow',
      ],
    ],
    said: [
      '5:12: channels.prices: which source it is read from must be said, because there are several (add source: one or source: two)',
    ],
  },
  {
    what: 'a source without an address',
    edits: [['redis: redis://127.0.0.1:6379\n', 'sources: {main: {}}\n']],
    said: ['1:11: sources.main: has no address (write main: {redis: redis://127.0.0.1:6379})'],
  },
  {
    what: 'a source as a URL',
    edits: [['redis: redis://127.0.0.1:6379\n', 'sources: {main: redis://:secret@127.0.0.1}\n']],
    said: [
      '1:17: sources.main: found "redis://***@127.0.0.1", wanted a map with redis, redis_file, sentinel or prefix (write {redis: ...})',
    ],
  },
  {
    what: 'a Redis address without redis://',
    edits: [['redis://127.0.0.1:6379', '127.0.0.1:6379']],
    said: ['1:8: redis: a Redis URL begins with redis:// or rediss:// (write redis://127.0.0.1:6379)'],
  },
  {
    what: 'a URL of something else',
    edits: [['redis://127.0.0.1:6379', 'http://127.0.0.1:6379']],
    said: ['1:8: redis: a Redis URL begins with redis:// or rediss://, not http://'],
  },
  {
    what: 'a slash in the Redis password',
    edits: [['redis://127.0.0.1:6379', 'redis://:sec/ret@127.0.0.1']],
    said: [
      '1:8: redis: the user or password has a bare / in it (in user and password write / as %2F, # as %23, ? as %3F, @ as %40, % as %25, a space as %20)',
    ],
  },
  {
    what: 'a password in the place of the user',
    edits: [['redis://127.0.0.1:6379', 'redis://secret@127.0.0.1']],
    said: [
      '1:8: redis: what stands before @ has no colon (write redis://user:password@host, or redis://:password@host)',
    ],
  },
  {
    what: 'a Redis database by name',
    edits: [['redis://127.0.0.1:6379', 'redis://127.0.0.1/cache']],
    said: ['1:8: redis: the database is not a number (write redis://host:6379/0)'],
  },
  {
    what: 'a Redis port of letters',
    edits: [['redis://127.0.0.1:6379', 'redis://127.0.0.1:port']],
    said: [
      '1:8: redis: the port is not a plain number from 1 to 65535 (in user and password write / as %2F, # as %23, ? as %3F, @ as %40, % as %25, a space as %20)',
    ],
  },
  {
    what: 'allow with a single name',
    edits: [['allow: {subscribe: [prices, "chat.*"]}', 'allow: {subscribe: prices}']],
    said: [
      '10:20: allow.subscribe: found "prices", wanted a list of channel names, in which * is any run of characters (write ["prices"])',
    ],
  },
  {
    what: 'allow with a comma in quotes',
    edits: [['allow: {subscribe: [prices, "chat.*"]}', 'allow: {subscribe: ["prices, alerts"]}']],
    said: [
      '10:21: allow.subscribe.0: found "prices, alerts": a channel name cannot have "," in it, only letters, digits and _ . : @ ~ | + = - (write one name for each item of the list)',
    ],
  },
  {
    what: 'allow with a star without quotes',
    edits: [['allow: {subscribe: [prices, "chat.*"]}', 'allow: {subscribe: [*]}']],
    said: ['10:21: a * at the beginning of a key or value means something else in YAML (put it in quotes: "*")'],
  },
  {
    what: 'allow with a variable',
    edits: [['allow: {subscribe: [prices, "chat.*"]}', 'allow: {subscribe: ["chat.{room}"]}']],
    said: ['10:21: allow.subscribe.0: found "chat.{room}": variables have no meaning here (write chat.*)'],
  },
  {
    what: 'allow with nothing',
    edits: [['allow: {subscribe: [prices, "chat.*"]}', 'allow: {subscribe: }']],
    said: [
      '10:20: allow.subscribe: found nothing, wanted a list of channel names, in which * is any run of characters (write [] for an empty list, or leave the line out)',
    ],
  },
  {
    what: 'a tab',
    edits: [['  heartbeat: 15s', '\theartbeat: 15s']],
    said: ['4:1: a tab indents this line (YAML is indented with spaces: put two for the tab)'],
  },
  {
    what: 'a bracket that is not closed',
    edits: [['allow: {subscribe: [prices, "chat.*"]}', 'allow: {subscribe: [prices, "chat.*"}']],
    said: ['10:37: a [ before this is not closed (add the ])'],
  },
  {
    what: 'a quote that is not closed',
    edits: [['alerts: {pubsub: "app:alerts"}', 'alerts: {pubsub: "app:alerts}']],
    said: ['7:20: the quote that begins here is not closed'],
  },
  {
    what: 'a second key without a space after its colon',
    edits: [['heartbeat: 15s', 'heartbeat:15s']],
    said: ['4:3: the colon and the space after the key are missing (write key: value)'],
  },
  {
    what: 'a line that is indented too little',
    edits: [['  heartbeat: 15s', ' heartbeat: 15s']],
    said: [
      '4:1: this line is indented differently from the ones it belongs to (begin all keys of one map in the same column)',
    ],
  },
  {
    what: 'a key without a space after its colon',
    edits: [['allow: {subscribe: [prices, "chat.*"]}', 'allow: {subscribe: [prices, "chat.*"]}\nlog:\n  level:info']],
    said: ['12:3: log: found "level:info", wanted a map with level (put a space after level:)'],
  },
  {
    what: 'a value that begins with @',
    edits: [['alerts: {pubsub: "app:alerts"}', 'alerts: {pubsub: @alerts}']],
    said: ['7:20: a value cannot begin with @ (put it in quotes)'],
  },
  {
    what: 'a second document',
    edits: [
      ['allow: {subscribe: [prices, "chat.*"]}', 'allow: {subscribe: [prices, "chat.*"]}\n---\nlog: {level: info}'],
    ],
    said: ['11:1: a second document begins here (take the --- out: the file is one document)'],
  },
  {
    what: 'a tag',
    edits: [['prices: {}', 'prices: !include prices.yaml']],
    said: ['6:20: channels.prices: tags such as "!include" are not used here (write the value alone)'],
  },
  {
    what: 'a merge key',
    edits: [
      ['lobby: {memory: true}', 'lobby: {<<: *prices}'],
      ['prices: {}', 'prices: &prices {linger: 10s}'],
    ],
    said: [
      '9:11: channels.lobby: merge keys (<<) are not a part of YAML 1.2 (write the keys out, or use an alias for a whole value)',
    ],
  },
  {
    what: 'a variable that is not set',
    edits: [['redis://127.0.0.1:6379', '${REDIS_URL}']],
    said: ['1:8: redis: the environment variable REDIS_URL is not set (set it, or write ${REDIS_URL:-default})'],
  },
  {
    what: 'a variable that is not closed',
    edits: [['redis://127.0.0.1:6379', '"redis://${HOST:6379"']],
    said: ['1:8: redis: a ${ is not closed (write ${NAME} or ${NAME:-default}; for a literal ${ write $${)'],
  },
  {
    what: 'a variable with the wrong value',
    edits: [['heartbeat: 15s', 'heartbeat: ${HEARTBEAT}']],
    said: [
      '4:14: server.heartbeat: found the value of ${HEARTBEAT}, wanted a duration from 100ms to 1h, such as 500ms, 15s, 10m or 1h',
    ],
  },
  {
    what: 'an origin without a scheme',
    edits: [
      [
        'allow: {subscribe: [prices, "chat.*"]}',
        'allow: {subscribe: [prices, "chat.*"]}\ncors: {origins: [app.example.com]}',
      ],
    ],
    said: ['11:18: cors.origins.0: found "app.example.com": the scheme is missing (write https://app.example.com)'],
  },
  {
    what: 'an origin with a slash at its end',
    edits: [
      [
        'allow: {subscribe: [prices, "chat.*"]}',
        'allow: {subscribe: [prices, "chat.*"]}\ncors: {origins: [https://app.example.com/]}',
      ],
    ],
    said: [
      '11:18: cors.origins.0: found "https://app.example.com/": an origin has no slash at its end (write https://app.example.com)',
    ],
  },
  {
    what: 'an origin with a path',
    edits: [
      [
        'allow: {subscribe: [prices, "chat.*"]}',
        'allow: {subscribe: [prices, "chat.*"]}\ncors: {origins: ["https://App.Example.com:443/chat?x=1"]}',
      ],
    ],
    said: [
      '11:18: cors.origins.0: found "https://App.Example.com:443/chat?x=1": an origin ends behind the host and port (write https://app.example.com)',
    ],
  },
  {
    what: 'an origin with a star',
    edits: [
      [
        'allow: {subscribe: [prices, "chat.*"]}',
        'allow: {subscribe: [prices, "chat.*"]}\ncors: {origins: ["https://*.example.com"]}',
      ],
    ],
    said: [
      '11:18: cors.origins.0: found "https://*.example.com": origins are compared whole, a * within one has no meaning (list every origin, or write "*" alone for any)',
    ],
  },
  {
    what: 'an origin of null',
    edits: [
      ['allow: {subscribe: [prices, "chat.*"]}', 'allow: {subscribe: [prices, "chat.*"]}\ncors: {origins: [null]}'],
    ],
    said: [
      '11:18: cors.origins.0: found null: null is what any sandboxed page may send, so it names nobody (serve the page from an address of its own)',
    ],
  },
  {
    what: 'an origin of a WebSocket',
    edits: [
      [
        'allow: {subscribe: [prices, "chat.*"]}',
        'allow: {subscribe: [prices, "chat.*"]}\ncors: {origins: ["wss://app.example.com"]}',
      ],
    ],
    said: [
      '11:18: cors.origins.0: found "wss://app.example.com": no page has an origin that begins with wss:// (write https:// and the host of the page)',
    ],
  },
  {
    what: 'an origin that is no list',
    edits: [
      [
        'allow: {subscribe: [prices, "chat.*"]}',
        'allow: {subscribe: [prices, "chat.*"]}\ncors: {origins: https://app.example.com}',
      ],
    ],
    said: [
      '11:17: cors.origins: found "https://app.example.com", wanted a list of origins such as https://app.example.com (write ["https://app.example.com"])',
    ],
  },
  {
    what: 'any origin beside another',
    edits: [
      [
        'allow: {subscribe: [prices, "chat.*"]}',
        'allow: {subscribe: [prices, "chat.*"]}\ncors: {origins: [https://app.example.com, "*"]}',
      ],
    ],
    said: ['11:43: cors.origins.1: found "*" beside others, and it is any (write ["*"], or take it out)'],
  },
  {
    what: 'any origin with credentials',
    edits: [
      [
        'allow: {subscribe: [prices, "chat.*"]}',
        'allow: {subscribe: [prices, "chat.*"]}\ncors: {origins: ["*"], credentials: true}',
      ],
    ],
    said: [
      '11:24: cors.credentials: with "*" in cors.origins every web page could act in the name of whoever opens it (list the origins, or take credentials out)',
    ],
  },
  {
    what: 'credentials without the key',
    edits: [
      [
        'allow: {subscribe: [prices, "chat.*"]}',
        'allow: {subscribe: [prices, "chat.*"]}\ncors: {credentials: include}',
      ],
    ],
    said: ['11:21: cors.credentials: found "include", wanted true or false'],
  },
  {
    what: 'a format that is an encoding',
    edits: [['alerts: {pubsub: "app:alerts"}', 'alerts: {format: json}']],
    said: ['7:20: channels.alerts.format: found "json", wanted one of text, envelope'],
  },
  {
    what: 'a format that is misspelt',
    edits: [['alerts: {pubsub: "app:alerts"}', 'alerts: {format: envelop}']],
    said: ['7:20: channels.alerts.format: found "envelop", wanted one of text, envelope (did you mean envelope?)'],
  },
  {
    what: 'a format on a memory channel',
    edits: [['lobby: {memory: true}', 'lobby: {memory: true, format: envelope}']],
    said: [
      '9:25: channels.lobby.format: has no meaning for a channel with memory: true: whoever publishes to it says type and id beside the data (take the line out)',
    ],
  },
  {
    what: 'a channel and a pattern at once',
    edits: [['alerts: {pubsub: "app:alerts"}', 'alerts: {pubsub: "app:alerts", pattern: "app:*"}']],
    said: ['7:34: channels.alerts.pattern: pubsub says already what the channel reads (keep either pubsub or pattern)'],
  },
  {
    what: 'a pattern on a memory channel',
    edits: [['lobby: {memory: true}', 'lobby: {memory: true, pattern: "lobby:*"}']],
    said: ['9:25: channels.lobby.pattern: a channel with memory: true reads no Redis (keep either memory or pattern)'],
  },
  {
    what: 'a pattern that is not closed',
    edits: [['alerts: {pubsub: "app:alerts"}', 'alerts: {pattern: "app:[a-z"}']],
    said: [
      '7:21: channels.alerts.pattern: found "app:[a-z": a [ is not closed (add the ], or write \\[ for a [ itself)',
    ],
  },
  {
    what: 'a pattern without quotes',
    edits: [['alerts: {pubsub: "app:alerts"}', 'alerts: {pattern: *}']],
    said: ['7:21: a * at the beginning of a key or value means something else in YAML (put it in quotes: "*")'],
  },
  {
    what: 'a variable within the brackets of a pattern',
    edits: [['chat.{room}: {pubsub: "chat:{room}"}', 'chat.{room}: {pattern: "chat:[{room}]:*"}']],
    said: [
      '8:26: channels."chat.{room}".pattern: found "chat:[{room}]:*": a variable cannot stand within [ ] or after a \\ (put it outside of them)',
    ],
  },
  {
    what: 'a variable that the pattern lacks',
    edits: [['chat.{room}: {pubsub: "chat:{room}"}', 'chat.{room}: {pattern: "chat:*"}']],
    said: [
      '8:17: channels."chat.{room}".pattern: found "chat:*": {room} does not occur, so different channels would read the same feed (put {room} into it)',
    ],
  },
  {
    what: 'the catch-all with a pattern',
    edits: [['prices: {}', '"*": {pattern: "app:*"}']],
    said: [
      '6:9: channels."*".pattern: the channel "*" reads the Redis channel with the name that is asked for (give the pattern to a channel with a name)',
    ],
  },
  {
    what: 'a variable that the event type lacks',
    edits: [['chat.{room}: {pubsub: "chat:{room}"}', 'chat.{room}: {pubsub: "chat:{room}", event: "{rom}"}']],
    said: [
      '8:40: channels."chat.{room}".event: found "{rom}": the channel\'s name has no variable {rom} (did you mean {room}?)',
    ],
  },
  {
    what: 'an unknown variable in an event type',
    edits: [['prices: {}', 'prices: {event: "price.{symbol}"}']],
    said: [
      '6:12: channels.prices.event: found "price.{symbol}": the channel\'s name has no variable {symbol} (there is {feed})',
    ],
  },
  {
    what: 'an event type of the gateway',
    edits: [['prices: {}', 'prices: {event: gateway.price}']],
    said: [
      '6:19: channels.prices.event: found "gateway.price": event types that begin with "gateway." are the gateway\'s own',
    ],
  },
  {
    what: 'an event type with a line end',
    edits: [['prices: {}', 'prices: {event: "a\\nb"}']],
    said: ['6:19: channels.prices.event: found "a\\nb": the event type has a line end or NUL in it'],
  },
  {
    what: 'an event type that was forgotten',
    edits: [['prices: {}', 'prices: {event: }']],
    said: [
      '6:19: channels.prices.event: found nothing, wanted an event type such as price or "{feed}", or "" for none',
    ],
  },
  {
    what: 'a replay of more than is kept',
    edits: [['prices: {}', 'prices: {replay: 5000}']],
    said: [
      '6:12: channels.prices.replay: 5000 is more than history.events, which is 1000 (write 1000 or less, or set history.events to 5000)',
    ],
  },
  {
    what: 'a replay of true',
    edits: [['prices: {}', 'prices: {replay: true}']],
    said: [
      '6:20: channels.prices.replay: found true, wanted none, all, or a whole number from 1 to 10000000 (write all)',
    ],
  },
  {
    what: 'ids of publishers that bring none',
    edits: [['prices: {}', 'prices: {ids: publisher}']],
    said: [
      '6:12: channels.prices.ids: publisher needs messages that bring an id, and a text payload brings none (add format: envelope, or take the line out)',
    ],
  },
  {
    what: 'a template that is always followed',
    edits: [['chat.{room}: {pubsub: "chat:{room}"}', 'chat.{room}: {pubsub: "chat:{room}", follow: always}']],
    said: [
      '8:40: channels."chat.{room}".follow: always is for exact names only: which channels there are is not known before somebody asks for them (take the line out, or list the channels by name)',
    ],
  },
  {
    what: 'a memory channel that is always followed',
    edits: [['lobby: {memory: true}', 'lobby: {memory: true, follow: always}']],
    said: [
      '9:25: channels.lobby.follow: has no meaning for a channel with memory: true, which is in this process from its first event on (take the line out)',
    ],
  },
  {
    what: 'publishing options on a Redis channel',
    edits: [['prices: {}', 'prices: {publish: {idempotency: 1h}}']],
    said: [
      '6:12: channels.prices.publish: has no meaning here: Redis pub/sub keeps nothing and cannot tell that a publish is repeated (take it out, or use stream or memory: true)',
    ],
  },
  {
    what: 'a prefix at the top level',
    edits: [['redis: redis://127.0.0.1:6379', 'redis: redis://127.0.0.1:6379\nprefix: "app:"']],
    said: ['2:1: prefix: unknown key (it belongs under sources.NAME: check where it stands and its indentation)'],
  },
  {
    what: 'a prefix that is a pattern',
    edits: [['redis: redis://127.0.0.1:6379\n', 'sources: {main: {redis: redis://127.0.0.1, prefix: "app:*"}}\n']],
    said: [
      '1:52: sources.main.prefix: found "app:*": a prefix cannot have * ? [ ] or \\ in it, which mean something in patterns',
    ],
  },
  {
    what: 'an address and a file with the address',
    edits: [['redis: redis://127.0.0.1:6379', 'redis: redis://127.0.0.1:6379\nredis_file: /run/secrets/redis']],
    said: ['2:1: redis_file: redis says the address already (keep either redis or redis_file)'],
  },
  {
    what: 'a file with the address that is not there',
    edits: [['redis: redis://127.0.0.1:6379', 'redis_file: /nowhere/redis']],
    said: ['1:1: redis_file: found "/nowhere/redis": there is no such file'],
  },
  {
    what: 'an address in the place of the file',
    edits: [['redis: redis://127.0.0.1:6379', 'redis_file: redis://:secret@127.0.0.1']],
    said: [
      '1:13: redis_file: found "redis://***@127.0.0.1": this is a URL and no path (give the URL itself as redis: URL)',
    ],
  },
  {
    what: 'more channels that are always followed than there may be',
    edits: [
      ['prices: {}', 'prices: {follow: always}'],
      ['alerts: {pubsub: "app:alerts"}', 'alerts: {pubsub: "app:alerts", follow: always}'],
      ['server:\n', 'limits: {channels: 1}\nserver:\n'],
    ],
    said: ['2:10: limits.channels: 1 is less than the 2 channels with follow: always (write 2 or more)'],
  },
];
