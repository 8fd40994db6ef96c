/** The gateway's own events, taken apart and checked for their shape. */
import assert from 'node:assert/strict';
import type { ReceivedEvent } from './sse-reader.ts';

/** What `gateway.open` says. */
export interface OpenData {
  readonly channels: readonly string[];
  readonly resumed: boolean;
  readonly pending: readonly string[];
}

/** What `gateway.gap` says. */
export interface GapData {
  readonly channel: string;
  readonly reason: string;
  readonly after: string | null;
  readonly lost: number | null;
}

/** The data of `gateway.open`; `pending` is empty where it is left out. */
export function openData(event: ReceivedEvent): OpenData {
  assert.equal(event.type, 'gateway.open', JSON.stringify(event));
  const { channels, resumed, pending = [], ...more } = parseObject(event.data);
  assert.deepEqual(more, {});
  assert.ok(isStrings(channels) && typeof resumed === 'boolean' && isStrings(pending), event.data);
  return { channels, resumed, pending };
}

/** The data of `gateway.gap`. */
export function gapData(event: ReceivedEvent): GapData {
  assert.equal(event.type, 'gateway.gap', JSON.stringify(event));
  const { channel, reason, after, lost, ...more } = parseObject(event.data);
  assert.deepEqual(more, {});
  assert.ok(typeof channel === 'string' && typeof reason === 'string', event.data);
  assert.ok(after === null || typeof after === 'string', event.data);
  assert.ok(lost === null || typeof lost === 'number', event.data);
  return { channel, reason, after, lost };
}

/** Whether an event is one that a publisher sent. */
export function isPublished(event: ReceivedEvent): boolean {
  return !event.type.startsWith('gateway.');
}

/** A JSON object as a record. */
export function parseObject(text: string): Record<string, unknown> {
  const value: unknown = JSON.parse(text);
  assert.ok(typeof value === 'object' && value !== null && !Array.isArray(value), text);
  return { ...value };
}

function isStrings(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'string');
}
