/** How a command ends: the one place where exit codes are decided and errors are printed. */
import { ConfigError, GatewayError } from '../errors.ts';
import { printable } from './terminal.ts';

/** All exit codes (75, 77 and 78 are those of sysexits.h). */
export const EXIT_CODES = {
  done: 0,
  failed: 1,
  usage: 2,
  'outcome-unknown': 75,
  'not-allowed': 77,
  config: 78,
  interrupted: 130,
} as const;

export type ExitName = keyof typeof EXIT_CODES;

/** The end of a command; `message` and `hint` are for people and may carry text from outside. */
export interface CommandEnd {
  readonly exit: ExitName;
  readonly message?: string;
  readonly hint?: string | undefined;
}

/** Hands over how the command that was asked for ends. */
export type Ended = (command: Promise<CommandEnd>) => Promise<void>;

/** Prints what there is to say on stderr and returns the exit code. */
export function finish(end: CommandEnd): number {
  if (end.message !== undefined) printError(end.message, end.hint);
  return EXIT_CODES[end.exit];
}

/** The same for what a command threw: an error of ours with its hint, or a defect with its stack. */
export function finishThrown(error: unknown): number {
  if (error instanceof ConfigError) {
    for (const line of error.message.split('\n')) printError(line);
    return EXIT_CODES.config;
  }
  if (error instanceof GatewayError) return finish(endOfError(error));
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  printError(`this is a defect of sse-gateway, please report it:\n${text}`);
  return EXIT_CODES.failed;
}

/** The end that an error of ours means. */
export function endOfError({ code, message, hint }: GatewayError): CommandEnd {
  return { exit: BY_ERROR_CODE[code] ?? 'failed', message, hint };
}

/** `error: ...` and, where something can be done, `try: ...`. Nothing in them can steer a terminal. */
export function printError(message: string, hint?: string): void {
  process.stderr.write(`error: ${printable(message)}\n${hint === undefined ? '' : `try: ${printable(hint)}\n`}`);
}

/** Errors that are not named here are plain failures. */
const BY_ERROR_CODE: Readonly<Record<string, ExitName>> = {
  usage: 'usage',
  config: 'config',
  unauthenticated: 'not-allowed',
  forbidden: 'not-allowed',
  'outcome-unknown': 'outcome-unknown',
};
