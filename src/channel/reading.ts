/** How a channel reads what its source gives: format, type and encoding, in that order. */
import { fieldProblem, type Message } from '../event.ts';
import { composeFields, decodeEntry, type EntryFields, USUAL_FIELDS } from './entry-fields.ts';
import { type Blemish, type Decoded, decode, type Format } from './format.ts';

/** How data is carried where it must be exact: as it is, as a JSON string, or in base64. */
export type Encode = 'none' | 'json' | 'base64';

/** A channel's way of reading. */
export interface Reading {
  readonly format: Format;
  readonly encode: Encode;
  /** The type of messages that bring none, for the name they were published under; undefined for `message`. */
  readonly typeOf: ((from: string) => string) | undefined;
  /** The names of an entry's fields; undefined where the channel reads no stream. */
  readonly fields?: EntryFields | undefined;
}

/** A message that is ready for the log, and what was left out of it. */
export interface Read {
  readonly message: Message;
  readonly blemishes: readonly Blemish[];
  /** Its data before it was encoded. */
  readonly data: Buffer | undefined;
}

/** Reads a payload that was published under `from`. */
export function readPayload(reading: Reading, payload: Buffer, from: string): Read {
  return finished(reading, decode(reading.format, payload), from);
}

/** Reads an entry of the stream `from`; `fields` are name, value, name, value. */
export function readEntry(reading: Reading, fields: readonly Buffer[], from: string): Read {
  return finished(reading, decodeEntry(reading.fields ?? USUAL_FIELDS, reading.format, fields), from);
}

/** The fields to write a message as, to be read back as the same. Throws UsageError where an envelope cannot carry it. */
export function composeEntry(reading: Reading, message: Message): (string | Buffer)[] {
  return composeFields(reading.fields ?? USUAL_FIELDS, reading.format, message);
}

function finished(reading: Reading, { message, blemishes }: Decoded, from: string): Read {
  return { message: finish(reading, message, from), blemishes, data: message.data };
}

/** Gives a message the channel's default type and its encoding. */
export function finish(reading: Reading, message: Message, from: string): Message {
  const { encode, typeOf } = reading;
  if (encode === 'none' && (typeOf === undefined || message.type !== undefined)) return message;
  const type = message.type ?? defaultType(typeOf, from);
  return {
    ...message,
    ...(message.data !== undefined && { data: encoded(encode, message.data) }),
    ...(type !== undefined && { type }),
  };
}

/** A name that cannot be a type, such as one that is too long, leaves the type out. */
function defaultType(typeOf: Reading['typeOf'], from: string): string | undefined {
  const type = typeOf?.(from);
  return type === undefined || type === '' || fieldProblem('type', type) !== undefined ? undefined : type;
}

function encoded(encode: Encode, data: Buffer): Buffer {
  switch (encode) {
    case 'none':
      return data;
    case 'json':
      return Buffer.from(JSON.stringify(data.toString()));
    case 'base64':
      return Buffer.from(data.toString('base64'), 'latin1');
    default:
      return encode satisfies never;
  }
}
