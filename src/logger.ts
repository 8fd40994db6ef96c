/** The log: structured lines on stderr by pino, readable on a terminal; a broken pipe or full disk drops lines, never the process. */
import { destination, type Logger, pino } from 'pino';
import pretty from 'pino-pretty';
import { openSink } from './log-sink.ts';

export type { Logger } from 'pino';

/** The levels of `log.level`, from most to least. */
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** A logger and the number of lines it could not write. */
export interface Logging {
  readonly logger: Logger;
  dropped(): number;
}

/**
 * Opens the log on stderr.
 * `terminal` asks for lines for people; `colour` for colour in them. Otherwise every line is a JSON object.
 */
export function openLog(options: { level: LogLevel; terminal: boolean; colour: boolean }): Logging {
  const settings = { level: options.level, base: null, timestamp: pino.stdTimeFunctions.isoTime };
  if (!options.terminal) {
    const sink = openSink(2);
    return { logger: pino(settings, sink), dropped: () => sink.dropped };
  }
  let dropped = 0;
  const stream = destination({ fd: 2, sync: true });
  // A terminal that is gone; without a listener its error would end the process.
  stream.on('error', () => {
    dropped += 1;
  });
  const people = pretty({
    destination: stream,
    sync: true,
    colorize: options.colour,
    ignore: 'pid,hostname',
    translateTime: 'SYS:HH:MM:ss',
  });
  return { logger: pino(settings, people), dropped: () => dropped };
}
