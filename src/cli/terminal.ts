/** What is written for people: text that cannot steer their terminal, and streams that may break. */
import { once } from 'node:events';
import { styleText } from 'node:util';

/** Control characters, and the ones that turn the direction of text, as `\x1b` or `\u202e`; line ends and tabs stay. */
export function printable(text: string): string {
  return text.replace(CONTROLS, (character) => {
    const code = character.charCodeAt(0);
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
  });
}

/** A value as JSON in one line; the characters that `printable` keeps from a terminal are escaped as JSON has it. */
export function jsonText(value: unknown): string {
  return JSON.stringify(value).replace(
    CONTROLS,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

const CONTROLS = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** A stream that may be a terminal. */
export type Output = NodeJS.WritableStream & { readonly isTTY?: boolean };

/** Colours `text` where `stream` is a terminal and NO_COLOR is not set. */
export function coloured(style: Parameters<typeof styleText>[0], text: string, stream: Output): string {
  return styleText(style, text, { stream, validateStream: true });
}

/** Writes data to stdout, and waits where the reader is slower. */
export async function writeOutput(text: string): Promise<void> {
  if (!process.stdout.write(text)) await once(process.stdout, 'drain');
}

/** Says something on stderr that is not data: one line, or several. */
export function say(text: string): void {
  process.stderr.write(`${printable(text)}\n`);
}

/**
 * A reader of stdout that has left (`tail | head -1`) ends the command quietly; a full disk ends it with an error.
 * Nobody can be told about a broken stderr.
 */
export function surviveBrokenOutput(): void {
  process.stderr.on('error', () => undefined);
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    process.stderr.write(`error: cannot write to stdout: ${error.message}\n`);
    process.exit(1);
  });
}
