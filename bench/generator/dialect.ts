/** How a server is subscribed to and published to: the gateway's own way, and that of others. */

/** `{channel}` in a path or body stands for the name of a channel. */
export interface Dialect {
  readonly subscribe: {
    readonly path: string;
    /** The channels beside the first one, `{channel}` each, appended to the path; default: it has one channel. */
    readonly more?: string;
    /** A regular expression: what the body of a stream has when it is surely open; empty: its head is enough. */
    readonly opened: string;
    /** A regular expression: what a stream must not read while it is opened; default: anything goes. */
    readonly unfit?: string;
    /**
     * How long the server is given to come to rest once all are open, in milliseconds, where being open is no promise;
     * what it has refused or closed by then is opened again. Default 0: it needs none of that.
     */
    readonly settle?: number;
    /** How many streams are opened at the same time; default: fewer than any listen backlog. */
    readonly atOnce?: number;
  };
  readonly publish: {
    readonly path: string;
    /** What stands around the payload in a body; default: nothing. */
    readonly before?: string;
    readonly after?: string;
    /** Whether the payload stands in a JSON string; default false. */
    readonly quoted?: boolean;
  };
  /** Whether `/metrics` tells how late the event loop is; default false. */
  readonly metrics?: boolean;
}

/** How the gateway is spoken to. */
export const GATEWAY: Dialect = {
  subscribe: {
    path: '/events?channel={channel}',
    more: '&channel={channel}',
    opened: 'event: gateway\\.open\\n[\\s\\S]*\\n\\n',
    unfit: '"pending":',
  },
  publish: { path: '/events/{channel}' },
  metrics: true,
};

/** The path of a stream that follows these channels. */
export function subscribePath({ subscribe }: Dialect, [first = '', ...more]: readonly string[]): string {
  const rest = more.map((channel) => (subscribe.more ?? '').replace('{channel}', channel));
  return subscribe.path.replace('{channel}', first) + rest.join('');
}

/** Makes the body of a publish from a payload. */
export function bodyMaker({ publish }: Dialect, channel: string): (payload: string) => string {
  const { before = '', after = '', quoted = false } = publish;
  if (before === '' && after === '') return (payload) => payload;
  const head = before.replace('{channel}', channel);
  return (payload) => head + (quoted ? payload.replaceAll('"', '\\"') : payload) + after;
}
