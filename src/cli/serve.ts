/** `sse-gateway serve`: runs the gateway until it is told to stop. */
import { isSea } from 'node:sea';
import { startApp } from '../app.ts';
import { type KeyOwner, keyOfSharer, newLocalKey, type WrittenKey, writeLocalKey } from '../auth/local-key.ts';
import { parseAddress, withBasePath } from '../client/address.ts';
import { systemClock, watchLoop } from '../clock.ts';
import type { Config } from '../config/config.ts';
import { describeListen } from '../config/listen.ts';
import { loadConfig } from '../config/load.ts';
import { describeProblem, UsageError } from '../errors.ts';
import { type Logger, openLog } from '../logger.ts';
import { announcement } from './announcement.ts';
import { descriptorLimit } from './descriptors.ts';
import type { CommandEnd } from './exit.ts';
import type { ServeFlags } from './flags.ts';
import { keyOwner } from './gateway.ts';
import { takeInheritedSocket } from './inherited-socket.ts';
import { invocation } from './invocation.ts';
import { openReading } from './open-reading.ts';
import { reloadOnHangup } from './reloading.ts';
import { untilStopped } from './stopping.ts';
import { say } from './terminal.ts';

/** How long the streams are ended in turn after Ctrl-C, in milliseconds: a person waits. */
const INTERRUPT_WINDOW_MS = 1000;

/** Serves until SIGTERM or SIGINT; SIGHUP reads the configuration again. Throws `ConfigError` and `ListenError`. */
export async function serveCommand(flags: ServeFlags): Promise<CommandEnd> {
  const inherited = takeInheritedSocket(process.env, process.pid);
  if (inherited !== undefined && flags.listen !== undefined)
    throw new UsageError('--listen is given, and a socket is inherited (LISTEN_FDS)', { hint: 'take --listen out' });
  const { config: file, redis, listen } = flags;
  const read = (): Promise<Config> => {
    return loadConfig({ file, redis, listen, inherited: inherited?.listen, env: process.env });
  };
  const config = await read();
  const terminal = process.stderr.isTTY === true;
  const colour = terminal && process.stderr.hasColors();
  const { logger, dropped } = openLog({ level: config.log.level, terminal, colour });
  // The client for Redis has its own word for a password that the server did not want.
  console.warn = (text: unknown) => logger.warn(String(text));
  const owner = keyOwner();
  const shared = inherited !== undefined || config.server.reuse_port;
  const localKey = (shared ? sharedKey(config, owner) : undefined) ?? newLocalKey();
  const app = await startApp({
    config,
    logger,
    clock: systemClock,
    random: Math.random,
    localKey,
    logLinesDropped: dropped,
    loopDelay: watchLoop(),
    descriptors: descriptorLimit(),
    inherited: inherited?.descriptor,
  });
  // Before anything is said: who has read the address may send a signal at once.
  const window = Math.min(INTERRUPT_WINDOW_MS, config.server.drain.window);
  const stopped = untilStopped(app, { logger, interruptWindow: window, hangupStops: file === undefined });
  if (file !== undefined) reloadOnHangup(app, { config, read, logger });
  const address = withBasePath(parseAddress(app.url), config.server.base_path);
  const written = writeLocalKey(owner, address.authority, localKey, shared ? process.pid : undefined);
  if (written.kind === 'written') process.once('exit', written.remove);
  warn(config, flags.config, written, logger);
  if (terminal || config.origin === 'none') {
    const program = invocation(surroundings());
    // A pipe may lead into a log, and keys have no place there.
    say(announcement({ config, address, program, key: terminal ? localKey : undefined }).join('\n'));
  } else {
    const facts = { url: address.text, ...(inherited !== undefined && { inherited: true }) };
    logger.info(facts, `listening on ${address.text}`);
  }
  return await stopped;
}

/** The key of a `serve` that listens on the same port now: which of the two answers a command is chance. */
function sharedKey({ server }: Config, owner: KeyOwner): string | undefined {
  return keyOfSharer(owner, parseAddress(describeListen(server.listen)).authority, isRunning);
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'; // it runs, as somebody else
  }
}

function warn(config: Config, file: string | undefined, written: WrittenKey, logger: Logger): void {
  for (const { message } of openReading(config, file)) logger.warn(message);
  for (const warning of config.warnings) logger.warn(describeProblem(warning));
  if (written.kind === 'failed') {
    logger.warn(
      { reason: written.reason },
      'the key for publish and tail on this machine could not be written; grant them what they need in allow',
    );
  }
}

function surroundings(): Parameters<typeof invocation>[0] {
  return {
    executable: process.execPath,
    script: process.argv[1],
    bundled: isSea(),
    cwd: process.cwd(),
    env: process.env,
  };
}
