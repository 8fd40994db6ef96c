/** What the rest of the gateway knows of the configuration. Property names are the names of the file; durations are ms, sizes bytes. */

import type { ConfigProblem } from '../errors.ts';
import type { ChannelTable } from './channels.ts';
import type { RedisDeployment } from './redis-url.ts';
import type { AllowConfig, CorsConfig, LimitsConfig, LogConfig, ServerConfig } from './schema.ts';

export type { FieldsConfig, HistoryConfig, PublishConfig } from './channel-schema.ts';
export type { ReplayConfig } from './channel-value.ts';
export type { ConflateConfig } from './conflate.ts';
export type { AllowConfig, CorsConfig, LimitsConfig, LogConfig, ServerConfig } from './schema.ts';

/** A configuration that can be served: every value is checked, every name is found. */
export interface Config {
  readonly server: ServerConfig;
  readonly cors: CorsConfig;
  readonly log: LogConfig;
  readonly limits: LimitsConfig;
  /** By name; the `redis:` of the file is the source `redis`. */
  readonly sources: ReadonlyMap<string, SourceConfig>;
  readonly channels: ChannelTable;
  readonly allow: AllowConfig;
  /** `none`: nothing was written down, so the gateway is open on loopback. */
  readonly origin: 'file' | 'none';
  /** What is allowed and probably not meant, in the order of the file. */
  readonly warnings: readonly ConfigProblem[];
}

/** One Redis deployment. */
export interface SourceConfig {
  readonly name: string;
  readonly redis: RedisDeployment;
  /** The absolute path of the file that the address was read from; undefined where the configuration says it. */
  readonly file: string | undefined;
  /** With Sentinels: the absolute paths of the files that passwords were read from, by the keys of the passwords. */
  readonly passwordFiles?: {
    readonly password: string | undefined;
    readonly sentinel_password: string | undefined;
  };
  /** Put before every feed; empty for none. */
  readonly prefix: string;
}
