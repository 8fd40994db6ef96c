/** Takes the truth straight from Redis, and before anything is destroyed what is about to be. */
import type { Owner } from '../../support/owner.ts';
import type { Reply, RespClient } from '../../support/resp.ts';
import { waitFor } from '../../support/wait.ts';
import { History } from './history.ts';
import type { Intent, Journal } from './journal.ts';
import { readPayload } from './payload.ts';

/** How often new entries are read, in milliseconds. */
const EVERY_MS = 100;

/** How long Redis may be away, in milliseconds. */
const PATIENCE_MS = 90_000;

/** One entry as it was read: id and key. */
type Row = readonly [id: string, key: string];

/** Reads all streams over a connection of its own, one thing at a time. */
export class TruthReader {
  readonly histories: ReadonlyMap<string, History>;
  readonly #connect: () => RespClient;
  readonly #journal: Journal;
  readonly #timer: NodeJS.Timeout;
  #connection: RespClient | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  #busy = false;

  /** `connect` goes to the Redis that counts now. */
  constructor(streams: readonly string[], connect: () => RespClient, journal: Journal) {
    this.histories = new Map(streams.map((stream) => [stream, new History()]));
    this.#connect = connect;
    this.#journal = journal;
    this.#timer = setInterval(() => {
      // One that cannot read now reads later: nothing is destroyed but through `destroy` and `across`.
      if (!this.#busy) void this.#alone(() => this.#tail()).catch(() => this.#leave());
    }, EVERY_MS);
  }

  /** What is there now has been read when this settles. */
  async catchUp(): Promise<void> {
    await this.#alone(() =>
      waitFor(
        'Redis to be read',
        () =>
          this.#tail().then(
            () => true,
            () => false,
          ),
        PATIENCE_MS,
      ),
    );
  }

  /**
   * Runs commands that destroy something of `streams` in one transaction with a look at what is there.
   * `effect` then writes into the history what the commands did.
   */
  async destroy(
    streams: readonly string[],
    commands: readonly (readonly string[])[],
    effect: (history: History, at: number) => void,
  ): Promise<void> {
    await this.#alone(async () => {
      const at = performance.now();
      const looks = streams.map((stream) => this.#look(stream));
      const all = [['MULTI'], ...looks, ...commands.map((command) => [...command]), ['EXEC']];
      const outcome = (await this.#connected().pipeline(all)).at(-1);
      if (!Array.isArray(outcome)) throw new Error(`the transaction was refused: ${String(outcome)}`);
      const broken = outcome.find((reply) => reply instanceof Error);
      if (broken !== undefined) throw broken;
      for (const [index, stream] of streams.entries()) {
        const history = this.#history(stream);
        for (const [id, key] of rows(outcome[index] ?? null)) history.add(id, key);
        effect(history, at);
      }
    });
  }

  /** Runs commands that change nothing of what the streams hold. */
  async run(...commands: readonly (readonly string[])[]): Promise<Reply[]> {
    return await this.#alone(async () => {
      const replies = await this.#connected().pipeline(commands.map((command) => [...command]));
      for (const reply of replies) if (reply instanceof Error) throw reply;
      return replies;
    });
  }

  /** Runs something after which Redis may hold less than before, and finds out what is left. */
  async across(disaster: () => Promise<void>): Promise<void> {
    await this.#alone(() => this.#survive(disaster, false));
  }

  /**
   * Runs something after which there are two histories that both may go on, of which one counts.
   * Nobody may write between `prepare` and the fork: what is there then is what both have.
   */
  async fork(prepare: () => Promise<void>, disaster: () => Promise<void>): Promise<void> {
    await this.#alone(async () => {
      await prepare();
      await this.#tail();
      await this.#survive(disaster, true);
    });
  }

  close(): void {
    clearInterval(this.#timer);
    this.#connection?.close();
  }

  async #survive(disaster: () => Promise<void>, forks: boolean): Promise<void> {
    const at = performance.now();
    await disaster();
    this.#leave();
    const compare = () =>
      this.#compare(at, forks).then(
        () => true,
        () => false, // not back yet, or still loading
      );
    await waitFor('Redis to be back', compare, PATIENCE_MS);
  }

  /** Finds out what is left of every stream; all are read before anything is changed. */
  async #compare(at: number, forks: boolean): Promise<void> {
    const streams = [...this.histories.keys()];
    // Before a fork all was read; what else was acknowledged by then had strayed at a fork before.
    const since = forks ? at : Number.NEGATIVE_INFINITY;
    const isNew = ({ acknowledgedAt = since }: Intent) => acknowledgedAt >= since;
    const told = streams.map((stream) => this.#journal.acknowledged(stream).filter(isNew));
    const replies = await this.#connected().pipeline(streams.map((stream) => ['XRANGE', stream, '-', '+']));
    for (const reply of replies) if (reply instanceof Error) throw reply;
    for (const [index, stream] of streams.entries()) {
      const history = this.#history(stream);
      const left = rows(replies[index] ?? null);
      addLost(history, left, told[index] ?? []);
      compare(history, left, at, forks);
    }
  }

  async #tail(): Promise<void> {
    const streams = [...this.histories.keys()];
    const replies = await this.#connected().pipeline(streams.map((stream) => this.#look(stream)));
    for (const [index, stream] of streams.entries()) {
      const reply = replies[index] ?? null;
      if (reply instanceof Error) continue; // of another type for a while, or still loading
      for (const [id, key] of rows(reply)) this.#history(stream).add(id, key);
    }
  }

  #look(stream: string): string[] {
    const { last } = this.#history(stream);
    return ['XRANGE', stream, last === undefined ? '-' : `(${last}`, '+'];
  }

  #history(stream: string): History {
    const history = this.histories.get(stream);
    if (history === undefined) throw new Error(`${stream} is not read`);
    return history;
  }

  #connected(): RespClient {
    if (this.#connection === undefined || this.#connection.closed) this.#connection = this.#connect();
    return this.#connection;
  }

  #leave(): void {
    this.#connection?.close();
    this.#connection = undefined;
  }

  #alone<T>(task: () => Promise<T>): Promise<T> {
    const run = this.#turn.then(async () => {
      this.#busy = true;
      try {
        return await task();
      } finally {
        this.#busy = false;
      }
    });
    this.#turn = run.catch(() => undefined); // whoever asked is told
    return run;
  }
}

/** Starts to read; ends with its owner. */
export function startTruth(
  owner: Owner,
  streams: readonly string[],
  connect: () => RespClient,
  journal: Journal,
): TruthReader {
  const truth = new TruthReader(streams, connect, journal);
  owner.after(() => truth.close());
  return truth;
}

/** What was acknowledged and is nowhere now existed before. */
function addLost(history: History, left: readonly Row[], told: readonly Intent[]): void {
  const there = new Set(left.map(([id]) => id));
  for (const { id, key } of told) {
    if (id !== undefined && !there.has(id) && !history.has(key, id)) history.add(id, key);
  }
}

/** What is left decides whether history has forked, and where. */
function compare(history: History, left: readonly Row[], at: number, forks: boolean): void {
  const { entries, removed } = history.current;
  const [first] = left;
  const from = first === undefined ? removed : entries.findIndex(({ id, key }) => id === first[0] && key === first[1]);
  const common = from === -1 ? 0 : run(entries.slice(from), left);
  const kept = from === -1 ? 0 : from + common;
  if (forks || kept < entries.length) {
    history.breakAt(kept, at);
    history.current.removed = Math.max(0, from);
  }
  for (const [id, key] of left.slice(common)) history.add(id, key);
}

function run(entries: readonly { id: string; key: string }[], left: readonly Row[]): number {
  const end = left.findIndex(([id, key], index) => entries[index]?.id !== id || entries[index]?.key !== key);
  return end === -1 ? Math.min(left.length, entries.length) : end;
}

/** The entries of an XRANGE reply. */
function rows(reply: Reply): Row[] {
  if (reply instanceof Error) throw reply;
  if (!Array.isArray(reply)) return [];
  return reply.map((entry) => {
    const [id, fields] = Array.isArray(entry) ? entry : [];
    const data = Array.isArray(fields) ? fields[fields.indexOf('data') + 1] : undefined;
    return [String(id), readPayload(String(data))?.key ?? `foreign ${String(id)}`];
  });
}
