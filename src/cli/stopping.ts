/** How a running gateway is brought to its end: by signals, or by a defect. */
import type { App } from '../app.ts';
import type { Logger } from '../logger.ts';
import type { CommandEnd } from './exit.ts';
import { say } from './terminal.ts';

/** How long a drain may take after a defect, in milliseconds: the state behind it is not to be trusted. */
const LAST_DRAIN_MS = 1000;
/** npm passes on the Ctrl-C that the terminal has sent us already, so two that come together are one, in milliseconds. */
const SAME_KEYSTROKE_MS = 500;

/** How a gateway is stopped. */
export interface StoppingOptions {
  readonly logger: Logger;
  /** How long the drain takes at most after Ctrl-C, in milliseconds. */
  readonly interruptWindow: number;
  /** SIGHUP says that the terminal is gone, since there is no file that it could ask to read again. */
  readonly hangupStops: boolean;
}

/** Resolves once the gateway has stopped: the first signal drains, a second one ends at once. */
export function untilStopped(app: App, options: StoppingOptions): Promise<CommandEnd> {
  const { logger, interruptWindow, hangupStops } = options;
  let first: { readonly at: number } | undefined;
  return new Promise((resolve) => {
    const endAtOnce = (end: CommandEnd): void => {
      app.kill();
      resolve(end);
    };
    const onSignal = (name: NodeJS.Signals): void => {
      const now = performance.now();
      if (first === undefined) {
        first = { at: now };
        tell(logger, name);
        app.stop(name === 'SIGINT' ? interruptWindow : undefined).then(() => resolve({ exit: 'done' }), fail);
      } else if (name !== 'SIGINT' || now - first.at > SAME_KEYSTROKE_MS) {
        logger.warn({ signal: name }, 'stopping at once');
        endAtOnce({ exit: 'interrupted' });
      }
    };
    const fail = (error: unknown): void => {
      logger.fatal({ err: error }, 'this is a defect of sse-gateway, please report it; stopping');
      const end = (): void => endAtOnce({ exit: 'failed' });
      setTimeout(end, LAST_DRAIN_MS);
      app.stop().then(end, end);
    };
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, onSignal);
    if (hangupStops) process.on('SIGHUP', onSignal);
    // A rejection that nobody handles arrives here as well.
    process.on('uncaughtException', fail);
  });
}

function tell(logger: Logger, name: NodeJS.Signals): void {
  if (process.stderr.isTTY) say('stopping: streams are ended one after the other; Ctrl-C again ends at once');
  else logger.info({ signal: name }, 'stopping');
}
