/** The fields of a stream's entry: which of them make an event, and how an event is written as fields. */
import { fieldProblem, type Message } from '../event.ts';
import { type Blemish, compose, type Decoded, decode, type Format } from './format.ts';

/** The names of the fields that mean something. No two are the same. */
export interface EntryFields {
  readonly data: string;
  readonly event: string;
  readonly id: string;
  readonly end: string;
}

/** The names where a channel says nothing else. */
export const USUAL_FIELDS: EntryFields = { data: 'data', event: 'event', id: 'id', end: 'end' };

/**
 * Reads an entry: name, value, name, value. The data field is read by `format`, and what the other three say wins over
 * what an envelope says. An entry without the data field is the whole entry as a JSON object, in its order, each value
 * as a string (bytes that are no UTF-8 become U+FFFD; of a repeated name the last counts); an entry that ends the
 * channel and has nothing but event, id and end carries no data.
 */
export function decodeEntry(names: EntryFields, format: Format, fields: readonly Buffer[]): Decoded {
  const values = valuesOf(fields);
  const blemishes: Blemish[] = [];
  const type = field('type', values.get(names.event), blemishes);
  const id = field('id', values.get(names.id), blemishes);
  const end = isEndText(values.get(names.end)?.toString());
  const payload = values.get(names.data);
  const decoded = payload === undefined ? wholeEntry(names, values, end) : decode(format, payload);
  const message: Message = {
    ...decoded.message,
    ...(type !== undefined && { type }),
    ...(id !== undefined && { id }),
    ...(end && { end }),
  };
  return { message, blemishes: [...decoded.blemishes, ...blemishes] };
}

/**
 * The fields that a message is written as, to be read back by the same names and format. Throws UsageError where an
 * envelope cannot carry the data.
 */
export function composeFields(names: EntryFields, format: Format, message: Message): (string | Buffer)[] {
  const { data, type, id, end } = message;
  // An entry has at least one field, and one without the data field would be sent whole.
  const payload = data ?? (end === true ? undefined : Buffer.alloc(0));
  return [
    ...(payload === undefined ? [] : [names.data, format === 'text' ? payload : compose(format, { data: payload })]),
    ...(type === undefined ? [] : [names.event, type]),
    ...(id === undefined ? [] : [names.id, id]),
    ...(end === true ? [names.end, 'true'] : []),
  ];
}

/** By name, in the order of the entry; names that are no UTF-8 are text with U+FFFD in it. */
function valuesOf(fields: readonly Buffer[]): Map<string, Buffer> {
  const values = new Map<string, Buffer>();
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const [name, value] = [fields[at], fields[at + 1]];
    if (name !== undefined && value !== undefined) values.set(name.toString(), value);
  }
  return values;
}

function isEndText(value: string | undefined): boolean {
  return value === 'true' || value === '1';
}

function wholeEntry(names: EntryFields, values: ReadonlyMap<string, Buffer>, end: boolean): Decoded {
  const signs = [names.event, names.id, names.end];
  if (end && [...values.keys()].every((name) => signs.includes(name))) return { message: {}, blemishes: [] };
  // Not by JSON.stringify of an object, which would put names that are numbers first and lose __proto__.
  const members = [...values].map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value.toString())}`);
  return { message: { data: Buffer.from(`{${members.join(',')}}`) }, blemishes: [] };
}

/** A type or id; empty is none, and what does not fit the wire is left out. */
function field(name: 'type' | 'id', value: Buffer | undefined, blemishes: Blemish[]): string | undefined {
  const text = value?.toString();
  if (text === undefined || text === '') return undefined;
  if (fieldProblem(name, text) === undefined) return text;
  blemishes.push(name === 'type' ? 'type-left-out' : 'id-left-out');
  return undefined;
}
