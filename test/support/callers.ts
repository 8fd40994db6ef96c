/** Clients that connect again and again, as fast as they are answered: whoever is refused or reset by a port is seen here. */
import { connect } from 'node:net';
import type { Owner } from './owner.ts';
import { DEADLINE_MS, Watch } from './wait.ts';

const REQUEST = 'GET /events/news HTTP/1.1\r\nHost: localhost\r\n\r\n';

/** Asks for a stream, reads the beginning of the answer, hangs up, and asks again. */
export class Callers {
  answered = 0;
  /** What became of a call that was not answered with 200, by how often. */
  readonly failures = new Map<string, number>();
  readonly #where: { readonly port: number; readonly host: string } | { readonly path: string };
  readonly #watch = new Watch();
  #calling = true;

  constructor(where: { readonly port: number } | { readonly path: string }, lanes: number) {
    this.#where = 'port' in where ? { ...where, host: '127.0.0.1' } : where;
    for (let lane = 0; lane < lanes; lane += 1) this.#call();
  }

  /** Settles when `count` more calls than now are answered or failed. */
  async more(count: number, deadlineMs: number = DEADLINE_MS): Promise<void> {
    const wanted = this.#done + count;
    await this.#watch.until(
      () => `${wanted} calls, of which there were ${this.#done}: ${this.#summary()}`,
      () => this.#done >= wanted,
      deadlineMs,
    );
  }

  stop(): void {
    this.#calling = false;
  }

  get #done(): number {
    return this.answered + [...this.failures.values()].reduce((sum, count) => sum + count, 0);
  }

  #summary(): string {
    return JSON.stringify([...this.failures]);
  }

  #call(): void {
    if (!this.#calling) return;
    let outcome = 'closed without an answer';
    const socket = connect(this.#where, () => socket.write(REQUEST));
    socket.once('data', (bytes) => {
      outcome = bytes.toString('latin1').split('\r\n', 1)[0] ?? '';
      socket.destroy();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      outcome = error.code ?? error.message;
    });
    socket.on('close', () => {
      if (outcome === 'HTTP/1.1 200 OK') this.answered += 1;
      else this.failures.set(outcome, (this.failures.get(outcome) ?? 0) + 1);
      this.#watch.changed();
      setImmediate(() => this.#call());
    });
  }
}

/** Callers that hang up with their owner. */
export function startCallers(
  owner: Owner,
  where: { readonly port: number } | { readonly path: string },
  lanes = 8,
): Callers {
  const callers = new Callers(where, lanes);
  owner.after(() => callers.stop());
  return callers;
}
