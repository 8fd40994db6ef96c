/** How many files this process may open. */
import { readFileSync } from 'node:fs';

/** The soft limit, as Linux tells it; undefined where nothing tells it, or it is unlimited. */
export function descriptorLimit(): number | undefined {
  try {
    const [, limit] = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
    return limit === undefined ? undefined : Number(limit);
  } catch {
    return undefined; // no /proc here
  }
}
