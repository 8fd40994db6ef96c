/** What travels through the gateway: a message until its log numbers it, an event from then on. */

/** What a source heard, not yet numbered. */
export interface Message {
  /** The data as bytes; absent only in a message that does nothing but end its channel. */
  readonly data?: Buffer;
  /** The SSE event type; absent means `message`. */
  readonly type?: string;
  /** The publisher's own id; it is not a position. */
  readonly id?: string;
  /** True where this message ends its channel. */
  readonly end?: boolean;
}

/** Types that begin with this are the gateway's own: refused from publishers. */
export const RESERVED_TYPE_PREFIX = 'gateway.';

/** The longest event type or publisher's id, in bytes of UTF-8. */
export const MAX_FIELD_BYTES = 255;

/** Why continuity cannot be proved at a place in a stream; clients read these in `gateway.gap`. */
export type GapReason =
  | 'restarted'
  | 'unknown-position'
  | 'trimmed'
  | 'too-slow'
  | 'source-lost'
  | 'reset'
  | 'rolled-back'
  | 'source-error'
  | 'too-large';

/** The data of a `gateway.gap` event. */
export interface Gap {
  readonly channel: string;
  readonly reason: GapReason;
  /** The last position known to be whole, as text; null where there is none. */
  readonly after: string | null;
  /** How many events are missing, where that can be known. */
  readonly lost: number | null;
}

/** What makes a field unfit for the wire, as a sentence; undefined where it is fine. */
export function fieldProblem(name: 'type' | 'id', value: string): string | undefined {
  if (/[\r\n\0]/.test(value)) return `the event ${name} has a line end or NUL in it`;
  if (Buffer.byteLength(value) > MAX_FIELD_BYTES) return `the event ${name} is longer than ${MAX_FIELD_BYTES} bytes`;
  if (name === 'type' && value.startsWith(RESERVED_TYPE_PREFIX)) {
    return `event types that begin with "${RESERVED_TYPE_PREFIX}" are the gateway's own`;
  }
  return undefined;
}
