/** Turns of the event loop, for parts that do their work in turns: no time is waited for. */

/** One turn of the event loop: what was queued is done. */
export function turn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

/** As many turns as it takes until nothing goes on by itself; the default is enough where a few clients are served. */
export async function quiet(turns = 20): Promise<void> {
  for (let left = turns; left > 0; left -= 1) await turn();
}

/** Turns until `done`; throws when it does not come to pass. */
export async function turnUntil(what: string, done: () => boolean): Promise<void> {
  for (let turns = 0; !done(); turns += 1) {
    if (turns === 10_000) throw new Error(`not in ${turns} turns: ${what}`);
    await turn();
  }
}
