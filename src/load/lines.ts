/**
 * The lines: numbered sequences of messages, each to one channel.
 *
 * A channel has the same number of lines as any other, its slots: the line in slot s of S sends s, s + S, s + 2S ..., so
 * that a number alone tells a stream which of its lines sent it. A channel that all streams follow has one slot more.
 */

/** One sequence. */
export interface Line {
  readonly channel: string;
  readonly slot: number;
  /** How many streams have each of its messages. */
  readonly audience: number;
}

/** All lines of a load, and who has which. */
export interface Lines {
  readonly all: readonly Line[];
  /** How many slots there are, the shared one counted. */
  readonly slots: number;
  /** The line that all streams have beside their own, as its place in `all`; absent where there is none. */
  readonly shared?: number;
  /** The channels that a stream follows. */
  readonly channelsOf: (stream: number) => readonly string[];
  /** The place in `all` of the line that a stream has in a slot. */
  readonly lineOf: (stream: number, slot: number) => number;
}
