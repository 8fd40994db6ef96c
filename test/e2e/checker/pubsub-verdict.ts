/** Judges what one client saw of a pub/sub channel: in order, nothing twice, and loss at a gap only. */
import type { ClientLog, Seen } from './client-log.ts';
import type { Finding } from './finding.ts';
import type { Intent } from './journal.ts';
import { readPayload } from './payload.ts';

/** What is known of a pub/sub channel. */
export interface Messages {
  readonly feed: string;
  /** In the order each producer sent them. */
  readonly intents: readonly Intent[];
  /** Times in which something was in the way: a gap is right then, whether something is missing or not. */
  readonly disturbances: readonly { readonly from: number; readonly to: number }[];
}

/** Judges one channel of a client; `finished` if it had the time to reach the end. */
export function judgeMessages(log: ClientLog, channel: string, messages: Messages, finished: boolean): Finding[] {
  const findings: Finding[] = [];
  const byProducer = Map.groupBy(messages.intents, ({ stamp }) => stamp.producer);
  for (const intents of byProducer.values()) {
    const judge = new ProducerJudge(log.name, channel, intents);
    for (const seen of log.seen) judge.see(seen);
    if (finished) judge.end();
    findings.push(...judge.findings);
  }
  let pending = false;
  for (const seen of log.seen) {
    if (seen.kind === 'open') pending = seen.pending.includes(channel);
    if (seen.kind !== 'gap' || seen.channel !== channel) continue;
    // Who was told that the channel is pending is told what may be missing when it is there.
    if (pending && seen.reason === 'source-lost') {
      pending = false;
      continue;
    }
    if (messages.disturbances.some(({ from, to }) => seen.at >= from && seen.at <= to)) continue;
    findings.push({
      kind: 'false-gap',
      who: log.name,
      channel,
      at: seen.at,
      detail: `${seen.reason}, nothing was in the way`,
    });
  }
  return findings;
}

/** One client, one producer: its messages come in the order in which they were sent. */
class ProducerJudge {
  readonly findings: Finding[] = [];
  readonly #who: string;
  readonly #channel: string;
  readonly #intents: readonly Intent[];
  readonly #indices: ReadonlyMap<string, number>;
  readonly #received = new Set<number>();
  /** The first that must not be missing; undefined while nothing says where it starts. */
  #next: number | undefined;
  #highest = -1;
  #gap = false;

  constructor(who: string, channel: string, intents: readonly Intent[]) {
    this.#who = who;
    this.#channel = channel;
    this.#intents = intents;
    this.#indices = new Map(intents.map(({ key }, index) => [key, index]));
  }

  see(seen: Seen): void {
    if (seen.kind === 'gap' && seen.channel === this.#channel) this.#gap = true;
    if (seen.kind === 'open') this.#next ??= firstDue(this.#intents, seen.at, seen.pending.includes(this.#channel));
    if (seen.kind !== 'event') return;
    const index = this.#indices.get(readPayload(seen.data)?.key ?? '');
    const intent = this.#intents[index ?? -1];
    if (index === undefined || intent === undefined) return;
    if (intent.payload !== seen.data) this.#find('corrupt', seen.at, `${intent.key} is not what was sent`);
    this.#arrive(index, intent.key, seen.at);
  }

  end(): void {
    const left = this.#intents.slice(this.#next ?? this.#intents.length).filter(isSure);
    const at = left.at(-1)?.acknowledgedAt ?? 0;
    if (left.length > 0 && !this.#gap) this.#find('stuck', at, `${left.length} messages never came`);
  }

  #arrive(index: number, key: string, at: number): void {
    const next = this.#next ?? index;
    const missing = this.#intents.slice(next, index).filter(isSure);
    if (this.#received.has(index)) this.#find('duplicated', at, key);
    else if (index < this.#highest) this.#find('out-of-order', at, key);
    else if (!this.#gap && missing.length > 0)
      this.#find('unannounced', at, `${missing.length} messages before ${key}`);
    this.#received.add(index);
    this.#next = Math.max(next, index + 1);
    this.#highest = Math.max(this.#highest, index);
    this.#gap = false;
  }

  #find(kind: Finding['kind'], at: number, detail: string): void {
    this.findings.push({ kind, who: this.#who, channel: this.#channel, at, detail });
  }
}

/** The first message that must come: those sent after `gateway.open`, unless the channel is still to be confirmed. */
function firstDue(intents: readonly Intent[], at: number, pending: boolean): number | undefined {
  if (pending) return undefined;
  const index = intents.findIndex((intent) => intent.at > at);
  return index === -1 ? intents.length : index;
}

/** What Redis said that it has passed on; the rest may have been lost on its way there. */
function isSure({ outcome }: Intent): boolean {
  return outcome === 'written';
}
