/** Kinds of values: each reads a node of the file, reports what is wrong with it, and describes itself as JSON Schema. */

import { nearest } from './nearest.ts';
import { type ConfigNode, isBoolean, isNothing, type Path, type ScalarNode } from './node.ts';
import { type Parsed, refused } from './parsed.ts';
import { found, type Problems, quote } from './problems.ts';

/** A fragment of JSON Schema (draft 7, which editors read). */
export interface JsonSchema {
  readonly [keyword: string]: unknown;
}

/** One kind of value. */
export interface Kind<T> {
  /** For messages, after "wanted". */
  readonly wanted: string;
  /** The value, or undefined after a problem was noted. */
  read(node: ConfigNode, path: Path, problems: Problems): T | undefined;
  schema(): JsonSchema;
}

/** The kind of a value that stands on one line. */
export interface Leaf<T> extends Kind<T> {
  /** The value as the file would write it; secrets are `***`. */
  show(value: T): string;
}

/** A value that is one piece of text. `secret` keeps what was found out of messages; its hints are fixed texts. */
export interface TextKind<T> {
  readonly wanted: string;
  readonly schema: JsonSchema;
  readonly secret?: boolean;
  /** True where `parse` wants to see true and false too. */
  readonly booleans?: boolean;
  /** True where `parse` wants to see `null` too. */
  readonly nothing?: boolean;
  /** `bare`: it is true or false without quotes. */
  parse(text: string, bare: boolean): Parsed<T>;
  /** The value as the file would write it, in quotes where it needs them. */
  show(value: T): string;
}

/** The kind of a value that is one piece of text. Lists, maps, nothing, true and false are refused before `parse`. */
export function text<T>(kind: TextKind<T>): Leaf<T> {
  return {
    wanted: kind.wanted,
    show: kind.show,
    schema: () => kind.schema,
    read(node, path, problems) {
      if (node.kind === 'scalar' && node.broken) return;
      const readable = node.kind === 'scalar' && isReadable(kind, node);
      const parsed: Parsed<T> = readable ? kind.parse(node.text, isBoolean(node)) : {};
      if (!refused(parsed)) return parsed.value;
      // A hint may repeat a part of the text, and what a variable holds is not shown.
      const silent = !kind.secret && node.kind === 'scalar' && node.variables.length > 0;
      const hint = silent ? undefined : parsed.hint;
      problems.add(node.place, path, sentence(kind, node, parsed.problem), hint);
      return;
    },
  };
}

/** What YAML has its own words for is no text, unless the kind wants to explain it. */
function isReadable(kind: { booleans?: boolean; nothing?: boolean }, node: ScalarNode): boolean {
  if (isNothing(node)) return kind.nothing === true && node.text !== '';
  return kind.booleans === true || !isBoolean(node);
}

function sentence(
  kind: { wanted: string; secret?: boolean; nothing?: boolean },
  node: ConfigNode,
  problem: string | undefined,
): string {
  const hidden = kind.secret && node.kind === 'scalar' && !isNothing(node);
  if (problem === undefined) return `found ${hidden ? 'something else' : found(node)}, wanted ${kind.wanted}`;
  if (kind.nothing && node.kind === 'scalar' && isNothing(node)) return `found ${node.text}: ${problem}`;
  return hidden ? problem : `found ${found(node)}: ${problem}`;
}

const FLAG: TextKind<boolean> = {
  booleans: true,
  wanted: 'true or false',
  schema: { anyOf: [{ type: 'boolean' }, { type: 'string', pattern: orVariable('true|false') }] },
  parse: (value) => {
    const word = value.toLowerCase();
    if (word === 'true' || word === 'false') return { value: word === 'true' };
    if (/^(?:yes|on|y|1)$/.test(word)) return { hint: 'write true' };
    return /^(?:no|off|n|0)$/.test(word) ? { hint: 'write false' } : {};
  },
  show: String,
};

/** true or false. */
export const flag: Leaf<boolean> = text(FLAG);

/** One of a few words. */
export function choice<const T extends string>(words: readonly T[]): Leaf<T> {
  const wanted = `one of ${words.join(', ')}`;
  return text({
    wanted,
    schema: { type: 'string', anyOf: [{ enum: words }, { pattern: '\\$\\{' }] },
    parse: (value) => {
      const word = words.find((one) => one === value);
      if (word !== undefined) return { value: word };
      const meant = nearest(value, words);
      return meant === undefined ? {} : { hint: `did you mean ${meant}?` };
    },
    show: (word) => word,
  });
}

/** A list of values of one kind. A single value is refused, with the brackets to write. */
export function list<T>(item: Leaf<T>, what: string): Leaf<readonly T[]> {
  return {
    wanted: `a list of ${what}`,
    show: (values) => `[${values.map((value) => item.show(value)).join(', ')}]`,
    schema: () => ({ type: 'array', items: item.schema() }),
    read(node, path, problems) {
      if (node.kind === 'list') {
        const values = node.items.map((one, index) => item.read(one, [...path, String(index)], problems));
        return values.filter((value) => value !== undefined);
      }
      if (node.kind === 'scalar' && node.broken) return;
      problems.add(node.place, path, `found ${found(node)}, wanted a list of ${what}`, listHint(node));
      return;
    },
  };
}

/** true, false, or a list. */
export function listOrFlag<T>(items: Leaf<readonly T[]>): Leaf<readonly T[] | boolean> {
  const wanted = `${FLAG.wanted}, or ${items.wanted}`;
  const either = text({ ...FLAG, wanted });
  return {
    wanted,
    schema: () => ({ anyOf: [FLAG.schema, items.schema()] }),
    show: (value) => (typeof value === 'boolean' ? FLAG.show(value) : items.show(value)),
    read: (node, path, problems) => (node.kind === 'list' ? items : either).read(node, path, problems),
  };
}

/** A regular expression for a whole value, or for one that has a `${VAR}` in it, which only loading can judge. */
export function orVariable(pattern: string): string {
  return `^(${pattern})$|\\$\\{`;
}

function listHint(node: ConfigNode): string {
  if (isNothing(node)) return 'write [] for an empty list, or leave the line out';
  const shown = node.kind === 'scalar' && node.variables.length === 0 ? quote(node.text) : '...';
  return `write [${shown}]`;
}
