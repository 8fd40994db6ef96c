/** What the checker finds wrong. */

/** Each kind with what it says. */
export const KINDS = {
  lost: 'an entry that Redis still holds was passed over',
  unannounced: 'an entry that is gone was passed over, and no gap stands at that place',
  duplicated: 'an event came twice',
  'out-of-order': 'an event came after a later one',
  foreign: 'an event that nobody wrote to this channel',
  corrupt: 'an event that is not what was written',
  'false-gap': 'a gap where nothing is missing',
  'wrong-gap': 'a gap that is right to be there but says something wrong',
  'wrong-id': 'an id that does not name the place of its event',
  stuck: 'the end was not reached in time',
  slow: 'an event came long after it was written, with nothing in the way',
  odd: 'something that no client should see',
  written: 'a producer was told something that is not so',
} as const;

/** One thing that is wrong. */
export interface Finding {
  readonly kind: keyof typeof KINDS;
  /** The client or producer. */
  readonly who: string;
  readonly channel: string;
  /** When it was seen, in milliseconds of `performance.now`. */
  readonly at: number;
  readonly detail: string;
}

/** One finding a line, at most `limit` of each kind. */
export function describeFindings(findings: readonly Finding[], since: number, limit = 6): string {
  const lines = Object.keys(KINDS).flatMap((kind) => {
    const all = findings.filter((finding) => finding.kind === kind);
    const shown = all.slice(0, limit).map(({ who, channel, at, detail }) => {
      return `${kind}: ${who} on ${channel} at ${((at - since) / 1000).toFixed(2)} s: ${detail}`;
    });
    return all.length > limit ? [...shown, `${kind}: ${all.length - limit} more`] : shown;
  });
  return lines.join('\n');
}
