/** How `tail` writes an event to stdout. */
import type { ChannelEvent } from '../client/envelope.ts';
import { coloured, jsonText, type Output, printable } from './terminal.ts';

/** Turns an event that came at `wall` (Unix milliseconds) into text that ends with a line end. */
export type EventFormat = (event: ChannelEvent, wall: number) => string;

/** `named`: each event says on which channel it came; JSON always does. */
interface FormatOptions {
  readonly json: boolean;
  readonly named: boolean;
  readonly stream: Output;
}

/**
 * For `json` one object a line; else readable lines on a terminal, and in a pipe the data as it is, with a line end
 * after each event, or each line of it behind the channel and a tab.
 */
export function eventFormat({ json, named, stream }: FormatOptions): EventFormat {
  if (json) return jsonLine;
  if (stream.isTTY === true) return (event, wall) => readableLines(event, wall, named, stream);
  return named ? namedLines : ({ data }) => `${data}\n`;
}

/** `id` is the cursor after the event, what `--last-event-id` takes; null where the stream has none. */
function jsonLine({ channel, type, data, lastEventId }: ChannelEvent, wall: number): string {
  const id = lastEventId === '' ? null : lastEventId;
  const time = new Date(wall).toISOString();
  return `${jsonText({ channel: channel ?? null, event: type, id, data, time })}\n`;
}

/** No channel has a tab in its name. */
function namedLines({ channel, data }: ChannelEvent): string {
  const lines = data.split('\n').map((line) => `${channel ?? NO_CHANNEL}\t${line}\n`);
  return lines.join('');
}

/** Stands where an event is about all channels. */
const NO_CHANNEL = '-';

/** `14:03:07.123  message  data`; the further lines of the data stand below its first. */
function readableLines({ channel, type, data }: ChannelEvent, wall: number, named: boolean, stream: Output): string {
  const time = timeOfDay(new Date(wall));
  const name = printable(type).replace(/[\n\t]/g, ' ');
  const from = named ? printable(channel ?? NO_CHANNEL) : undefined;
  const head = [
    coloured('dim', time, stream),
    ...(from === undefined ? [] : [coloured('green', from, stream)]),
    coloured('cyan', name, stream),
  ];
  const width = [time, from, name].reduce((sum, part) => (part === undefined ? sum : sum + part.length + 2), 0);
  const text = printable(data).replaceAll('\n', `\n${' '.repeat(width)}`);
  return `${head.join('  ')}  ${text}\n`;
}

/** Local time with milliseconds. */
function timeOfDay(date: Date): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  const ms = String(date.getMilliseconds()).padStart(3, '0');
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${ms}`;
}
