/** What became of the messages that were sent: taken, refused, or nobody knows. */

export class Account {
  /** Messages of which the answer says that they were taken. */
  acknowledged = 0;
  /** Messages that were certainly not taken. */
  refused = 0;
  /** Messages whose answer was lost: they may have been taken. */
  unanswered = 0;
  /** Why the first one was refused or lost, for people; may hold text from outside. */
  problem: string | undefined;
  readonly #refusedOn = new Map<number, number>();

  /** A message of a line was certainly not taken. */
  refuse(line: number, why: string): void {
    this.refused += 1;
    this.#refusedOn.set(line, this.refusedOn(line) + 1);
    this.problem ??= why;
  }

  /** Nobody knows what became of a message. */
  lose(why: string): void {
    this.unanswered += 1;
    this.problem ??= why;
  }

  /** Messages of a line that nobody can have been sent. */
  refusedOn(line: number): number {
    return this.#refusedOn.get(line) ?? 0;
  }
}
