/** Redis's glob patterns: `*`, `?`, `[abc]`, `[a-z]`, `[^abc]`, and `\` before what is meant as it stands. */
import type { Refusal } from './parsed.ts';

/** What is wrong with a pattern, its variables still in it; undefined where nothing is. */
export function globProblem(pattern: string): Refusal | undefined {
  const outside = pattern.replaceAll(ESCAPED, '').replaceAll(CLASS, '');
  if (outside.includes('\\')) return { problem: 'a \\ at the end stands before nothing', hint: 'take it out' };
  if (outside.includes('[')) return { problem: 'a [ is not closed', hint: 'add the ], or write \\[ for a [ itself' };
  const classes = pattern.replaceAll(ESCAPED, '').match(CLASS) ?? [];
  if (classes.some((one) => /^\[\^?\]$/.test(one)))
    return { problem: 'nothing stands between [ and ], so it matches nothing', hint: 'write \\[ for a [ itself' };
  // A value such as a-z would become a range there, and what a client types must never widen a pattern.
  return classes.some((one) => one.includes('{')) || /\\\{/.test(pattern)
    ? { problem: 'a variable cannot stand within [ ] or after a \\', hint: 'put it outside of them' }
    : undefined;
}

/** True where the pattern matches more than one name. */
export function isGlob(pattern: string): boolean {
  return /[*?[]/.test(pattern.replaceAll(ESCAPED, ''));
}

/** The characters that make a name a pattern. */
export const GLOB_CHARACTERS = /[*?[\]\\]/;

const ESCAPED = /\\[^{]/gs;
const CLASS = /\[[^\]]*\]/g;
