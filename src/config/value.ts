/** The kinds of single values that only this product has: addresses, hosts, origins, paths, channel names and patterns of them. */
import { isHost, splitHost } from './host.ts';
import { describeTrustedProxy, parseTrustedProxy, type TrustedProxy } from './ip.ts';
import { type Leaf, list, orVariable, text } from './kind.ts';
import { describeListen, type Listen, parseListen } from './listen.ts';
import { channelNameProblem, MAX_NAME_LENGTH, NAME_CHARACTERS } from './names.ts';
import { parseOrigin } from './origin.ts';
import type { Parsed } from './parsed.ts';
import {
  describeHostPort,
  describeRedis,
  type HostPort,
  parseRedisUrl,
  parseSentinelNode,
  type RedisAddress,
} from './redis-url.ts';
import { parseTemplate } from './template.ts';
import { yamlValue } from './yaml-text.ts';

/** `host:port` or `unix:/path`. */
export const listenAddress: Leaf<Listen> = text({
  wanted: 'host:port such as 127.0.0.1:8080, or unix:/path',
  schema: { type: 'string', pattern: orVariable('unix:/.+|.+:\\d+') },
  parse: parseListen,
  show: (listen) => yamlValue(describeListen(listen)),
});

/** A path such as `/sse`, without a slash at its end; `/` for none. */
export const basePath: Leaf<string> = text({
  wanted: 'a path such as / or /sse',
  schema: { type: 'string', pattern: orVariable('/.*') },
  parse: parseBasePath,
  show: yamlValue,
});

/** A host name in the form of `URL.hostname`: lower case, punycode, IPv6 in brackets. */
export const hostName: Leaf<string> = text({
  wanted: 'a host name such as app.example.com',
  schema: { type: 'string' },
  parse: parseHostName,
  show: yamlValue,
});

/** Whose `X-Forwarded-For` is believed. */
export const trustedProxy: Leaf<TrustedProxy> = text({
  wanted: 'a network such as 10.0.0.0/8, an IP address, loopback or unix',
  schema: { type: 'string', pattern: orVariable('loopback|unix|[0-9A-Fa-f:.]+(/\\d{1,3})?') },
  parse: parseTrustedProxy,
  show: (proxy) => yamlValue(describeTrustedProxy(proxy)),
});

/** `auto`, or a number of connections. */
export const connectionLimit: Leaf<number | 'auto'> = text({
  wanted: 'auto, or a whole number from 1 to 10000000',
  schema: { anyOf: [{ const: 'auto' }, { type: 'integer', minimum: 1, maximum: 10_000_000 }, { pattern: '\\$\\{' }] },
  parse: parseConnectionLimit,
  show: String,
});

/** A Redis URL, kept out of messages. */
export const redisUrl: Leaf<RedisAddress> = text({
  wanted: 'a Redis URL such as redis://127.0.0.1:6379',
  schema: { type: 'string', pattern: '^rediss?://|\\$\\{' },
  secret: true,
  parse: parseRedisUrl,
  show: (address) => yamlValue(describeRedis(address)),
});

/** `host:port` of a Sentinel, or its host alone. */
export const sentinelNode: Leaf<HostPort> = text({
  wanted: 'host:port such as 127.0.0.1:26379',
  schema: { type: 'string' },
  parse: parseSentinelNode,
  show: (node) => yamlValue(describeHostPort(node)),
});

/** What Sentinels call a primary. */
export const sentinelName: Leaf<string> = text({
  wanted: 'the name that the Sentinels give the primary, such as mymaster',
  schema: { type: 'string', minLength: 1 },
  parse: (name) => (/^[A-Za-z0-9._-]{1,255}$/.test(name) ? { value: name } : {}),
  show: yamlValue,
});

/** A user of Redis. */
export const userName: Leaf<string> = text({
  wanted: 'the name of a user of Redis',
  schema: { type: 'string', minLength: 1 },
  parse: (name) => (name === '' ? {} : { value: name }),
  show: yamlValue,
});

/** A password, kept out of messages. */
export const password: Leaf<string> = text({
  wanted: 'a password, in quotes where it has signs of YAML in it',
  schema: { type: 'string', minLength: 1 },
  secret: true,
  parse: (secret) => (secret === '' ? {} : { value: secret }),
  show: () => yamlValue('***'),
});

/** The path of a file that holds a secret. */
export const secretPath: Leaf<string> = text({
  wanted: 'the path of a file',
  schema: { type: 'string', minLength: 1 },
  parse: parseSecretPath,
  show: yamlValue,
});

const origin: Leaf<string> = text({
  wanted: 'an origin such as https://app.example.com',
  schema: { type: 'string', pattern: '^\\*$|^[A-Za-z][A-Za-z0-9+.-]*://[^/?#@*]+$|\\$\\{' },
  nothing: true,
  parse: parseOrigin,
  show: yamlValue,
});

/** Origins in the form of `URL.origin`, or `*` alone. */
export const originList: Leaf<readonly string[]> = alone('*', list(origin, 'origins such as https://app.example.com'));

/** A channel name in which `*` stands for any run of characters. */
export const channelPattern: Leaf<string> = text({
  wanted: 'a channel name, in which * is any run of characters',
  schema: { type: 'string', pattern: `^[*${NAME_CHARACTERS}]{1,${MAX_NAME_LENGTH}}$|\\$\\{` },
  parse: parsePattern,
  show: yamlValue,
});

/** Judges a key of `sources`. */
export function sourceKey(name: string): Parsed<string> {
  if (name === 'memory')
    return { problem: 'memory is the name of the source inside the gateway', hint: 'choose another name' };
  if (/^[A-Za-z0-9_-]{1,64}$/.test(name)) return { value: name };
  return { problem: 'the name of a source has 1 to 64 letters, digits, _ and -' };
}

/** Judges a key of `channels`: an exact name, a template, or `*` alone. */
export function channelKey(name: string): Parsed<unknown> {
  if (name === '*') return { value: name };
  if (name.replaceAll(/\{[^{}]*\}/g, '').includes('*')) {
    return {
      problem: 'a * stands alone, for every other name; within a name use a variable',
      hint: `write ${withVariables(name)}`,
    };
  }
  return parseTemplate(name);
}

/** `chat.*` as `chat.{name}`, `a.*.b.*` as `a.{name1}.b.{name2}`. */
function withVariables(name: string): string {
  let count = 0;
  const numbered = name.replaceAll(/\{[^{}]*\}|\*+/g, (part) => {
    if (part.startsWith('{')) return part;
    count += 1;
    return `{name${count}}`;
  });
  return count === 1 ? numbered.replace('{name1}', '{name}') : numbered;
}

function parseBasePath(path: string): Parsed<string> {
  if (!path.startsWith('/')) return { hint: 'begin it with /' };
  const trimmed = path.length > 1 ? path.replace(/\/$/, '') : path;
  if (trimmed === '/' || /^(?:\/[A-Za-z0-9._~@:+=-]+)+$/.test(trimmed)) {
    return /\/\.{1,2}(?:\/|$)/.test(trimmed) ? { problem: 'a path cannot have . or .. as a part' } : { value: trimmed };
  }
  return { problem: 'a path has parts of letters, digits and . _ ~ @ : + = -, with one / before each' };
}

function parseHostName(name: string): Parsed<string> {
  if (name.includes('*')) return { problem: 'host names are compared whole, there is no *', hint: 'list every name' };
  if (name.includes('/')) return { hint: 'write the name alone, without http:// and path' };
  const split = splitHost(name) ?? { host: name, port: undefined };
  if (split.port !== undefined) return { hint: `write the name alone, without the port: ${split.host}` };
  const url = URL.parse(split.host.includes(':') ? `http://[${split.host}]/` : `http://${split.host}/`);
  const host = url?.hostname ?? '';
  return isHost(host.replace(/^\[|\]$/g, '')) && !/[\s@?#\\%]/.test(name) ? { value: host } : {};
}

/** A path of Linux has at most 4096 bytes, its end included. */
const MAX_PATH_BYTES = 4095;

function parseSecretPath(path: string): Parsed<string> {
  if (path === '') return {};
  if (path.includes('://')) return { problem: 'this is a URL and no path', hint: 'give the URL itself as redis: URL' };
  if (path.includes('\0')) return { problem: 'the path has a NUL in it' };
  return Buffer.byteLength(path) > MAX_PATH_BYTES ? { problem: 'the path is too long' } : { value: path };
}

/** A list in which one value says everything, so that it stands alone. */
function alone(all: string, items: Leaf<readonly string[]>): Leaf<readonly string[]> {
  return {
    ...items,
    read(node, path, problems) {
      const values = items.read(node, path, problems);
      if (node.kind !== 'list' || node.items.length < 2 || !values?.includes(all)) return values;
      const index = node.items.findIndex((item) => item.kind === 'scalar' && item.text === all);
      const hint = `write [${yamlValue(all)}], or take it out`;
      problems.add(
        node.items[index]?.place,
        [...path, String(index)],
        `found "${all}" beside others, and it is any`,
        hint,
      );
      return values;
    },
  };
}

function parsePattern(pattern: string): Parsed<string> {
  if (/[{}]/.test(pattern))
    return { problem: 'variables have no meaning here', hint: `write ${pattern.replaceAll(/\{[^{}]*\}/g, '*')}` };
  const problem = channelNameProblem(pattern.replaceAll('*', 'x'));
  if (problem === undefined) return { value: pattern };
  const list = /^[^,\s]+(?:[,\s]+[^,\s]+)+$/.test(pattern);
  return list ? { problem, hint: 'write one name for each item of the list' } : { problem };
}

function parseConnectionLimit(text: string): Parsed<number | 'auto'> {
  if (text === 'auto') return { value: 'auto' };
  if (text === '0' || text === 'none') return { hint: 'write auto for as many as the process can have' };
  const count = /^[1-9]\d{0,7}$/.test(text) ? Number(text) : 0;
  return count > 0 && count <= 10_000_000 ? { value: count } : {};
}
