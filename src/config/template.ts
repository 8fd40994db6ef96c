/**
 * Channel templates such as `chat.{room}` and `logs.{path*}`, and the feeds that their variables are put into.
 *
 * `{var}` is at least one character without `.` and `:`; `{rest*}`, only as the last variable, takes everything allowed.
 * Where two variables share a segment (`{a}-{b}`) the first takes as little as it can. Matching looks for each literal
 * once, from left to right; a literal that is found early only leaves more to the next variable, so nothing is tried twice.
 */
import { channelNameProblem, isChannelName, RESERVED_PREFIX } from './names.ts';
import type { Parsed, Refusal } from './parsed.ts';

/** A run of text, or a variable; `rest` marks the one that takes everything allowed. */
export type Part = { readonly literal: string } | { readonly variable: string; readonly rest: boolean };

/** Values of a template's variables, by name. */
export type Variables = ReadonlyMap<string, string>;

/** A parsed template. No two variables stand side by side. */
export interface Template {
  readonly text: string;
  readonly parts: readonly Part[];
  /** In the order of the text; none for an exact name. */
  readonly variables: readonly string[];
}

/** Reads a channel template. An exact name is a template without variables. */
export function parseTemplate(text: string): Parsed<Template> {
  const parts = splitParts(text);
  if (!Array.isArray(parts)) return parts;
  const variables = parts.flatMap((part) => ('variable' in part ? [part.variable] : []));
  const problem = literalProblem(parts) ?? templateProblem(parts, variables);
  return problem === undefined ? { value: { text, parts, variables } } : { problem };
}

/** The variables with which the template gives the name, or undefined where it does not match. Linear in the name. */
export function matchTemplate(template: Template, name: string): Variables | undefined {
  if (!isChannelName(name)) return undefined;
  if (name.startsWith(RESERVED_PREFIX) && !template.text.startsWith(RESERVED_PREFIX)) return undefined;
  const values = new Map<string, string>();
  let position = 0;
  for (const [index, part] of template.parts.entries()) {
    if ('literal' in part) {
      if (!name.startsWith(part.literal, position)) return undefined;
      position += part.literal.length;
      continue;
    }
    const end = endOfVariable(
      name,
      position,
      template.parts[index + 1],
      part.rest || index + 2 >= template.parts.length,
    );
    if (end <= position) return undefined;
    const value = name.slice(position, end);
    if (!part.rest && /[.:]/.test(value)) return undefined;
    values.set(part.variable, value);
    position = end;
  }
  return position === name.length ? values : undefined;
}

/** Reads text with variables in it, whichever they are. */
export function parseParts(text: string): Parsed<readonly Part[]> {
  const parts = splitParts(text);
  return Array.isArray(parts) ? { value: parts } : parts;
}

/** Reads the feed of a channel: text in which each of the variables occurs at least once. */
export function parseFeed(text: string, variables: readonly string[]): Parsed<readonly Part[]> {
  const parts = splitParts(text);
  if (!Array.isArray(parts)) return parts;
  const used = parts.flatMap((part) => ('variable' in part ? [part.variable] : []));
  const known = variables.map((name) => `{${name}}`).join(', ');
  const unknown = used.find((name) => !variables.includes(name));
  if (unknown !== undefined) {
    return {
      problem: `the channel's name has no variable {${unknown}}`,
      hint: known === '' ? 'an exact name has no variables' : `it has ${known}`,
    };
  }
  const missing = variables.find((name) => !used.includes(name));
  if (missing === undefined) return { value: parts };
  return {
    problem: `{${missing}} does not occur, so different channels would read the same feed`,
    hint: `put {${missing}} into it`,
  };
}

/** The text with the variables' values in it. */
export function expand(parts: readonly Part[], variables: Variables): string {
  return parts.map((part) => ('literal' in part ? part.literal : (variables.get(part.variable) ?? ''))).join('');
}

/** Where the value of a variable that begins at `start` ends; not beyond `start` where it cannot be. */
function endOfVariable(name: string, start: number, next: Part | undefined, last: boolean): number {
  if (next === undefined || !('literal' in next)) return name.length;
  return last ? name.length - next.literal.length : name.indexOf(next.literal, start + 1);
}

function splitParts(text: string): Part[] | Refusal {
  const parts: Part[] = [];
  for (const token of text.match(/\{[^{}]*\}|[{}]|[^{}]+/g) ?? []) {
    if (!/^[{}]/.test(token)) {
      parts.push({ literal: token });
      continue;
    }
    const [, variable, star] = /^\{([A-Za-z_][A-Za-z0-9_]{0,62})(\*?)\}$/.exec(token) ?? [];
    if (variable === undefined) return braceProblem(token);
    parts.push({ variable, rest: star === '*' });
  }
  return parts;
}

function braceProblem(token: string): Refusal {
  if (token === '{' || token === '}')
    return { problem: `a ${token} has no partner`, hint: 'a variable is written {name}' };
  return {
    problem: 'what stands between { and } is not the name of a variable',
    hint: 'a variable is written {name}, or {name*} for everything that is left; names have letters, digits and _',
  };
}

function templateProblem(parts: readonly Part[], variables: readonly string[]): string | undefined {
  const twice = variables.find((name, index) => variables.indexOf(name) !== index);
  if (twice !== undefined) return `the variable {${twice}} occurs twice`;
  const last = variables.at(-1);
  for (const [index, part] of parts.entries()) {
    if ('literal' in part) continue;
    if (part.rest && part.variable !== last)
      return `{${part.variable}*} takes everything that is left, so it must be the last variable`;
    const next = parts[index + 1];
    if (next && 'variable' in next)
      return `nothing stands between {${part.variable}} and {${next.variable}}, so it cannot be told where one ends`;
  }
  return undefined;
}

function literalProblem(parts: readonly Part[]): string | undefined {
  // Every variable is at least one character, so a template that fits with one each has names.
  return channelNameProblem(parts.map((part) => ('literal' in part ? part.literal : 'x')).join(''));
}
