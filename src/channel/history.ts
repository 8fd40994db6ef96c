/** How much of a log a newcomer may resume to, and the one sum over all logs. */

/** What is kept for newcomers: at most so many events, so old (milliseconds), so many bytes. */
export interface HistoryLimits {
  readonly events: number;
  readonly age: number;
  readonly bytes: number;
}

/** Bytes that all logs of a process hold together, with what each event takes beside its own; each log keeps it up to date. */
export class Held {
  /** Bytes of events within history. */
  history = 0;
  /** Bytes of events beyond history that a connected subscriber has not passed yet. */
  window = 0;
}
