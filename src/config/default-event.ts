/** The event type of a channel's messages that bring none: text with `{feed}` and the variables of the channel's name. */
import { nearest } from './nearest.ts';
import type { Parsed } from './parsed.ts';
import { expand, type Part, parseParts, type Variables } from './template.ts';

/** Stands for the name that a message was published under. */
const FEED = 'feed';

/** Reads the type; `variables` are those of the channel's name. */
export function parseEventType(text: string, variables: readonly string[]): Parsed<readonly Part[]> {
  const parts = parseParts(text);
  if (parts.value === undefined) return parts;
  const used = parts.value.flatMap((part) => ('variable' in part ? [part.variable] : []));
  if (used.includes(FEED) && variables.includes(FEED)) {
    const problem = "{feed} is the name that was published under, and the channel's name has a variable {feed} too";
    return { problem, hint: 'give that variable another name' };
  }
  const known = [FEED, ...variables];
  const unknown = used.find((name) => !known.includes(name));
  if (unknown === undefined) return parts;
  const meant = nearest(unknown, known);
  const hint =
    meant === undefined ? `there is ${known.map((name) => `{${name}}`).join(', ')}` : `did you mean {${meant}}?`;
  return { problem: `the channel's name has no variable {${unknown}}`, hint };
}

/** The type for each name that was published under; undefined where the channel has none. */
export function eventTypeOf(type: readonly Part[], variables: Variables): ((from: string) => string) | undefined {
  if (type.length === 0) return undefined;
  if (!type.some((part) => 'variable' in part && part.variable === FEED && !variables.has(FEED))) {
    const fixed = expand(type, variables);
    return () => fixed;
  }
  return (from) => expand(type, new Map([...variables, [FEED, from]]));
}
