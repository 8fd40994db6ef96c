/** What `serve` says at its start: where it listens, and what to try next. */
import type { GatewayAddress } from '../client/address.ts';
import { DEFAULT_ADDRESS } from '../client/address.ts';
import type { ChannelConfig, ResolvedChannel } from '../config/channels.ts';
import type { Config } from '../config/config.ts';
import { quoted } from './invocation.ts';

/** What there is to announce. */
export interface Announced {
  readonly config: Config;
  readonly address: GatewayAddress;
  /** The beginning of a command line that runs this program. */
  readonly program: string;
  /** The local key where it may be shown: on a terminal, never in a log. */
  readonly key: string | undefined;
}

/** What the console follows, where its link names nothing else. */
const FIRST_CHANNEL = 'hello';

/** The lines, for stderr. Each command among them can be pasted into a shell in the same folder. */
export function announcement({ config, address, program, key }: Announced): readonly string[] {
  const [first] = config.channels.all;
  const channel = first === undefined ? FIRST_CHANNEL : exampleName(first);
  const url = address.text === DEFAULT_ADDRESS ? '' : ` --url ${quoted(address.text)}`;
  const lines = [`listening on ${address.text}`, '', 'In another terminal:'];
  if (config.allow.subscribe === undefined) lines.push(`  ${curl(address, channel)}`);
  const overHttp = `${program} publish ${quoted(channel)} "first event"${url}`;
  const publishing = publishLines(config, channel, overHttp).map((line) => `  ${line}`);
  lines.push(`  ${program} tail ${quoted(channel)}${url}`, ...publishing);
  if (address.socketPath === undefined) lines.push('', 'In a browser:', `  ${address.text}/${fragment(channel, key)}`);
  if (config.origin === 'none') lines.push('', ...withoutConfig(config));
  return lines;
}

/** What the console takes from its address: no server and no log sees what stands behind `#`. */
function fragment(channel: string, key: string | undefined): string {
  const parts = key === undefined ? [] : [`key=${key}`];
  if (channel !== FIRST_CHANNEL) parts.push(`channel=${encodeURIComponent(channel)}`);
  return parts.length === 0 ? '' : `#${parts.join('&')}`;
}

/** A name that the channel's entry matches. */
function exampleName({ name }: ChannelConfig): string {
  return name === '*' ? FIRST_CHANNEL : name.replace(/\{[^}]*\}/g, '1');
}

function curl(address: GatewayAddress, channel: string): string {
  const socket = address.socketPath === undefined ? '' : `--unix-socket ${quoted(address.socketPath)} `;
  return `curl -N ${socket}${quoted(`${address.origin}${address.basePath}/events/${encodeURIComponent(channel)}`)}`;
}

/** What an application does, where the channel is one of Redis; no line for a pattern that has no simple example. */
function publishLines(config: Config, channel: string, overHttp: string): readonly string[] {
  const found = config.channels.resolve(channel);
  const source = found === undefined ? undefined : config.sources.get(found.channel.source);
  if (found === undefined || source === undefined || found.feed.kind === 'memory') return [overHttp];
  const { kind, name } = found.feed;
  if (kind === 'pattern' && /[[\\]/.test(name)) return [];
  const heard = source.prefix + (kind === 'pattern' ? name.replace(/[*?]/g, '1') : name);
  // Which server is the primary now is known to the Sentinels.
  if ('sentinel' in source.redis) return [];
  const { host: at, port: number, tls } = source.redis;
  const host = at === '127.0.0.1' || at === 'localhost' ? '' : ` -h ${quoted(at)}`;
  const port = number === 6379 ? '' : ` -p ${number}`;
  return [`redis-cli${host}${port}${tls ? ' --tls' : ''} ${writing(found, quoted(heard))}`];
}

/** The command of Redis that makes an event. */
function writing({ feed, channel }: ResolvedChannel, name: string): string {
  if (feed.kind === 'stream') return `xadd ${name} '*' ${quoted(channel.fields.data)} "first event"`;
  return `${feed.kind === 'key' ? 'set' : 'publish'} ${name} "first event"`;
}

function withoutConfig(config: Config): readonly string[] {
  const what =
    config.sources.size === 0
      ? 'Channels live in memory and begin with their first use.'
      : 'Every pub/sub channel of Redis is a channel here.';
  return [`${what} Only this machine can connect. A file with channels is given by --config.`];
}
