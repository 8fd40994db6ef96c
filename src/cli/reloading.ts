/** SIGHUP: the configuration is read again, and taken where it is whole. */
import type { App } from '../app.ts';
import type { Config } from '../config/config.ts';
import { describeListen } from '../config/listen.ts';
import { ConfigError, describeProblem, GatewayError } from '../errors.ts';
import type { Logger } from '../logger.ts';

/** What a reload needs. */
export interface ReloadOptions {
  /** What the gateway runs with. */
  readonly config: Config;
  /** Reads the configuration as it was read at the start. Throws `ConfigError`. */
  readonly read: () => Promise<Config>;
  readonly logger: Logger;
}

/** Takes another configuration at each SIGHUP; one that is not whole changes nothing and is told with every problem. */
export function reloadOnHangup(app: App, options: ReloadOptions): void {
  let running = options.config;
  let again = false;
  let reloading = false;
  const reload = async (): Promise<void> => {
    again = true;
    if (reloading) return; // many signals are as good as one more
    reloading = true;
    while (again) {
      again = false;
      running = (await take(app, running, options)) ?? running;
    }
    reloading = false;
  };
  process.on('SIGHUP', () => void reload());
}

/** Gives the configuration that was taken; undefined where there is none. */
async function take(app: App, running: Config, options: ReloadOptions): Promise<Config | undefined> {
  const { read, logger } = options;
  try {
    const config = await read();
    app.reload(config);
    app.metrics.count('config_reloads');
    logger.level = config.log.level;
    for (const key of keptKeys(running, config)) logger.warn({ key }, `${key} takes effect at the next start`);
    for (const warning of config.warnings) logger.warn(describeProblem(warning));
    logger.info('the configuration was read again and is in effect');
    return config;
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    app.metrics.count('config_reload_failed');
    const problems = error instanceof ConfigError ? error.problems.map(describeProblem) : [error.message];
    for (const problem of problems) logger.error(problem);
    logger.error('the configuration could not be taken; the one before stays in effect');
    return undefined;
  }
}

/** Keys that were changed and cannot be while the process runs. */
function keptKeys({ server: before }: Config, { server: after }: Config): string[] {
  const keys: string[] = [];
  if (describeListen(before.listen) !== describeListen(after.listen)) keys.push('server.listen');
  if (before.reuse_port !== after.reuse_port) keys.push('server.reuse_port');
  return keys;
}
