/** Judges what one client saw of one stream by what existed: from truth and log to findings, and nothing else. */
import { type ClientLog, onlyChannel, type Seen } from './client-log.ts';
import type { Finding } from './finding.ts';
import type { History } from './history.ts';
import type { Intent } from './journal.ts';
import { readPayload } from './payload.ts';
import { type Place, placesIn } from './place.ts';
import { Atlas, type Standing } from './standing.ts';

/** A time in which a gap of some reason is right though nothing is missing, such as while a stream is of another type. */
export interface Excuse {
  readonly reason: string;
  /** Only for this feed; default: all. */
  readonly feed?: string;
  readonly from: number;
  readonly to: number;
}

/** What the truth about one feed is made of. */
export interface Evidence {
  readonly feed: string;
  readonly history: History;
  readonly intents: ReadonlyMap<string, Intent>;
  readonly excuses: readonly Excuse[];
  /** Times in which something was in the way. */
  readonly disturbances: readonly { readonly from: number; readonly to: number }[];
}

/** How long an entry may be on its way to the gateway, in milliseconds: on a busy machine. */
const UNHEARD_MS = 8_000;

type Gap = Extract<Seen, { kind: 'gap' }>;
type Event = Extract<Seen, { kind: 'event' }>;

/** Judges one channel of a client; `finished` if it had the time to reach the end. */
export function judgeStream(log: ClientLog, channel: string, evidence: Evidence, finished: boolean): Finding[] {
  const judge = new StreamJudge(log, channel, evidence);
  for (const seen of log.seen) judge.see(seen);
  if (finished) judge.end();
  return judge.findings;
}

class StreamJudge {
  readonly findings: Finding[] = [];
  readonly #log: ClientLog;
  readonly #channel: string;
  readonly #only: string | undefined;
  readonly #evidence: Evidence;
  readonly #atlas: Atlas;
  readonly #received = new Set<string>();
  #at: Standing | undefined;
  /** The position of this channel in the last id. */
  #place: Place | undefined;
  /** What was announced since the last event. */
  #gaps: Gap[] = [];
  #connectedAt = 0;
  /** When the last event came. */
  #arrivedAt = 0;
  #now = 0;

  constructor(log: ClientLog, channel: string, evidence: Evidence) {
    this.#log = log;
    this.#channel = channel;
    this.#only = onlyChannel(log) === channel ? channel : undefined;
    this.#evidence = evidence;
    this.#atlas = new Atlas(evidence.history);
    if (log.beginning.kind !== 'cursor') return;
    this.#place = placesIn(log.beginning.cursor, this.#only).get(channel);
    if (this.#place !== undefined) this.#at = this.#atlas.standingAt(this.#place, Number.NEGATIVE_INFINITY);
  }

  see(seen: Seen): void {
    this.#now = seen.at;
    if (seen.kind === 'connect') this.#connectedAt = seen.at;
    else if (seen.kind === 'open') this.#open(seen.id, seen.pending);
    else if (seen.kind === 'gap') this.#gap(seen);
    else if (seen.kind === 'event') this.#event(seen);
  }

  /** The client has had the time to see everything. */
  end(): void {
    const last = this.#atlas.eras.length - 1;
    if (this.#at === undefined) return void this.#find('stuck', 'never told where it stands');
    const base = this.#atlas.done(this.#at, last);
    const { entries, removed } = this.#atlas.eras[last] ?? { entries: [], removed: 0 };
    const left = entries.slice(Math.max(base, removed)).filter(({ certain }) => certain);
    if (left.length > 0) return void this.#find('stuck', `${left.length} entries never came, the first ${left[0]?.id}`);
    this.#judgeStep({ era: last, index: entries.length }, undefined);
  }

  #open(id: string, pending: readonly string[]): void {
    const place = placesIn(id, this.#only).get(this.#channel);
    if (place === undefined) {
      if (!pending.includes(this.#channel)) this.#find('wrong-id', `gateway.open without a position: ${id}`);
      return;
    }
    if (this.#at !== undefined) {
      this.#checkUnmoved(place, id);
      return;
    }
    this.#at = this.#atlas.standingAt(place, this.#now);
    this.#place = place;
    this.#checkBeginning();
  }

  /** A client that brings nothing misses nothing that is written after `gateway.open`, nor what it asked for. */
  #checkBeginning(): void {
    const { era, index } = this.#at ?? { era: 0, index: 0 };
    const { entries = [], removed = 0 } = this.#atlas.eras[era] ?? {};
    const passed = entries.slice(0, index);
    if (this.#log.beginning.kind === 'start') {
      const kept = passed.slice(removed).filter(({ certain }) => certain);
      if (kept.length > 0)
        this.#find('lost', `starts at ${this.#place?.text}, after ${kept.length} entries that are kept`);
      return;
    }
    const intents = this.#evidence.intents;
    const after = passed.find(({ key }) => (intents.get(key)?.at ?? 0) > this.#now);
    if (after !== undefined) this.#find('lost', `${after.id} was written after gateway.open, whose id lies beyond it`);
    // What is new may not have reached the gateway yet; one that is cut off does not know it at all.
    const connectedAt = this.#connectedAt;
    if (this.#evidence.disturbances.some(({ from, to }) => connectedAt >= from && connectedAt <= to)) return;
    const old = entries
      .slice(index)
      .find(({ key }) => (intents.get(key)?.acknowledgedAt ?? this.#now) < connectedAt - UNHEARD_MS);
    if (old !== undefined)
      this.#find('foreign', `${old.id} was there before the client came, who asked for nothing old`);
  }

  #gap(gap: Gap): void {
    const place = gap.id === undefined ? undefined : placesIn(gap.id, this.#only).get(this.#channel);
    if (gap.channel !== this.#channel) {
      if (place !== undefined) this.#checkUnmoved(place, gap.id ?? '');
      return;
    }
    if (place !== undefined) this.#place = place;
    if (this.#at !== undefined) {
      this.#gaps.push(gap);
      return;
    }
    // One that was pending starts where this gap says.
    if (gap.reason !== 'source-lost' && !this.#isExcused(gap))
      this.#find('wrong-gap', `${gap.reason} for a client without a position`);
    if (place !== undefined) this.#at = this.#atlas.standingAt(place, this.#now);
  }

  #event(event: Event): void {
    const place = placesIn(event.id, this.#only).get(this.#channel);
    const reading = readPayload(event.data);
    if (reading?.sound !== true) return; // judged with the log as a whole
    if (reading.stamp.feed !== this.#evidence.feed) {
      if (place !== undefined) this.#checkUnmoved(place, event.id);
      return;
    }
    const intent = this.#evidence.intents.get(reading.key);
    if (intent === undefined) return void this.#find('foreign', `${reading.key} was never written`);
    if (intent.payload !== event.data || intent.stamp.type !== event.type) {
      return void this.#find('corrupt', `${reading.key} arrived as ${event.type}, ${event.data.length} characters`);
    }
    if (place === undefined || place.before)
      return void this.#find('wrong-id', `${reading.key} has the id ${event.id}`);
    this.#place = place;
    this.#arrive(`${place.text} ${reading.key}`, place.text);
  }

  #arrive(name: string, id: string): void {
    if (this.#log.beginning.kind === 'start') this.#at ??= this.#atlas.firstKept(name);
    if (this.#at === undefined)
      return void this.#find('odd', `${name} before gateway.open says where the stream starts`);
    const at = this.#atlas.standingFor(name, this.#at, this.#received.size === 0);
    this.#at = at;
    const found = this.#atlas.find(name, at.era);
    if (this.#received.has(name)) return void this.#find('duplicated', `${name} after ${this.#atlas.describe(at)}`);
    this.#received.add(name);
    if (found === undefined) return void this.#misplaced(name, id);
    if (found.index < this.#atlas.done(at, found.era))
      return void this.#find('out-of-order', `${name} after ${this.#atlas.describe(at)}`);
    this.#judgeStep(found, id);
    this.#at = { era: found.era, index: found.index + 1 };
    this.#arrivedAt = this.#now;
    this.#gaps = [];
  }

  /** An entry that no era from the client's on holds under this id. */
  #misplaced(name: string, id: string): void {
    if (this.#atlas.find(name) !== undefined) {
      return void this.#find('out-of-order', `${name} is of a history that the client has left`);
    }
    this.#find('wrong-id', `${name}: the entry has another id than ${id}`);
  }

  /** From where the client stands to the entry at `to` (without): what was passed over, and what was said of it. */
  #judgeStep(to: Standing, next: string | undefined): void {
    const from = this.#at ?? to;
    if (this.#isAmbiguous(from, to)) return;
    const base = this.#atlas.done(from, to.era);
    const { entries = [], removed = 0 } = this.#atlas.eras[to.era] ?? {};
    const passed = entries.slice(base, to.index).filter(({ certain }) => certain);
    const kept = entries.slice(Math.max(base, removed), to.index).filter(({ certain }) => certain);
    // Whoever has seen what no longer exists must be told, though nothing may be missing.
    const forked = from.index > base;
    const where = `between ${this.#atlas.describe(from)} and ${next ?? 'the end'}`;
    if (kept.length > 0) this.#find('lost', `${kept.length} entries ${where}, the first ${kept[0]?.id}`);
    const due = passed.length > 0 || forked;
    const [gap] = this.#gaps;
    if (gap === undefined && (forked || passed.length > kept.length)) {
      const what = forked ? 'the break of history' : `${passed.length} entries, the first ${passed[0]?.id}`;
      this.#find('unannounced', `${what} ${where}`);
    }
    const isFalse = !due && !this.#atlas.hasDied(from.era, to.era);
    if (isFalse && gap !== undefined && !this.#gaps.some((each) => this.#isExcused(each))) {
      this.#find('false-gap', `${gap.reason} after ${gap.after}, lost ${gap.lost}, ${where}`);
    }
    if (due && gap !== undefined && kept.length === 0) this.#checkWords(from, to, passed.length, forked);
  }

  /**
   * Whether the client came back with an id that both histories gave, to different entries: it proves nothing to anybody.
   * Two primaries that take writes at the same time do that; it is a limit of ids.
   */
  #isAmbiguous(from: Standing, to: Standing): boolean {
    const last = this.#atlas.eras[from.era]?.entries[from.index - 1];
    if (last === undefined || from.era === to.era || this.#connectedAt < this.#arrivedAt) return false;
    const same = this.#atlas.eras[to.era]?.entries.find(({ id }) => id === last.id);
    return same !== undefined && same.key !== last.key;
  }

  /** A gap that is right to be there must give the right reason and number. */
  #checkWords(from: Standing, to: Standing, missing: number, forked: boolean): void {
    const reasons = forked ? ['reset', 'rolled-back'] : ['trimmed'];
    const told = this.#gaps.filter((gap) => !this.#isExcused(gap));
    if (told.length > 0 && !told.some(({ reason }) => reasons.includes(reason))) {
      this.#find('wrong-gap', `${told.map(({ reason }) => reason).join(', ')} instead of ${reasons.join(' or ')}`);
    }
    const counts = told.flatMap(({ lost }) => (lost === null ? [] : [lost]));
    const sum = counts.reduce((total, lost) => total + lost, 0);
    if (from.era === to.era && counts.length === told.length && told.length === 1 && sum !== missing) {
      this.#find('wrong-gap', `says that ${sum} are lost; ${missing} are`);
    }
  }

  #isExcused({ reason, at }: Gap): boolean {
    const { excuses, feed } = this.#evidence;
    return excuses.some(
      (each) => each.reason === reason && (each.feed ?? feed) === feed && at >= each.from && at <= each.to,
    );
  }

  /** Only an event or gap of this channel, or a new connection after a gap, moves its position. */
  #checkUnmoved(place: Place, id: string): void {
    if (this.#place !== undefined && this.#place.text !== place.text && this.#gaps.length === 0) {
      this.#find('wrong-id', `the position went from ${this.#place.text} to ${place.text} by itself: ${id}`);
    }
    this.#place = place;
  }

  #find(kind: Finding['kind'], detail: string): void {
    this.findings.push({ kind, who: this.#log.name, channel: this.#channel, at: this.#now, detail });
  }
}
