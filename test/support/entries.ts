/** What tests of Redis streams and keys have in common: a configuration, numbered entries, and how things look in Redis. */
import assert from 'node:assert/strict';
import { gapData } from './gateway-events.ts';
import type { RedisServer } from './redis.ts';
import type { RespClient } from './resp.ts';
import type { ReceivedEvent } from './sse-reader.ts';

/** A configuration that lets everybody do everything; `channels` are lines of YAML, `more` other top-level keys. */
export function openConfig(redis: RedisServer | string, channels: readonly string[], more = ''): string {
  const url = typeof redis === 'string' ? redis : redis.url;
  const lines = channels.map((line) => `  ${line}\n`).join('');
  return `redis: "${url}"\nallow: {subscribe: ["*"], publish: ["*"], admin: true}\n${more}channels:\n${lines}`;
}

/** XADD of an entry with `data`, and more fields as they follow; settles with its id. */
export async function addEntry(
  client: RespClient,
  stream: string,
  data: string,
  id = '*',
  more: readonly string[] = [],
): Promise<string> {
  return String(await client.command('XADD', stream, id, 'data', data, ...more));
}

/** The commands that add the entries `first-0` to `last-0`, each with its number as data. */
export function numberedEntries(stream: string, first: number, last: number): string[][] {
  return range(first, last).map((number) => ['XADD', stream, `${number}-0`, 'data', `${number}`]);
}

/** Adds the entries `first-0` to `last-0`, each with its number as data. */
export async function addNumbered(client: RespClient, stream: string, first: number, last: number): Promise<void> {
  await run(client, numberedEntries(stream, first, last));
}

/** Sends the commands in one write; an error reply rejects. */
export async function run(client: RespClient, commands: readonly string[][]): Promise<void> {
  for (const reply of await client.pipeline(commands)) if (reply instanceof Error) throw reply;
}

/** Sends the commands as one transaction, so that nobody sees what is in between. */
export function atomically(client: RespClient, commands: readonly string[][]): Promise<void> {
  return run(client, [['MULTI'], ...commands, ['EXEC']]);
}

/** The data of events in their order. */
export function dataOf(events: readonly ReceivedEvent[]): string[] {
  return events.map((event) => event.data);
}

/** The numbers from `first` to `last`, as text. */
export function numbers(first: number, last: number): string[] {
  return range(first, last).map(String);
}

/** Asserts a gap of `channel` for `reason`; gives what else it says. */
export function assertGap(
  event: ReceivedEvent | undefined,
  channel: string,
  reason: string,
): { readonly after: string | null; readonly lost: number | null } {
  assert.ok(event !== undefined, `no event where a gap "${reason}" was due`);
  const { after, lost, ...gap } = gapData(event);
  assert.deepEqual(gap, { channel, reason }, event.data);
  return { after, lost };
}

/** Asserts the end of `channel`. */
export function assertEnd(event: ReceivedEvent | undefined, channel: string, reason = 'ended'): void {
  assert.equal(event?.type, 'gateway.end', JSON.stringify(event));
  assert.deepEqual(JSON.parse(event?.data ?? ''), { channel, reason });
}

/** How often Redis has run each command, by its name in lower case. */
export async function commandCalls(client: RespClient): Promise<ReadonlyMap<string, number>> {
  const text = String(await client.command('INFO', 'commandstats'));
  const lines = [...text.matchAll(/cmdstat_([^:]+):calls=(\d+)/g)];
  return new Map(lines.map(([, name = '', calls = '0']) => [name, Number(calls)]));
}

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}
