/** `sse-gateway check`: whether `serve` would start with a configuration, and what is in it. */
import { parseAddress, withBasePath } from '../client/address.ts';
import type { Config } from '../config/config.ts';
import { describeListen } from '../config/listen.ts';
import { loadConfig } from '../config/load.ts';
import { describeRedis } from '../config/redis-url.ts';
import { ConfigError, type ConfigProblem, describeProblem } from '../errors.ts';
import type { CommandEnd } from './exit.ts';
import type { CheckFlags } from './flags.ts';
import { openReading } from './open-reading.ts';
import { jsonText, printable, writeOutput } from './terminal.ts';

/** Checks `--config`, or what `serve` has without one. Throws `ConfigError` with all problems, unless `--json` prints them. */
export async function checkCommand({ config: file, json }: CheckFlags): Promise<CommandEnd> {
  const name = file === '-' ? '<stdin>' : file;
  try {
    const config = await loadConfig({ file, env: process.env });
    const warnings = [...openReading(config, name), ...config.warnings];
    const text = [`${name ?? 'without a file'}: ok`, ...summary(config), ...warnings.map(describeWarning)].join('\n');
    await writeOutput(json === true ? resultLine(name, [], warnings) : `${printable(text)}\n`);
    return { exit: 'done' };
  } catch (error) {
    if (json !== true || !(error instanceof ConfigError)) throw error;
    await writeOutput(resultLine(name, error.problems, []));
    return { exit: 'config' };
  }
}

function resultLine(
  file: string | undefined,
  problems: readonly ConfigProblem[],
  warnings: readonly ConfigProblem[],
): string {
  return `${jsonText({ file: file ?? null, ok: problems.length === 0, problems, warnings })}\n`;
}

function describeWarning(warning: ConfigProblem): string {
  return `warning: ${describeProblem(warning)}`;
}

function summary({ server, sources, channels }: Config): readonly string[] {
  const address = withBasePath(parseAddress(describeListen(server.listen)), server.base_path);
  const redis = [...sources.values()].map((source) => `${source.name} (${describeRedis(source.redis)})`);
  return [
    `  listens on  ${address.text}`,
    `  sources     ${redis.length === 0 ? 'none, all channels are in memory' : listed(redis)}`,
    `  channels    ${listed(channels.all.map((channel) => channel.name))}`,
  ];
}

/** More of them would be no summary. */
const MOST_LISTED = 10;

function listed(names: readonly string[]): string {
  const more = names.length - MOST_LISTED;
  const shown = names.slice(0, MOST_LISTED).join(', ');
  return more > 0 ? `${shown} and ${more} more` : shown;
}
