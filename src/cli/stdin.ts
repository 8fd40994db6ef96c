/** What a command reads from stdin as a whole. */
import type { CommandEnd } from './exit.ts';

/** More than any gateway takes as one event, in bytes: what is read is held in memory. */
const MAX_PAYLOAD_BYTES = 64 * 1024 * 1024;

/** The bytes of stdin, or the end of a command that cannot have them. */
export async function readPayload(): Promise<Buffer | CommandEnd> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of process.stdin) {
      bytes += chunk.length;
      if (bytes > MAX_PAYLOAD_BYTES)
        return { exit: 'failed', message: 'stdin is longer than 64 MiB, which no gateway takes as one event' };
      chunks.push(chunk);
    }
  } catch (error) {
    return unreadable(error);
  }
  return Buffer.concat(chunks);
}

/** The end of a command whose stdin broke. Throws what is no error of the system. */
export function unreadable(error: unknown): CommandEnd {
  if (!(error instanceof Error && 'code' in error)) throw error;
  return { exit: 'failed', message: `stdin cannot be read: ${error.message}` };
}
