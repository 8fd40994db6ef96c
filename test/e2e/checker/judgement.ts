/** The verdict on a whole trial: every client, every channel, every producer. */
import type { ClientLog } from './client-log.ts';
import type { Finding } from './finding.ts';
import type { History } from './history.ts';
import type { Intent, Journal } from './journal.ts';
import { readPayload } from './payload.ts';
import { placesIn } from './place.ts';
import { judgeMessages } from './pubsub-verdict.ts';
import { type Excuse, judgeStream } from './verdict.ts';

/** All that a trial has left behind. */
export interface Trace {
  readonly logs: readonly ClientLog[];
  readonly journal: Journal;
  /** Of each stream; feeds without one are pub/sub channels. */
  readonly histories: ReadonlyMap<string, History>;
  readonly excuses: readonly Excuse[];
  /** Times in which something was in the way: pub/sub may lose with a gap, and everybody may be slow. */
  readonly disturbances: readonly { readonly from: number; readonly to: number }[];
  /** Whether a server that counts no longer may still have taken writes. */
  readonly forked: boolean;
  /** Whether all clients had the time to reach the end. */
  readonly finished: boolean;
}

/** The longest that an event may take to a steady client when nothing is in the way, in milliseconds, on a busy machine. */
const SLOW_MS = 10_000;

/** Everything that is wrong; empty if nothing is. */
export function judge(record: Trace): Finding[] {
  if (record.forked) addStrayed(record);
  addUncertain(record);
  return [...record.logs.flatMap((log) => judgeLog(log, record)), ...judgeProducers(record)];
}

function judgeLog(log: ClientLog, record: Trace): Finding[] {
  const { journal, histories, excuses, disturbances, finished } = record;
  const byChannel = [...log.channels].flatMap(([channel, feed]) => {
    const history = histories.get(feed);
    if (history === undefined)
      return judgeMessages(log, channel, { feed, intents: journal.of(feed), disturbances }, finished);
    return judgeStream(log, channel, { feed, history, intents: journal.intents, excuses, disturbances }, finished);
  });
  return [...byChannel, ...judgeShape(log), ...judgeSpeed(log, record)];
}

/** What no client should see whatever it follows. */
function judgeShape(log: ClientLog): Finding[] {
  const feeds = new Set(log.channels.values());
  const channel = [...log.channels.keys()].join(',');
  return log.seen.flatMap((seen): Finding[] => {
    const base = { who: log.name, channel, at: seen.at };
    if (seen.kind === 'odd') return [{ ...base, kind: 'odd', detail: seen.what }];
    if (seen.kind === 'gap' && !log.channels.has(seen.channel)) {
      return [{ ...base, kind: 'foreign', detail: `a gap of ${seen.channel}` }];
    }
    if (seen.kind !== 'event') return [];
    const reading = readPayload(seen.data);
    if (reading?.sound !== true) return [{ ...base, kind: 'corrupt', detail: `${seen.id} ${seen.data.slice(0, 100)}` }];
    if (feeds.has(reading.stamp.feed)) return [];
    return [{ ...base, kind: 'foreign', detail: `${seen.id} is of ${reading.stamp.feed}` }];
  });
}

/** Steady clients hear of everything at once, unless something is in the way. */
function judgeSpeed(log: ClientLog, { journal, disturbances }: Trace): Finding[] {
  if (log.beginning.kind !== 'live' || !log.name.startsWith('steady')) return [];
  const openAt = log.seen.find(({ kind }) => kind === 'open')?.at ?? Number.POSITIVE_INFINITY;
  return log.seen.flatMap((seen): Finding[] => {
    if (seen.kind !== 'event') return [];
    const key = readPayload(seen.data)?.key ?? '';
    const written = Math.max(openAt, journal.intents.get(key)?.acknowledgedAt ?? seen.at);
    const disturbed = disturbances.some(({ from, to }) => written < to && seen.at > from);
    if (disturbed || seen.at - written < SLOW_MS) return [];
    const detail = `${key} took ${Math.round(seen.at - written)} ms`;
    return [{ kind: 'slow', who: log.name, channel: key.split(' ', 1).join(), at: seen.at, detail }];
  });
}

/** What a primary acknowledged that had been replaced already: it existed in the history that was left. */
function addStrayed({ journal, histories }: Trace): void {
  for (const [feed, history] of histories) {
    for (const { id, key, acknowledgedAt = 0 } of journal.acknowledged(feed)) {
      if (id !== undefined && !history.has(key, id)) history.addStrayed(id, key, acknowledgedAt);
    }
  }
}

/** What clients have seen, its producer never heard of and Redis has lost since, existed all the same. */
function addUncertain({ logs, journal, histories }: Trace): void {
  for (const log of logs) {
    for (const seen of log.seen) {
      if (seen.kind !== 'event') continue;
      const reading = readPayload(seen.data);
      const intent = journal.intents.get(reading?.key ?? '');
      if (reading?.sound !== true || intent?.outcome !== 'unknown') continue;
      const history = histories.get(reading.stamp.feed);
      const channel = [...log.channels].find(([, feed]) => feed === reading.stamp.feed)?.[0] ?? '';
      const place = placesIn(seen.id, channel).get(channel);
      if (history === undefined || place === undefined || place.before) continue;
      if (!history.has(reading.key)) history.addUncertain(place.text, reading.key, seen.at);
    }
  }
}

/** What was acknowledged is there once, what was refused is not there at all. */
function judgeProducers({ journal, histories }: Trace): Finding[] {
  const findings: Finding[] = [];
  for (const [feed, history] of histories) {
    const ids = idsByKey(history);
    for (const intent of journal.of(feed)) {
      const detail = wrongWith(intent, ids.get(intent.key) ?? []);
      const at = intent.acknowledgedAt ?? intent.at;
      if (detail !== undefined)
        findings.push({ kind: 'written', who: intent.stamp.producer, channel: feed, at, detail });
    }
  }
  return findings;
}

function wrongWith({ key, outcome, id }: Intent, ids: readonly (readonly string[])[]): string | undefined {
  const twice = ids.find((each) => each.length > 1);
  if (twice !== undefined) return `${key} was written ${twice.length} times: ${twice.join(' ')}`;
  if (outcome === 'refused' && ids.length > 0) return `${key} was refused and is there as ${ids.flat().join(' ')}`;
  if (outcome !== 'written' || id === undefined || ids.some((each) => each.includes(id))) return undefined;
  return `${key} was acknowledged as ${id}; it is ${ids.length === 0 ? 'nowhere' : ids.flat().join(' ')}`;
}

/** For each key the ids that it has in each era that holds it. */
function idsByKey(history: History): Map<string, string[][]> {
  const ids = new Map<string, string[][]>();
  for (const era of history.eras) {
    const here = new Map<string, string[]>();
    for (const { id, key } of era.entries) here.set(key, [...(here.get(key) ?? []), id]);
    for (const [key, each] of here) ids.set(key, [...(ids.get(key) ?? []), each]);
  }
  return ids;
}
