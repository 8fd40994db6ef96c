/** Time, injected: nothing below `cli/` reads a clock or sets a timer of its own. */
import { monitorEventLoopDelay } from 'node:perf_hooks';

/** Cancels the timer it came from; calling it again does nothing. */
export type Cancel = () => void;

/** What a part needs of time. Intervals are in milliseconds; `now` is monotonic, `wall` is Unix time in milliseconds. */
export interface Clock {
  now(): number;
  wall(): number;
  /** Calls `run` once after `ms`. The timer does not keep the process alive. */
  after(ms: number, run: () => void): Cancel;
  /** Calls `run` every `ms`. The timer does not keep the process alive. */
  every(ms: number, run: () => void): Cancel;
}

/** The longest delay a Node timer takes; a longer one would fire at once. */
export const LONGEST_DELAY_MS = 2 ** 31 - 1;

/** The machine's own time. */
export const systemClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  after(ms, run) {
    const timer = setTimeout(run, clamp(ms)).unref();
    return () => clearTimeout(timer);
  },
  every(ms, run) {
    const timer = setInterval(run, clamp(ms)).unref();
    return () => clearInterval(timer);
  },
};

/** How late the event loop ran what was due, in seconds. */
export interface LoopDelay {
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

/** How often the loop is looked at, in milliseconds: a shorter block may go unseen. No JavaScript runs for it. */
const LOOP_LOOK_MS = 10;

/** Watches the event loop from now on; each call of what it gives tells how it did since the call before. */
export function watchLoop(): () => LoopDelay {
  const intervals = monitorEventLoopDelay({ resolution: LOOP_LOOK_MS });
  intervals.enable();
  const late = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - LOOP_LOOK_MS) / 1000;
  return () => {
    const { max } = intervals;
    const delay = { p99: late(intervals.percentile(99)), p999: late(intervals.percentile(99.9)), max: late(max) };
    intervals.reset();
    return delay;
  };
}

function clamp(ms: number): number {
  return Math.min(Math.max(ms, 0), LONGEST_DELAY_MS);
}

/** A number from 0 to 1, as `Math.random` gives. */
export type Random = () => number;

/** `value` moved by up to `share` of itself in either direction, so that many do not act at once. */
export function jitter(value: number, share: number, random: Random): number {
  return value * (1 - share + 2 * share * random());
}
