/** What a client is known to have of each of its channels, and who judges what it is given next. */
import type { Position, Replay } from '../../src/position.ts';
import type { GapData } from '../support/gateway-events.ts';
import type { TrueEntry, TruePlace } from '../support/stream-truth.ts';

/** What a client has of a channel; undefined where its id does not say. */
export type Standing =
  | {
      readonly kind: 'stream';
      readonly at: TruePlace | undefined;
      /** A position that no entry ever had, which the client made up. */
      readonly foreign: string | undefined;
      /** A gap was the last that it was told. */
      readonly told: boolean;
    }
  /** `index`: how far the gateway of that epoch had read what the key held. */
  | {
      readonly kind: 'key';
      readonly has: string | undefined;
      /** A position of a value that the key never had, which the client made up. */
      readonly foreign: string | undefined;
      readonly epoch: string;
      readonly index: number;
    }
  | { readonly kind: 'log'; readonly epoch: string; readonly number: number };

/** How a client came. */
export interface Coming {
  /** It brought something, of this channel or not. */
  readonly resumes: boolean;
  readonly has: Standing | undefined;
  /** Everything from here on must come, or be told of: how many entries there were, or the number given out last, then. */
  readonly bound: () => number;
  /** What is wanted first, and what a stream held when it was opened. */
  readonly replay: Replay;
  readonly kept: () => readonly TrueEntry[];
}

/** Judges what a client is given of one channel. `position` is what the event's id says of the channel. */
export interface Judge {
  /** A gap that is told before the stream opens. */
  early(gap: GapData): void;
  open(position: Position | undefined, pending: boolean): void;
  /** A gap in the running stream. */
  gap(gap: GapData, position: Position | undefined): void;
  event(data: string | undefined, position: Position | undefined): void;
  /** Something of another channel. */
  look(position: Position | undefined): void;
  /** Whether it has all there is. */
  readonly complete: boolean;
  readonly standing: Standing | undefined;
}
