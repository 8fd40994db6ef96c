/** Ctrl-C and SIGTERM as a signal that work can be ended by. */

/** What ends the work, and when it may go: a second signal ends the process as if nobody listened. */
export function interruption(): AbortController {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => controller.abort());
  return controller;
}
