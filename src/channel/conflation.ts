/** Conflation: which events of a channel replace each other, so that only the newest of each is kept. */
import { createHash } from 'node:crypto';
import { isJson, jsonMembers } from './json-members.ts';

/**
 * `true`: every event replaces the one before. With `key` an event replaces the last one that has the same value in this
 * member of its JSON data, such as `symbol`; `quote.symbol` is looked for inside the member `quote` too.
 */
export type Conflation = true | { readonly key: string };

/** The key of all data that has none of its own. No JSON text is empty, so no value of a member can be taken for it. */
export const SHARED_KEY = '';

/** Objects of more members have no key: taking one apart must not keep everybody else waiting. */
const MOST_MEMBERS = 1024;

/** Longer keys are kept as a digest, so that what a publisher sends as a key does not decide how much memory keys take. */
const LONGEST_KEY = 128;

/**
 * Events of a channel with the same key replace each other. The key is the value of the member as JSON text: strings are
 * equal by value, however they are escaped; anything else is equal only as it was written, so `1` and `1.0` are two keys
 * and `1` and `"1"` as well. Data that is no JSON object or lacks the member, and an end without data, have SHARED_KEY.
 */
export function conflationKey(conflation: Conflation, data: Buffer | undefined): string {
  if (conflation === true || data === undefined) return SHARED_KEY;
  const text = data.toString();
  const value = valueAt(text, conflation.key);
  return value === undefined || !isJson(text) ? SHARED_KEY : keyOf(value);
}

/** A member by its whole name, else by the way that the dots in it show. */
function valueAt(text: string, path: string): string | undefined {
  const members = jsonMembers(text, MOST_MEMBERS);
  const dot = path.indexOf('.');
  if (members === undefined || members.has(path) || dot === -1) return members?.get(path);
  const outer = members.get(path.slice(0, dot));
  return outer === undefined ? undefined : valueAt(outer, path.slice(dot + 1));
}

/** A text of its own: a part of the data would keep all of the data in memory for as long as the key lives. */
function keyOf(json: string): string {
  const key = json.startsWith('"') ? JSON.stringify(JSON.parse(json)) : Buffer.from(json).toString();
  // No JSON text begins with this sign, so a digest is never taken for a value.
  return key.length <= LONGEST_KEY ? key : `#${createHash('sha256').update(key).digest('base64')}`;
}
