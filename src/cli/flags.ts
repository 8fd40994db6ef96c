/** What each command was told on the command line, as commander reads it. */

/** How `publish`, `tail` and `bench` find their gateway and say who they are. */
export interface GatewayFlags {
  readonly url?: string;
  readonly config?: string;
  readonly tokenFile?: string;
  readonly token?: string;
}

/** The flags of `serve`. */
export interface ServeFlags {
  readonly config?: string;
  readonly redis?: string;
  readonly listen?: string;
}

/** The flags of `publish`. `timeout` is in milliseconds. */
export interface PublishFlags extends GatewayFlags {
  readonly event?: string;
  readonly id?: string;
  readonly end?: boolean;
  readonly lines?: boolean;
  readonly idempotencyKey?: string;
  readonly timeout?: number;
  readonly json?: boolean;
  readonly redis?: string;
}

/** The flags of `tail`. `timeout` is in milliseconds, `since` as a gateway takes it. */
export interface TailFlags extends GatewayFlags {
  readonly json?: boolean;
  readonly event?: string;
  readonly gatewayEvents?: boolean;
  readonly last?: number;
  readonly since?: string;
  readonly lastEventId?: string;
  readonly count?: number;
  readonly timeout?: number;
}

/** The flags of `bench`. `duration` is in milliseconds, `size` in bytes, `rate` in events a second. */
export interface BenchFlags extends GatewayFlags {
  readonly connections: number;
  readonly rate: number;
  readonly size: number;
  readonly channels: number;
  readonly publishers: number;
  readonly duration: number;
  readonly channel?: string;
  readonly via: 'http' | 'redis';
  readonly redis?: string;
  readonly kind?: 'pubsub' | 'stream';
  readonly json?: boolean;
}

/** The flags of `check`. */
export interface CheckFlags {
  readonly config?: string;
  readonly json?: boolean;
}

/** The shells that `completion` knows. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];
