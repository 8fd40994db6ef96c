/** Records of the file: maps whose keys are names. */
import type { Kind } from './kind.ts';
import { isNothing, type MapNode, type Path } from './node.ts';
import { type Parsed, refused } from './parsed.ts';
import type { Problems } from './problems.ts';
import { refuseShape } from './shape.ts';

/** A record: a kind that knows what its values are. */
export interface RecordOf<T> extends Kind<ReadonlyMap<string, T>> {
  readonly entry: Kind<T>;
  readonly names: Names;
}

/** What the keys of a record are: `key` judges one, `pattern` is for editors, `examples` for the example file, the first one in full. */
export interface Names {
  /** For messages, after "wanted". */
  readonly wanted: string;
  key(name: string): Parsed<unknown>;
  readonly pattern: string;
  readonly examples: readonly RecordExample[];
}

/** One line of the example file; `value` as the file writes it. */
export interface RecordExample {
  readonly name: string;
  readonly value: string;
  readonly doc: string;
}

/** A map whose keys are names. */
export function record<T>(entry: Kind<T>, names: Names): RecordOf<T> {
  const { wanted } = names;
  return {
    wanted,
    entry,
    names,
    schema: () => ({
      type: 'object',
      propertyNames: { pattern: names.pattern },
      additionalProperties: entry.schema(),
    }),
    read(node, path, problems) {
      if (isNothing(node)) return new Map();
      if (node.kind !== 'map') return refuseShape(node, path, problems, wanted);
      return readRecord(node, path, problems, entry, names);
    },
  };
}

/** True for a kind that is a record. */
export function isRecord(kind: Kind<unknown>): kind is RecordOf<unknown> {
  return 'entry' in kind;
}

function readRecord<T>(
  node: MapNode,
  path: Path,
  problems: Problems,
  kind: Kind<T>,
  names: Names,
): ReadonlyMap<string, T> {
  const values = new Map<string, T>();
  for (const [name, entry] of node.entries) {
    const at = [...path, name];
    const judged = names.key(name);
    if (refused(judged)) problems.add(entry.place, at, judged.problem ?? 'cannot be a name', judged.hint);
    const value = kind.read(entry.value, at, problems);
    if (value !== undefined && !refused(judged)) values.set(name, value);
  }
  return values;
}
