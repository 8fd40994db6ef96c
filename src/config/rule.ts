/** A rule between keys: a sentence for the reference page, and a check. */
import type { Path } from './node.ts';
import type { RawConfig } from './schema.ts';

/** Two values in conflict: `path` is the key to change, `others` what it was compared with. */
export interface Conflict {
  readonly path: Path;
  readonly others: readonly Path[];
  readonly message: string;
  /** What `path` should be; absent where there is a `hint`. */
  readonly wanted?: string;
  readonly hint?: string;
}

/** One rule, as a sentence and as a check. */
export interface Rule {
  readonly text: string;
  check(config: RawConfig): Conflict[];
}
