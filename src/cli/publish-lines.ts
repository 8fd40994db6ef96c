/** `publish --lines`: each line of stdin is an event, in order, in bounded memory. */
import { systemClock } from '../clock.ts';
import { GatewayError } from '../errors.ts';
import type { Message } from '../event.ts';
import type { Destination, Sent } from './destination.ts';
import { type CommandEnd, endOfError, finish } from './exit.ts';
import type { PublishFlags } from './flags.ts';
import { describeLines } from './line-report.ts';
import { readLines } from './lines.ts';
import { Progress } from './progress.ts';
import { unreadable } from './stdin.ts';
import { jsonText, writeOutput } from './terminal.ts';

/** Lines in one batch at most: a gateway takes 1000. */
const MOST_LINES = 500;
/** How long the answer to what is on its way is waited for after Ctrl-C, in milliseconds. */
const LAST_ANSWER_MS = 1000;

/** Publishes until stdin ends, something fails, or `interrupt` is aborted. */
export async function publishLines(
  destination: Destination,
  flags: PublishFlags,
  interrupt: AbortSignal,
): Promise<CommandEnd> {
  const giveUp = new AbortController();
  interrupt.addEventListener('abort', () => {
    process.stdin.destroy();
    systemClock.after(LAST_ANSWER_MS, () => giveUp.abort());
  });
  const run = new Run(destination, flags, giveUp.signal);
  // Who reads the answers has left: nobody may take that for a stream that was published to its end.
  process.stdout.prependOnceListener('error', ({ message }) => {
    process.exit(finish(run.failed({ exit: 'failed', message: `cannot write to stdout: ${message}` })));
  });
  try {
    for await (const lines of readLines(process.stdin)) {
      for (let at = 0; at < lines.length && !interrupt.aborted; at += MOST_LINES) {
        const end = await run.publish(lines.slice(at, at + MOST_LINES));
        if (end !== undefined) return end;
      }
      if (interrupt.aborted) break;
    }
  } catch (error) {
    // Stdin that was closed at Ctrl-C has no end of its own.
    if (!interrupt.aborted) return run.failed(error instanceof GatewayError ? endOfError(error) : unreadable(error));
  }
  if (interrupt.aborted) return run.interrupted();
  return await run.finished();
}

class Run {
  readonly #destination: Destination;
  readonly #flags: PublishFlags;
  readonly #signal: AbortSignal;
  readonly #progress = new Progress(process.stderr, systemClock.now);
  /** Lines that are acknowledged, without exception. */
  #done = 0;

  constructor(destination: Destination, flags: PublishFlags, signal: AbortSignal) {
    this.#destination = destination;
    this.#flags = flags;
    this.#signal = signal;
  }

  /** Publishes the next lines; gives the end where not all of them are acknowledged. */
  async publish(lines: readonly Buffer[]): Promise<CommandEnd | undefined> {
    const { event } = this.#flags;
    const messages = lines.map((data): Message => ({ data, ...(event === undefined ? {} : { type: event }) }));
    const sent = await this.#destination.publishAll(messages, this.#signal);
    const answers = this.#flags.json === true ? sent.map((one, index) => this.#jsonLine(one, index)).join('') : '';
    const failure = sent.findIndex(({ kind }) => kind === 'failed');
    const end = failure < 0 ? undefined : this.#endOf(sent, failure);
    // Before anything is written: that may fail, and the lines are acknowledged all the same.
    if (end === undefined) this.#done += sent.length;
    if (answers !== '') await writeOutput(answers);
    if (end !== undefined) return end;
    this.#showProgress();
    return undefined;
  }

  /** Stdin has ended: the channel ends with it where that was asked for. */
  async finished(): Promise<CommandEnd> {
    this.#progress.clear();
    if (this.#flags.end === true) {
      const ended = await this.#destination.publish({ end: true }, this.#signal);
      if (ended.kind === 'failed') {
        const message = `all ${this.#done} lines are published, the end of the channel is not: ${ended.end.message}`;
        return { ...ended.end, message };
      }
    }
    if (this.#flags.json !== true) await writeOutput(`lines: ${this.#done}\n`);
    return { exit: 'done' };
  }

  interrupted(): CommandEnd {
    this.#progress.clear();
    return { exit: 'interrupted', message: `interrupted; ${describeLines(this.#done, [])}` };
  }

  /** Stdin or stdout broke. */
  failed(end: CommandEnd): CommandEnd {
    this.#progress.clear();
    return { ...end, message: `${end.message}; ${describeLines(this.#done, [])}` };
  }

  /** Not between the lines of --json, where both are on one terminal. */
  #showProgress(): void {
    if (this.#flags.json !== true || process.stdout.isTTY !== true)
      this.#progress.show(`${this.#done} lines published`);
  }

  #endOf(sent: readonly Sent[], failure: number): CommandEnd {
    this.#progress.clear();
    const report = describeLines(this.#done, sent);
    if (this.#signal.aborted) return { exit: 'interrupted', message: `interrupted; ${report}` };
    const ends = sent.flatMap((one) => (one.kind === 'failed' ? [one.end] : []));
    const end = ends.find(({ exit }) => exit === 'outcome-unknown') ?? ends[0];
    return {
      exit: end?.exit ?? 'failed',
      message: `line ${this.#done + failure + 1}: ${ends[0]?.message}; ${report}`,
      hint: ends[0]?.hint,
    };
  }

  #jsonLine(sent: Sent, index: number): string {
    const line = this.#done + index + 1;
    if (sent.kind === 'published') return `${jsonText({ line, ...sent.answer })}\n`;
    const { exit, message } = sent.end;
    return `${jsonText({ line, error: message, published: exit === 'outcome-unknown' ? null : false })}\n`;
  }
}
