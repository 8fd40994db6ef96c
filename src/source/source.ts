/** What every source is to the hub: messages in, publishing out, and an honest word on whether it hears anything. */
import type { GapReason, Message } from '../event.ts';
import type { Replay, StreamPosition } from '../position.ts';

/** What a channel reads in its source. The source gives the same object back with all that it hears of it. */
export interface Feed {
  readonly kind: 'memory' | 'pubsub' | 'pattern' | 'stream' | 'key';
  /** In the source's own words, without its prefix. */
  readonly name: string;
}

/** What a source heard: bytes, and where a feed is more than one name, under which. */
export interface Payload {
  readonly data: Buffer;
  /** The name it was published under, without the source's prefix. */
  readonly from: string;
}

/** An entry of a stream. */
export interface StreamEntry {
  /** Such as `1700000000000-0`. */
  readonly id: string;
  /** Name, value, name, value, as they stand in Redis. */
  readonly fields: readonly Buffer[];
}

/** A place where continuity could not be proved. */
export interface Break {
  readonly reason: GapReason;
  /** How many are missing; null where that cannot be known. */
  readonly lost: number | null;
  /** What the reader goes on from; undefined where its place is not moved. */
  readonly at: StreamPosition | undefined;
}

/** What a stream was found to be when it was first looked at: what is read from then on comes after `last`. */
export interface StreamState {
  /** The last id that the stream has given out; `0-0` for a stream that was never written to. */
  readonly last: string;
  /** The newest entry; undefined where there is none. */
  readonly newest: StreamEntry | undefined;
  /** Milliseconds since the newest entry was added, by the server's clock. */
  readonly age: number | undefined;
}

/** What a key holds: its value, or nothing. */
export interface KeyValue {
  /** Tells one value from another on every gateway; `0` where there is none. */
  readonly digest: string;
  readonly data: Buffer | undefined;
}

/** A part of a stream, read with its proof. */
export interface StreamPage {
  /** Comes before the entries. */
  readonly gap: Break | undefined;
  readonly entries: readonly StreamEntry[];
  /** Whether the stream has more behind these. */
  readonly more: boolean;
}

/** What a source tells. Calls for one feed come in the order in which the source heard them. */
export interface SourceListener {
  /** A payload of a followed feed, still to be read by the channel's format. */
  payload(feed: Feed, payload: Payload): void;
  /** A message that entered in this process. Gives the number that its event got; undefined where nobody follows. */
  message(feed: Feed, message: Message): number | undefined;
  /** What comes next in a stream: directly behind what was told before, or behind its `state`. */
  entries(feed: Feed, entries: readonly StreamEntry[]): void;
  /** What a key holds now. Told when it is first read, and whenever it may have changed. */
  value(feed: Feed, value: KeyValue): void;
  /** Continuity of a stream, or the reading of a key or stream, is broken here. */
  broken(feed: Feed, gap: Break): void;
  /**
   * Whether this entry of a stream was told, or what was told begins directly behind it: what both sides still know
   * after a fail-over, when another entry may have the same id. Undefined where all that is known is newer.
   */
  knows(feed: Feed, entry: StreamEntry): boolean | undefined;
  /**
   * From here on every message of the feed is heard: once for each follow, and again on each new link. `state` comes
   * with the first of a stream. Of a key its `value` was told before.
   */
  confirmed(feed: Feed, state?: StreamState): void;
  /** The source refuses to be read at this feed, such as for want of rights; it is asked again later. */
  refused(feed: Feed): void;
  /** The feed is not heard any more: what is published until the next confirmation may be missed, or comes with it. */
  lost(feed: Feed): void;
}

/** The answer to a publish: the event's number, its position as text, or how many listeners the source says it reached. */
export type Receipt =
  | { readonly kind: 'event'; readonly number: number; readonly duplicate?: true }
  | { readonly kind: 'position'; readonly position: string; readonly duplicate?: true }
  | { readonly kind: 'receivers'; readonly receivers: number };

/** By what a repeated publish is known: the publisher's key, what was published, and for how long, in milliseconds. */
export interface Once {
  readonly key: string;
  readonly fingerprint: string;
  readonly keep: number;
}

/** How an entry is written to a stream. */
export interface EntryWriting {
  /** Name, value, name, value. */
  readonly fields: readonly (string | Buffer)[];
  /** About how many entries the stream keeps; 0 for all. */
  readonly maxlen: number;
  /** Milliseconds after which the stream is gone where nothing more is written; 0 for never. */
  readonly expire: number;
}

/** What goes with a publish beside its message. */
export interface Writing {
  /** Only for sources and feeds that can recognise a repeat: memory and streams. */
  readonly once?: Once | undefined;
  /** Given for streams, which carry these fields instead of the message. */
  readonly entry?: EntryWriting | undefined;
}

/** Whether a source can be heard; `detail` says why not. */
export interface SourceStatus {
  readonly up: boolean;
  readonly detail: string | undefined;
}

/** A source of messages. Feeds are its own names: what is asked of it is already resolved. */
export interface Source {
  readonly name: string;
  start(listener: SourceListener): void;
  stop(): void;
  status(): SourceStatus;
  /** Begins to read a feed; `confirmed` follows. */
  follow(feed: Feed): void;
  /** Stops reading a feed. */
  unfollow(feed: Feed): void;
  /** Stops taking messages in until `resume`: what comes meanwhile waits at the source. */
  pause(): void;
  resume(): void;
  /**
   * Reads a stream on from a position, one page of about 256 KiB, with its proof. Rejects with SourceDownError. Only for
   * feeds of kind `stream`, whether they are followed or not.
   */
  page?(feed: Feed, from: StreamPosition): Promise<StreamPage>;
  /**
   * Reads a key that is followed once more; resolves once what it holds was told, by a read that began after this call.
   * False where the link went before. Without it what was told is always what it holds.
   */
  readAgain?(feed: Feed): Promise<boolean>;
  /** Finds where a newcomer begins in a stream. Rejects with SourceDownError. */
  startOf?(feed: Feed, start: Replay): Promise<StreamPosition>;
  /**
   * Writes a message to a feed. A source that carries bytes alone takes its `data`. Throws SourceDownError where nothing
   * was written, OutcomeUnknownError where the answer was lost, ConflictError where the key was used for something else.
   */
  publish(feed: Feed, message: Message, writing?: Writing): Promise<Receipt>;
}
