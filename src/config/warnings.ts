/** What is allowed and probably not meant: said once at the start, never a reason to refuse. */
import type { Draft } from './draft.ts';
import { isGlob } from './glob.ts';
import { isLoopback } from './listen.ts';
import type { Sources } from './lookup-sources.ts';
import { nearest } from './nearest.ts';
import { reachOf } from './reach.ts';

/** Notes the warnings of a configuration that has no problem. */
export function noteWarnings(draft: Draft, sources: Sources): void {
  warnOfUnusedSources(draft, sources);
  warnOfUnusedPatterns(draft);
  warnOfPlainPatterns(draft);
  warnOfOneAddress(draft);
  const { cors } = draft.raw;
  if (cors.credentials && cors.origins.length === 0) {
    const message = 'has no effect, because cors.origins lists no page';
    draft.warn(['cors', 'credentials'], message, 'add the origins, or take the line out');
  }
}

/** On such an address all that comes from elsewhere comes by a proxy. */
function warnOfOneAddress(draft: Draft): void {
  const { server, limits } = draft.raw;
  if (server.trusted_proxies.length > 0 || !isLoopback(server.listen)) return;
  const unix = server.listen.kind === 'unix';
  const message = unix
    ? 'has no effect: whoever comes by a unix socket has no address unless the proxy is believed'
    : 'counts everybody who comes by a proxy on this machine as one address';
  const hint = `write server: {trusted_proxies: [${unix ? 'unix' : 'loopback'}]}`;
  for (const limit of ['connections_per_ip', 'publish_rate'] as const) {
    if (limits[limit] > 0) draft.warn(['limits', limit], message, hint);
  }
}

function warnOfUnusedSources(draft: Draft, sources: Sources): void {
  const [only, another] = sources.keys();
  const channels = [...(draft.raw.channels?.values() ?? [])].filter(({ memory }) => !memory);
  const used = new Set(channels.map(({ source }) => source ?? (another === undefined ? only : undefined)));
  for (const name of sources.keys()) {
    if (used.has(name)) continue;
    const shorthand = [['redis'], ['redis_file']].find((key) => name === 'redis' && draft.written(key) !== undefined);
    draft.warn(
      shorthand ?? ['sources', name],
      'no channel is read from this source',
      'take it out if it is not needed',
    );
  }
}

/** The names that a pattern of `allow` could have meant, templates with a star for each variable. */
function warnOfUnusedPatterns(draft: Draft): void {
  const { allow, channels } = draft.raw;
  const names = [...(channels?.keys() ?? [])];
  // Then every name is a channel.
  if (names.includes('*')) return;
  const reach = reachOf(names);
  const known = names.map((name) => name.replaceAll(/\{[^{}]*\}/g, '*'));
  for (const [right, patterns] of Object.entries(allow)) {
    if (typeof patterns === 'boolean') continue;
    for (const [index, pattern] of (patterns ?? []).entries()) {
      if (reach.matches(pattern)) continue;
      const path = ['allow', right, String(index)];
      const meant = nearest(pattern, known);
      const hint = meant === undefined ? 'add the channel, or take the pattern out' : `did you mean ${meant}?`;
      draft.warn(path, `${draft.foundAt(path)}, which no channel's name can match`, hint);
    }
  }
}

function warnOfPlainPatterns(draft: Draft): void {
  for (const [name, { pattern }] of draft.raw.channels ?? []) {
    if (pattern === undefined || isGlob(pattern)) continue;
    const path = ['channels', name, 'pattern'];
    const message = `${draft.foundAt(path)} without * ? or [, so it reads one Redis channel and cannot be published to`;
    draft.warn(path, message, 'write pubsub for pattern');
  }
}
