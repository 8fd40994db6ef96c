/** Several commands that Redis runs as one, with their answers as bytes. */
import type { Redis } from 'ioredis';

/** A command with its arguments. */
export type Command = readonly [name: string, ...args: (string | Buffer | number)[]];

/**
 * Runs commands between MULTI and EXEC. An answer is an Error where that command alone failed. Rejects where Redis
 * would not run them at all, with the reason of the first that it refused.
 */
export async function transaction(redis: Redis, commands: readonly Command[]): Promise<readonly unknown[]> {
  const all: readonly Command[] = [['MULTI'], ...commands, ['EXEC']];
  const settled = await Promise.allSettled(all.map(([name, ...args]) => redis.callBuffer(name, args)));
  const refused = settled.find((each) => each.status === 'rejected');
  if (refused !== undefined) throw refused.reason;
  const executed = settled.at(-1);
  const answers = executed?.status === 'fulfilled' ? executed.value : undefined;
  if (!Array.isArray(answers)) throw new Error('Redis did not answer EXEC with the answers');
  return answers;
}

/** Whether Redis itself has said no; everything else is a link that went. */
export function isRefusal(error: unknown): error is Error {
  return error instanceof Error && error.name === 'ReplyError';
}

/** Whether a refusal is about the moment, not about what was asked: the same may succeed a little later. */
export function passes(refusal: Error): boolean {
  return /^(OOM|LOADING|BUSY|MASTERDOWN|TRYAGAIN|CLUSTERDOWN)\b/.test(refusal.message);
}
