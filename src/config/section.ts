/** Sections of the file: maps with known keys, each a descriptor. */
import type { JsonSchema, Kind } from './kind.ts';
import { nearest } from './nearest.ts';
import { type ConfigNode, isNothing, type Path, type Place } from './node.ts';
import { type Homes, Problems } from './problems.ts';
import { isRecord } from './record.ts';
import { refuseShape } from './shape.ts';

/** A key that always has a value. `shown` is its default as the file writes it. */
export interface Given<T> {
  readonly presence: 'given';
  readonly kind: Kind<T>;
  readonly doc: string;
  readonly default: T;
  readonly shown: string;
}

/** A key that may be absent. `sample` is a value to show, as the file writes it. */
export interface Optional<T> {
  readonly presence: 'optional';
  readonly kind: Kind<T>;
  readonly doc: string;
  readonly sample: string;
  /** What it is in the example file: a line, a comment, or a comment even where all around it is one. */
  readonly inExample: 'line' | 'comment' | 'alternative';
}

/** A key that belongs to the design and does not work yet. */
export interface Later {
  readonly presence: 'later';
}

export type Field = Given<unknown> | Optional<unknown> | Later;
export type Fields = Readonly<Record<string, Field>>;

/** The type of a section with these fields: YAML names, optional keys optional, later keys absent. */
export type SectionValue<F extends Fields> = {
  readonly [N in keyof F as F[N] extends Given<unknown> ? N : never]: F[N] extends Given<infer T> ? T : never;
} & {
  readonly [N in keyof F as F[N] extends Optional<unknown> ? N : never]?: F[N] extends Optional<infer T> ? T : never;
};

/** A section: a kind that knows its fields and all of their defaults. */
export interface Section<F extends Fields = Fields> extends Kind<SectionValue<F>> {
  readonly fields: F;
  readonly defaults: SectionValue<F>;
}

/** A key with a default, which is written as the file would write it: `given(duration({min: 1}), '15s', '...')`. */
export function given<T>(kind: Kind<T>, shown: string, doc: string): Given<T> {
  const problems = new Problems('the schema');
  const value = kind.read(literal(shown), [], problems);
  if (value === undefined) throw problems.toError();
  return { presence: 'given', kind, doc, default: value, shown };
}

/** A section as a key of another; its default is the defaults of its keys. */
export function nested<F extends Fields>(kind: Section<F>, doc: string): Given<SectionValue<F>> {
  return { presence: 'given', kind, doc, default: kind.defaults, shown: '' };
}

/** A key without a default. `sample` is for the example file, where it is a comment. */
export function optional<T>(kind: Kind<T>, sample: string, doc: string): Optional<T> {
  return { presence: 'optional', kind, doc, sample, inExample: 'comment' };
}

/** A key without a default that stands instead of another. */
export function alternative<T>(kind: Kind<T>, sample: string, doc: string): Optional<T> {
  return { presence: 'optional', kind, doc, sample, inExample: 'alternative' };
}

/** A key without a default that the example file has. */
export function exemplary<T>(kind: Kind<T>, sample: string, doc: string): Optional<T> {
  return { presence: 'optional', kind, doc, sample, inExample: 'line' };
}

/** A key that is refused by name until it works. */
export const later: Later = { presence: 'later' };

/**
 * A map with known keys. Nothing at all (`server:` alone) means all defaults.
 * `usual` is the key that was probably meant where a value stands alone.
 */
export function section<const F extends Fields>(fields: F, usual?: keyof F & string): Section<F> {
  const wanted = `a map with ${someOf(keysOf(fields))}`;
  const defaults = build<F>(fields, () => undefined);
  return {
    wanted,
    fields,
    defaults,
    schema: () => sectionSchema(fields),
    read(node, path, problems) {
      if (isNothing(node)) return defaults;
      if (node.kind !== 'map') return refuseShape(node, path, problems, wanted, { known: keysOf(fields), usual });
      for (const [name, { place }] of node.entries) checkKey(fields, name, place, path, problems);
      return build<F>(fields, (name, kind) => {
        const value = node.entries.get(name)?.value;
        return value && kind.read(value, [...path, name], problems);
      });
    },
  };
}

/** The names of a section that may be written, in their order. */
export function keysOf(fields: Fields): string[] {
  return Object.keys(fields).filter((name) => fields[name]?.presence !== 'later');
}

/** Where each key of a schema belongs, for hints. */
export function homesOf(fields: Fields): Homes {
  const homes = new Map<string, string[]>();
  collectHomes(fields, 'to the top level', homes);
  return homes;
}

/** True for a kind that is a section. */
export function isSection(kind: Kind<unknown>): kind is Section {
  return 'fields' in kind;
}

function collectHomes(fields: Fields, home: string, homes: Map<string, string[]>, path = ''): void {
  for (const [name, field] of Object.entries(fields)) {
    if (field.presence === 'later') continue;
    homes.set(name, [...(homes.get(name) ?? []), home]);
    const inner = isRecord(field.kind) ? field.kind.entry : field.kind;
    const at = `${path}${name}${isRecord(field.kind) ? '.NAME' : ''}`;
    if (isSection(inner)) collectHomes(inner.fields, `under ${at}`, homes, `${at}.`);
  }
}

function build<F extends Fields>(fields: F, read: (name: string, kind: Kind<unknown>) => unknown): SectionValue<F> {
  const values = Object.entries(fields).flatMap(([name, field]): [string, unknown][] => {
    if (field.presence === 'later') return [];
    const value = read(name, field.kind) ?? (field.presence === 'given' ? field.default : undefined);
    return value === undefined ? [] : [[name, value]];
  });
  // The parse boundary: each value was made by the kind of its own field.
  return Object.fromEntries(values) as SectionValue<F>;
}

function checkKey(fields: Fields, name: string, place: Place, path: Path, problems: Problems): void {
  const presence = Object.hasOwn(fields, name) ? fields[name]?.presence : undefined;
  if (presence === 'later') {
    problems.add(place, [...path, name], 'is not available in this version', 'take the key out');
  } else if (presence === undefined) {
    const meant = nearest(name, keysOf(fields));
    problems.add(place, [...path, name], 'unknown key', hintFor(name, meant, fields, problems.homes));
    if (meant !== undefined) problems.taint([...path, meant]);
  }
}

function hintFor(name: string, meant: string | undefined, fields: Fields, homes: Homes): string {
  const home = homes.get(name);
  if (home !== undefined) {
    const other = meant === undefined ? '' : `; or did you mean ${meant}?`;
    return `it belongs ${home.join(' or ')}: check where it stands and its indentation${other}`;
  }
  if (meant !== undefined) return `did you mean ${meant}?`;
  const far = nearest(name, homes.keys());
  if (far !== undefined) return `did you mean ${far}, which belongs ${homes.get(far)?.join(' or ')}?`;
  return `known here: ${keysOf(fields).join(', ')}`;
}

function sectionSchema(fields: Fields): JsonSchema {
  const properties = Object.entries(fields).flatMap(([name, field]) => {
    if (field.presence === 'later') return [];
    const extra = field.presence === 'given' && field.shown !== '' ? { default: jsonOf(field.shown) } : {};
    return [[name, { description: field.doc, ...extra, ...field.kind.schema() }]];
  });
  return { type: ['object', 'null'], additionalProperties: false, properties: Object.fromEntries(properties) };
}

function jsonOf(shown: string): unknown {
  return /^(?:\d+|true|false|\[\]|"")$/.test(shown) ? JSON.parse(shown) : shown;
}

/** The keys as the end of a sentence; of many the first. */
function someOf(words: readonly string[]): string {
  if (words.length > MOST_NAMED) return `keys such as ${words.slice(0, MOST_NAMED).join(', ')}`;
  return words.length > 1 ? `${words.slice(0, -1).join(', ')} or ${words.at(-1)}` : words.join('');
}

const MOST_NAMED = 7;

const NOWHERE: Place = { line: 0, column: 0 };

/** A node as if `shown` stood in a file; only `[]` is a list, and only `""` is in quotes. */
function literal(shown: string): ConfigNode {
  if (shown === '[]') return { kind: 'list', place: NOWHERE, items: [] };
  const plain = shown !== '""';
  return { kind: 'scalar', place: NOWHERE, text: plain ? shown : '', plain, variables: [], broken: false };
}
