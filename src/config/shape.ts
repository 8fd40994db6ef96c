/** What is said where a map is wanted and something else stands. */
import type { ConfigNode, Path } from './node.ts';
import { found, type Problems } from './problems.ts';

/** The keys of a section, and the one that is meant where a value stands alone. */
export interface Keys {
  readonly known: readonly string[];
  readonly usual?: string | undefined;
}

/** Notes that a map is wanted and something else stands there. */
export function refuseShape(
  node: ConfigNode,
  path: Path,
  problems: Problems,
  wanted: string,
  keys: Keys = { known: [] },
): undefined {
  if (node.kind === 'scalar' && node.broken) return;
  problems.add(node.place, path, `found ${found(node)}, wanted ${wanted}`, shapeHint(node, keys));
}

function shapeHint(node: ConfigNode, { known, usual }: Keys): string | undefined {
  if (node.kind !== 'scalar' || !node.plain) return;
  const glued = known.find((key) => node.text.startsWith(`${key}:`) && !node.text.startsWith(`${key}://`));
  if (glued !== undefined) return `put a space after ${glued}:`;
  const meant = known.includes(node.text) ? node.text : usual;
  return meant === undefined ? undefined : `write {${meant}: ...}`;
}
