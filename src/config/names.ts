/** Channel names: which characters they have, and which are kept from the catch-all. */

/** What one character of a channel name may be, for use at the end inside `[...]` of a regular expression. */
export const NAME_CHARACTERS = 'A-Za-z0-9_.:@~|+=-';

/** The longest channel name, in characters; all of them are ASCII. */
export const MAX_NAME_LENGTH = 255;

/** Names that begin with this are Redis's own (`__keyspace@0__:...`): no variable and no `"*"` ever matches their beginning. */
export const RESERVED_PREFIX = '__';

const NAME = new RegExp(`^[${NAME_CHARACTERS}]{1,${MAX_NAME_LENGTH}}$`);
const FOREIGN = new RegExp(`[^${NAME_CHARACTERS}]`, 'u');

/** True for what may be the name of a channel. */
export function isChannelName(text: string): boolean {
  return NAME.test(text);
}

/** What keeps the text from being a channel name, as a sentence; undefined where nothing does. */
export function channelNameProblem(text: string): string | undefined {
  if (text === '') return 'a channel name has at least one character';
  const foreign = FOREIGN.exec(text)?.[0];
  if (foreign !== undefined)
    return `a channel name cannot have ${showCharacter(foreign)} in it, only letters, digits and _ . : @ ~ | + = -`;
  return text.length > MAX_NAME_LENGTH
    ? `a channel name has at most ${MAX_NAME_LENGTH} characters, this one has ${text.length}`
    : undefined;
}

/** A character so that it can be seen: as itself, or as its code point. */
export function showCharacter(character: string): string {
  if (character === ' ') return 'a space';
  const code = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
  return /^[!-~]$/.test(character) ? `"${character}"` : `the character U+${code}`;
}
