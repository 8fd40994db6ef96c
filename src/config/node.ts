/** The configuration file as a tree of values with places, free of the library that parsed it. */

/** Where something stands in the file; both count from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** The keys that lead to a value, from the outside in. */
export type Path = readonly string[];

export type ConfigNode = ScalarNode | ListNode | MapNode;

/** A single value, kept as text: what it means is decided by the schema, so `010` and `no` hold no surprise. */
export interface ScalarNode {
  readonly kind: 'scalar';
  readonly place: Place;
  /** The text after quotes, escapes and `${VAR}` are resolved. */
  readonly text: string;
  /** Written without quotes and without `${VAR}`: only such a scalar can be nothing, true or false. */
  readonly plain: boolean;
  /** The environment variables that stand in it; messages name them and never show what they hold. */
  readonly variables: readonly string[];
  /** A problem of it is already reported; whoever reads it stays silent. */
  readonly broken: boolean;
}

export interface ListNode {
  readonly kind: 'list';
  readonly place: Place;
  readonly items: readonly ConfigNode[];
}

export interface MapNode {
  readonly kind: 'map';
  readonly place: Place;
  /** By key, in the order of the file. */
  readonly entries: ReadonlyMap<string, MapEntry>;
}

export interface MapEntry {
  /** Where the key stands. */
  readonly place: Place;
  readonly value: ConfigNode;
}

/** True for a value that was left out: nothing, `~` or `null`. */
export function isNothing(node: ConfigNode): boolean {
  return node.kind === 'scalar' && node.plain && /^(?:~|null|Null|NULL|)$/.test(node.text);
}

/** True for `true` and `false` as YAML 1.2 writes them; `yes`, `no`, `on` and `off` are text. */
export function isBoolean(node: ConfigNode): boolean {
  return node.kind === 'scalar' && node.plain && /^(?:true|True|TRUE|false|False|FALSE)$/.test(node.text);
}

/** The place of the key at `path`, or of the nearest one around it that the file has. */
export function locate(root: ConfigNode, path: Path): Place {
  let at: MapEntry = { place: root.place, value: root };
  for (const name of path) {
    const next = child(at.value, name);
    if (next === undefined) break;
    at = next;
  }
  return at.place;
}

/** What the file has at `path`, if anything. */
export function find(root: ConfigNode | undefined, path: Path): ConfigNode | undefined {
  let node = root;
  for (const name of path) node = node && child(node, name)?.value;
  return node;
}

function child(node: ConfigNode, name: string): MapEntry | undefined {
  switch (node.kind) {
    case 'scalar':
      return undefined;
    case 'map':
      return node.entries.get(name);
    case 'list': {
      const value = node.items[Number(name)];
      return value && { place: value.place, value };
    }
    default:
      return node satisfies never;
  }
}
