/** What sort of log a channel has, and what goes with an event into it. */

/** Why a channel has ended: somebody said so, nothing came for `end_after`, or the configuration names it no more. */
export type EndReason = 'ended' | 'idle' | 'removed';

/** What sort of log a channel has. */
export interface Nature {
  /**
   * An end also holds for those who come later: this process, or the stream itself, would know of a later event. On
   * pub/sub nobody would.
   */
  readonly final: boolean;
  /** Events stand where their stream or key says, not at this process's numbers. */
  readonly own: boolean;
  /** Of each key only the newest event is kept, of at most so many keys; undefined where all are. */
  readonly compact: number | undefined;
}

/** The log of a channel in memory. */
export const MEMORY_LOG: Nature = { final: true, own: false, compact: undefined };

/** Where an event stands beside its number, and by what a compacted log knows it. */
export interface Standing {
  /** Its position as text; only in logs whose events have their own. */
  readonly position?: string | undefined;
  /** The events of a compacted log replace each other by it. */
  readonly key?: string | undefined;
}
