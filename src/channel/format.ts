/** Formats: how a payload that a source heard becomes a message. */
import { isUtf8 } from 'node:buffer';
import { UsageError } from '../errors.ts';
import { fieldProblem, type Message } from '../event.ts';
import { isJson, jsonMembers } from './json-members.ts';

/** `text`: the payload is the data. `envelope`: a JSON object that holds data, type, id and end (flask-sse). */
export type Format = 'text' | 'envelope';

/** What was left out of a message, or why a payload was taken as it is. Counted, never a reason to drop it. */
export type Blemish = 'not-an-envelope' | 'type-left-out' | 'id-left-out';

/** A message, and what was wrong with it. */
export interface Decoded {
  readonly message: Message;
  readonly blemishes: readonly Blemish[];
}

const NONE: readonly Blemish[] = [];
/** Whether a value of `end`, as JSON text, ends the channel. */
export function isEnd(json: string | undefined): boolean {
  return json === 'true' || json === '1' || json === '"1"' || json === '"true"';
}

/** Reads a payload. Anything that is no envelope is itself the data. */
export function decode(format: Format, payload: Buffer): Decoded {
  if (format === 'text') return { message: { data: payload }, blemishes: NONE };
  const text = payload.toString();
  const found = jsonMembers(text);
  const members = found !== undefined && isJson(text) ? found : undefined;
  const data = members?.get('data');
  const end = isEnd(members?.get('end'));
  if (members === undefined || (data === undefined && !end)) {
    return { message: { data: payload }, blemishes: ['not-an-envelope'] };
  }
  const blemishes: Blemish[] = [];
  const type = field('type', members.get('event') ?? members.get('type'), blemishes);
  const id = field('id', members.get('id'), blemishes);
  const message: Message = {
    ...(data !== undefined && { data: textOf(data) }),
    ...(type !== undefined && { type }),
    ...(id !== undefined && { id }),
    ...(end && { end }),
  };
  return { message, blemishes };
}

/** The payload that a message is written as, to be read back by the same format. Throws UsageError where it cannot be. */
export function compose(format: Format, message: Message): Buffer {
  const { data, type, id, end } = message;
  if (format === 'text') return data ?? Buffer.alloc(0);
  if (data !== undefined && !isUtf8(data)) {
    throw new UsageError('an envelope is text, and the data is not UTF-8', { hint: 'format: text carries any bytes' });
  }
  return Buffer.from(JSON.stringify({ data: data?.toString(), event: type, id, ...(end === true && { end }) }));
}

/** A string is the data itself; anything else is the JSON text that was sent. */
function textOf(json: string): Buffer {
  return Buffer.from(json.startsWith('"') ? (JSON.parse(json) as string) : json);
}

/** A type or id: a string or a number; null, empty, and what does not fit the wire are left out. */
function field(name: 'type' | 'id', json: string | undefined, blemishes: Blemish[]): string | undefined {
  if (json === undefined || json === 'null' || json === '""') return undefined;
  const text = textOf(json).toString();
  const fits = /^["\d-]/.test(json) && fieldProblem(name, text) === undefined;
  if (fits) return text;
  blemishes.push(name === 'type' ? 'type-left-out' : 'id-left-out');
  return undefined;
}
