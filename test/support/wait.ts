/** Waiting for something that can be observed, always with a deadline and a sentence that says what was awaited. */
import { setTimeout as delay } from 'node:timers/promises';

/** How long anything may take that is expected at once, in milliseconds: generous, because machines are busy. */
export const DEADLINE_MS = 30_000;

/** How often `waitFor` looks, in milliseconds. */
const LOOK_EVERY_MS = 20;

/** What a probe answers: `undefined` or `false` mean "not yet". */
type Answer<T> = T | undefined | false;

/** Looks again and again until `probe` answers; for state that cannot tell by itself, such as that of another process. */
export async function waitFor<T>(
  what: string | (() => string),
  probe: () => Answer<T> | Promise<Answer<T>>,
  deadlineMs: number = DEADLINE_MS,
): Promise<T> {
  const end = performance.now() + deadlineMs;
  for (;;) {
    const answer = await probe();
    if (answer !== undefined && answer !== false) return answer;
    if (performance.now() > end) {
      throw new Error(`not within ${deadlineMs} ms: ${typeof what === 'string' ? what : what()}`);
    }
    await delay(LOOK_EVERY_MS);
  }
}

/** Wakes those who wait for a state that tells when it has changed. */
export class Watch {
  readonly #checks = new Set<() => void>();

  /** The state has changed: everybody looks again. */
  changed(): void {
    for (const check of [...this.#checks]) check();
  }

  /** Settles once `probe` answers; rejects where it throws, or at the deadline with the sentence of `what`. */
  until<T>(what: () => string, probe: () => Answer<T>, deadlineMs: number = DEADLINE_MS): Promise<T> {
    return new Promise((resolve, reject) => {
      const settle = (finish: () => void) => {
        clearTimeout(timer);
        this.#checks.delete(check);
        finish();
      };
      const check = () => {
        try {
          const answer = probe();
          if (answer !== undefined && answer !== false) settle(() => resolve(answer));
        } catch (error) {
          settle(() => reject(error));
        }
      };
      const timer = setTimeout(
        () => settle(() => reject(new Error(`not within ${deadlineMs} ms: ${what()}`))),
        deadlineMs,
      );
      this.#checks.add(check);
      check();
    });
  }
}
