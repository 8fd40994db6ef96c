/** The one thing that a configuration may leave open and whoever runs it should know. */
import type { Config } from '../config/config.ts';
import type { ConfigProblem } from '../errors.ts';

/** A warning where everybody may read because nobody has decided it; nothing without a file, where that is the purpose. */
export function openReading(config: Config, file: string | undefined): readonly ConfigProblem[] {
  if (config.origin === 'none' || config.allow.subscribe !== undefined) return [];
  const message =
    'everybody who reaches this address may read every channel: allow.subscribe is not decided (behind a proxy on this machine that is everybody)';
  return [{ file: file ?? '', line: 0, column: 0, path: '', message }];
}
