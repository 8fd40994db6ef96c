/** What happens when Sentinels promote a replica. */
import { setTimeout as delay } from 'node:timers/promises';
import type { RedisServer } from '../../support/redis.ts';
import type { Watched } from '../../support/sentinel.ts';
import type { Deployment } from './deployment.ts';
import type { Fault } from './fault.ts';

export const FAIL_OVERS: readonly Fault[] = [
  {
    name: 'Sentinels promote a replica that has everything',
    sentinel: true,
    run: (deployment) => promote(deployment, (watched) => watched.failOver()),
  },
  { name: 'Sentinels promote a replica that misses what was acknowledged', sentinel: true, run: losing },
];

/** Writers go on writing to the old primary, which nobody follows any more, until there is a new one. */
async function losing(deployment: Deployment): Promise<void> {
  const old = deployment.redis;
  await promote(deployment, async (watched) => {
    const replica = await watched.replica();
    await watched.isolate(old);
    deployment.resumeWriting();
    await watched.promoted(replica);
    await deployment.pauseWriting();
    return replica;
  });
}

/** `how` begins while nobody writes, and ends with the new primary while nobody writes. */
async function promote(deployment: Deployment, how: (watched: Watched) => Promise<RedisServer>): Promise<void> {
  const { watched, truth } = deployment;
  if (watched === undefined) throw new Error('there are no Sentinels');
  const other = watched.servers.find((server) => server !== deployment.redis) ?? watched.servers[1];
  await watched.rejoin(other);
  await watched.inSync(other);
  await deployment.disturb(async () => {
    const disaster = async () => {
      deployment.redis = await how(watched);
    };
    await truth.fork(() => deployment.pauseWriting(), disaster);
    deployment.resumeWriting();
    await delay(1_000);
  });
}
