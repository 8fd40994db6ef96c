/** Turns what the YAML library parsed into the plain tree: aliases followed, variables put in, what is not used refused. */
import { type Environment, substitute } from './environment.ts';
import type { ConfigNode, MapEntry, Path, Place, ScalarNode } from './node.ts';
import { type Problems, quote } from './problems.ts';

/** A node as it stands in the file. */
export type SourceNode = {
  readonly place: Place;
  readonly tag?: string | undefined;
  readonly anchor?: string | undefined;
} & (
  | { readonly kind: 'scalar'; readonly text: string; readonly plain: boolean }
  | { readonly kind: 'list'; readonly items: readonly SourceNode[] }
  | { readonly kind: 'map'; readonly entries: readonly SourceEntry[] }
  | { readonly kind: 'alias'; readonly name: string }
);

export interface SourceEntry {
  readonly key: SourceNode;
  readonly value: SourceNode;
}

/** How many values aliases may stand for in all: nine aliases of nine aliases of ... would fill any memory. */
const MAX_EXPANDED = 10_000;

/** The tree of `root`. What is wrong with it is noted in `problems`; a value that could not be read is marked broken. */
export function buildTree(root: SourceNode, env: Environment, problems: Problems): ConfigNode {
  return new TreeBuilder(env, problems).build(root, []);
}

class TreeBuilder {
  readonly #env: Environment;
  readonly #problems: Problems;
  readonly #anchors = new Map<string, SourceNode>();
  /** The nodes around the one that is being built: an alias of one of them would never end. */
  readonly #open = new Set<SourceNode>();
  #aliasDepth = 0;
  #expanded = 0;

  constructor(env: Environment, problems: Problems) {
    this.#env = env;
    this.#problems = problems;
  }

  build(node: SourceNode, path: Path): ConfigNode {
    if (this.#aliasDepth > 0 && !this.#mayExpand(node, path)) return broken(node.place);
    if (node.anchor !== undefined) this.#anchors.set(node.anchor, node);
    if (node.tag !== undefined) {
      this.#problems.add(
        node.place,
        path,
        `tags such as ${quote(node.tag.replace('tag:yaml.org,2002:', '!!'))} are not used here`,
        'write the value alone',
      );
      return broken(node.place);
    }
    this.#open.add(node);
    const built = this.#buildUntagged(node, path);
    this.#open.delete(node);
    return built;
  }

  #buildUntagged(node: SourceNode, path: Path): ConfigNode {
    switch (node.kind) {
      case 'alias':
        return this.#follow(node.name, node.place, path);
      case 'list':
        return {
          kind: 'list',
          place: node.place,
          items: node.items.map((item, index) => this.build(item, [...path, String(index)])),
        };
      case 'map':
        return { kind: 'map', place: node.place, entries: this.#entries(node.entries, path) };
      case 'scalar':
        return this.#scalar(node, path);
      default:
        return node satisfies never;
    }
  }

  #mayExpand(node: SourceNode, path: Path): boolean {
    this.#expanded += 1;
    if (this.#expanded === MAX_EXPANDED + 1) {
      this.#problems.add(
        node.place,
        path,
        `aliases stand for more than ${MAX_EXPANDED} values`,
        'write the values out',
      );
    }
    return this.#expanded <= MAX_EXPANDED;
  }

  #follow(name: string, place: Place, path: Path): ConfigNode {
    const target = this.#anchors.get(name);
    if (target === undefined) {
      const hint = `for the text put it in quotes: ${quote(`*${name}`)}`;
      this.#problems.add(
        place,
        path,
        'a * here stands for a value that was named with & before, and none has this name',
        hint,
      );
      return broken(place);
    }
    if (this.#open.has(target)) {
      this.#problems.add(place, path, 'this alias stands for a value that it is a part of', 'write the value out');
      return broken(place);
    }
    this.#aliasDepth += 1;
    const built = this.build(target, path);
    this.#aliasDepth -= 1;
    return built;
  }

  #entries(entries: readonly SourceEntry[], path: Path): ReadonlyMap<string, MapEntry> {
    const built = new Map<string, MapEntry>();
    for (const { key, value } of entries) {
      const name = this.#key(key, path);
      if (name === undefined) continue;
      const first = built.get(name);
      if (first === undefined) built.set(name, { place: key.place, value: this.build(value, [...path, name]) });
      else
        this.#problems.add(
          key.place,
          [...path, name],
          `is given twice, first on line ${first.place.line}`,
          'keep one of them',
        );
    }
    return built;
  }

  #key(key: SourceNode, path: Path): string | undefined {
    if (key.kind === 'scalar' && key.tag === undefined) {
      if (key.plain && key.text === '<<') {
        this.#problems.add(
          key.place,
          path,
          'merge keys (<<) are not a part of YAML 1.2',
          'write the keys out, or use an alias for a whole value',
        );
        return undefined;
      }
      if (key.text !== '') return key.text;
      this.#problems.add(key.place, path, 'a key is missing before the colon', 'write key: value');
      return undefined;
    }
    const hint =
      key.kind === 'map' ? 'a name that begins with { needs quotes, such as "{room}"' : 'write the key as plain text';
    this.#problems.add(key.place, path, 'this key is not plain text', hint);
    return undefined;
  }

  #scalar(node: SourceNode & { kind: 'scalar' }, path: Path): ScalarNode {
    const { text, plain, place } = node;
    if (!text.includes('${')) return { kind: 'scalar', place, text, plain, variables: [], broken: false };
    const substituted = substitute(text, this.#env);
    if (substituted.value !== undefined)
      return { kind: 'scalar', place, plain: false, broken: false, ...substituted.value };
    this.#problems.add(place, path, substituted.problem ?? 'cannot be read', substituted.hint);
    return broken(place);
  }
}

function broken(place: Place): ScalarNode {
  return { kind: 'scalar', place, text: '', plain: true, variables: [], broken: true };
}
