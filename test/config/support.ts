/** Loads configurations from text, and gives what is said about bad ones. */
import assert from 'node:assert/strict';
import type { Config } from '../../src/config/config.ts';
import type { Environment } from '../../src/config/environment.ts';
import { parseConfig } from '../../src/config/load.ts';
import { ConfigError, describeProblem } from '../../src/errors.ts';

/** A Redis source, for files that are about something else. */
export const REDIS = 'redis: redis://127.0.0.1:6379\n';

/** The configuration that a text says. */
export function load(text: string, env: Environment = {}): Promise<Config> {
  return parseConfig(text, { file: 'c.yaml', env });
}

/** Everything that is said about a bad text, a line each, as `line:column: path: message (hint)`. */
export async function problemsOf(text: string, env: Environment = {}): Promise<string[]> {
  return await saidBy(load(text, env), 'c.yaml:');
}

/** Everything that a refused promise says, a line each, without `prefix`. */
export async function saidBy(promise: Promise<unknown>, prefix: string): Promise<string[]> {
  const error = await promise.then(
    () => assert.fail('it was accepted'),
    (reason: unknown) => reason,
  );
  if (!(error instanceof ConfigError)) throw error;
  return error.problems.map((problem) => describeProblem(problem).replace(prefix, ''));
}
