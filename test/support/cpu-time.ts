/** How much work something is: unlike the time it takes, that does not depend on what else the machine does. */

/** CPU time of this process that passes while `work` runs, all threads, in milliseconds. */
export async function cpuTimeOf(work: () => unknown): Promise<number> {
  const before = process.cpuUsage();
  await work();
  return process.cpuUsage(before).user / 1000;
}
