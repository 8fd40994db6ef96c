/** What happens to Redis as a whole, to its connections and to the wire. */
import { setTimeout as delay } from 'node:timers/promises';
import { waitFor } from '../../support/wait.ts';
import type { Deployment } from './deployment.ts';
import { type Fault, type Length, odd } from './fault.ts';

/** A link that was found dead may take this long to be used again after it has healed, on a busy machine, in milliseconds. */
const RECOVERY_MS = 60_000;

export const REDIS_FAULTS: readonly Fault[] = [
  { name: 'nothing', run: () => delay(1_500) },
  {
    name: 'Redis is killed and comes back with all that it acknowledged',
    persistence: 'always',
    run: (deployment) => killed(deployment, 1_000),
  },
  {
    name: 'Redis is killed and comes back empty',
    persistence: 'saved',
    run: (deployment) => killed(deployment, 500),
  },
  {
    name: 'Redis is killed and comes back as it was some time before',
    persistence: 'saved',
    run: async (deployment) => {
      await deployment.truth.run(['SAVE']);
      await delay(700);
      await killed(deployment, 500);
    },
  },
  { name: 'Redis stops for a while and goes on', run: stopped },
  { name: 'Redis refuses to write because its memory is full', run: full },
  { name: 'Redis cuts all connections every second', run: connectionsCut },
  { name: 'Redis pauses its clients, then sleeps', run: paused },
  { name: 'answers to what the gateway writes are lost with the connection', run: answersLost },
  { name: 'the wire between gateway and Redis goes dead without a word', run: wireDead },
];

async function killed(deployment: Deployment, downMs: number): Promise<void> {
  const { redis, truth } = deployment;
  await deployment.disturb(async () => {
    await truth.across(async () => {
      await redis.kill();
      await delay(downMs);
      await redis.start();
    });
  });
}

async function stopped(deployment: Deployment, length: Length): Promise<void> {
  await deployment.disturb(async () => {
    deployment.redis.freeze();
    await delay(length === 'short' ? 3_000 : 30_000);
    deployment.redis.thaw();
    await deployment.reachesEverybody(RECOVERY_MS);
  });
}

async function full(deployment: Deployment): Promise<void> {
  const before = deployment.producers.map(({ refusals }) => refusals.length);
  const refused = () =>
    deployment.producers
      .filter(({ name }) => !name.startsWith('publish'))
      .every(
        ({ name, refusals }) =>
          refusals.length > (before[deployment.producers.findIndex((each) => each.name === name)] ?? 0),
      );
  await deployment.disturb(async () => {
    await deployment.truth.run(['CONFIG', 'SET', 'maxmemory', '1mb']);
    const inTime = await waitFor('writes to be refused', refused, RECOVERY_MS).catch(() => false);
    if (!inTime) odd(deployment, 'nobody was told that Redis takes no writes');
    await delay(500);
    await deployment.truth.run(['CONFIG', 'SET', 'maxmemory', '0']);
  });
  const reasons = deployment.producers.find(({ name }) => name.startsWith('post'))?.refusals ?? [];
  if (!reasons.some((reason) => /^50[37] .*memory/i.test(reason))) {
    odd(deployment, `no reason for the refusal: ${reasons.at(-1)}`);
  }
}

async function connectionsCut(deployment: Deployment, length: Length): Promise<void> {
  await deployment.site.gateway?.becomes(200); // with all the connections that it needs
  const before = deployment.site.link.connections;
  await deployment.disturb(async () => {
    for (let second = 0; second < (length === 'short' ? 4 : 30); second += 1) {
      const type = second % 2 === 0 ? 'pubsub' : 'normal';
      await deployment.truth.run(['CLIENT', 'KILL', 'TYPE', type]);
      await delay(1_000);
    }
  });
  const count = () => deployment.site.link.connections;
  const same = await waitFor('as many connections as before', () => count() === before, RECOVERY_MS).catch(() => false);
  if (!same) odd(deployment, `${before} connections to Redis before they were cut, ${count()} after`);
}

async function paused(deployment: Deployment, length: Length): Promise<void> {
  const ms = length === 'short' ? 2_000 : 8_000;
  await deployment.disturb(async () => {
    await deployment.truth.run(['CLIENT', 'PAUSE', `${ms}`, 'ALL']);
    await delay(ms);
    await deployment.truth.run(['DEBUG', 'SLEEP', `${ms / 2_000}`]);
    await delay(500);
  });
}

async function answersLost(deployment: Deployment, length: Length): Promise<void> {
  const { link } = deployment.site;
  const times = length === 'short' ? 8 : 100;
  await deployment.disturb(async () => {
    const goal = link.lost + times;
    link.losesAnswersTo = / post-1 \d+ /;
    const enough = await waitFor('answers to be lost', () => link.lost >= goal, RECOVERY_MS + times * 1_500).catch(
      () => false,
    );
    link.losesAnswersTo = undefined;
    if (!enough) odd(deployment, `only ${link.lost - goal + times} of ${times} answers were there to be lost in time`);
  });
}

async function wireDead(deployment: Deployment, length: Length): Promise<void> {
  await deployment.disturb(async () => {
    deployment.site.link.goDark();
    await delay(length === 'short' ? 12_000 : 30_000);
    deployment.site.link.heal();
    await deployment.reachesEverybody(RECOVERY_MS);
  });
}
