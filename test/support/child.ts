/** A process that a test started: what it printed, how it ended, and that it never outlives the test. */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Owner } from './owner.ts';
import { DEADLINE_MS, Watch } from './wait.ts';

/** How a process ended: by itself with a code, or by a signal. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Where and with what a process runs. */
export interface ChildOptions {
  /** The whole environment; nothing is inherited. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** What stdin carries; without it stdin is empty. */
  readonly input?: string;
  /** Leaves stdin open after `input`; default: it ends. */
  readonly interactive?: boolean;
  /** Descriptors of this process that it gets as its own, from 3 on. */
  readonly descriptors?: readonly number[];
}

const living = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of living) child.kill('SIGKILL');
});
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => process.exit(1));

/** A running process with its output so far. */
export class Child {
  readonly process: ChildProcess;
  readonly exited: Promise<Exit>;
  stdout = '';
  stderr = '';
  #exit: Exit | undefined;
  readonly #watch = new Watch();
  readonly #command: string;

  constructor(command: string, args: readonly string[], options: ChildOptions = {}) {
    this.#command = [command, ...args].join(' ');
    const { env = {}, cwd, descriptors = [] } = options;
    const stdio = ['pipe', 'pipe', 'pipe', ...descriptors] as unknown as 'pipe'; // what Node's types cannot say
    const child = spawn(command, args, { env, cwd, stdio });
    this.process = child;
    living.add(child);
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
      this.#watch.changed();
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
      this.#watch.changed();
    });
    child.stdin.on('error', () => undefined); // it may end without reading all of its input
    child.stdin.write(options.input ?? '');
    if (options.interactive !== true) child.stdin.end();
    this.exited = new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code, signal) => {
        living.delete(child);
        this.#exit = { code, signal };
        this.#watch.changed();
        resolve(this.#exit);
      });
    });
  }

  get pid(): number {
    if (this.process.pid === undefined) throw new Error(`did not start: ${this.#command}`);
    return this.process.pid;
  }

  /** The first match in what it prints; rejects where it ends without. */
  printed(stream: 'stdout' | 'stderr', pattern: RegExp, deadlineMs: number = DEADLINE_MS): Promise<RegExpExecArray> {
    return this.#watch.until(
      () => `${pattern} on ${stream} of "${this.#command}", which printed:\n${this.stdout}${this.stderr}`,
      () => {
        const match = pattern.exec(this[stream]);
        if (match === null && this.#exit !== undefined) throw new Error(`${this.#ended()} before ${pattern}`);
        return match ?? undefined;
      },
      deadlineMs,
    );
  }

  /** The first `count` lines of stdout. */
  async lines(count: number, deadlineMs: number = DEADLINE_MS): Promise<string[]> {
    await this.printed('stdout', new RegExp(`^(?:[^\\n]*\\n){${count}}`), deadlineMs);
    return this.stdout.split('\n').slice(0, count);
  }

  /** Writes to a stdin that was left open. */
  say(text: string): void {
    this.process.stdin?.write(text);
  }

  signal(name: NodeJS.Signals): void {
    this.process.kill(name);
  }

  /** How it ends; rejects where it still runs at the deadline. */
  ends(deadlineMs: number = DEADLINE_MS): Promise<Exit> {
    return this.#watch.until(
      () => `the end of "${this.#command}", which printed:\n${this.stdout}${this.stderr}`,
      () => this.#exit,
      deadlineMs,
    );
  }

  /** Ends it without asking; settles when it is gone. */
  async kill(): Promise<void> {
    if (this.#exit !== undefined) return;
    this.process.kill('SIGKILL');
    await this.exited.catch(() => undefined); // a process that never started is gone as well
  }

  #ended(): string {
    return `"${this.#command}" ended with ${this.#exit?.code ?? this.#exit?.signal}: ${this.stdout}${this.stderr}`;
  }
}

/** Starts a process that ends with its owner at the latest. */
export function startChild(owner: Owner, command: string, args: readonly string[], options: ChildOptions = {}): Child {
  const child = new Child(command, args, options);
  child.exited.catch(() => undefined); // whoever waits for it sees the error; an unwatched one is none
  owner.after(() => child.kill());
  return child;
}
