/** What happens to streams while others read and write them. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Deployment } from './deployment.ts';
import { STREAMS } from './deployment.ts';
import type { Fault, Length } from './fault.ts';

export const STREAM_FAULTS: readonly Fault[] = [
  {
    name: 'everything is flushed while producers write',
    run: async (deployment) => {
      await deployment.truth.destroy([...STREAMS.keys()], [['FLUSHALL']], (history, at) => history.breakAt(0, at));
      await delay(500);
    },
  },
  { name: 'a stream is deleted and made again with smaller ids', run: deleted },
  { name: 'a stream is deleted again and again while producers write', run: deletedAgain },
  { name: 'a stream is trimmed past those who are away', run: trimmedWhileAway },
  { name: 'a stream is trimmed again and again under its readers', run: trimmedAgain },
  { name: 'a stream is drained to nothing and goes on', run: drained },
  { name: 'a stream is a string for a while', run: replaced },
];

async function deleted(deployment: Deployment): Promise<void> {
  await deployment.pauseWriting();
  await deployment.truth.destroy(['s:1'], [['DEL', 's:1']], (history, at) => history.breakAt(0, at));
  for (let number = 1; number <= 5; number += 1) await deployment.scribe.write('s:1', `${number}-1`);
  await delay(500);
  deployment.resumeWriting();
  await delay(500);
}

async function deletedAgain(deployment: Deployment, length: Length): Promise<void> {
  for (let time = 0; time < (length === 'short' ? 5 : 30); time += 1) {
    await deployment.truth.destroy(['s:2'], [['DEL', 's:2']], (history, at) => history.breakAt(0, at));
    await delay(deployment.dice.below(400));
  }
}

async function trimmedWhileAway(deployment: Deployment): Promise<void> {
  const away = deployment.clients.filter(({ log }) => /^(late|hopping|cut)/.test(log.name));
  for (const client of away) client.goAway();
  await delay(700);
  await trim(deployment, 's:2', 10);
  await trim(deployment, 's:3', 3);
  await delay(200);
  for (const client of away) client.comeBack();
  await delay(300);
}

async function trimmedAgain(deployment: Deployment, length: Length): Promise<void> {
  for (let time = 0; time < (length === 'short' ? 10 : 60); time += 1) {
    await trim(deployment, 's:1', deployment.dice.below(4));
    await delay(deployment.dice.below(100));
  }
}

async function drained(deployment: Deployment): Promise<void> {
  await deployment.pauseWriting();
  await deployment.reachesEverybody();
  for (const stream of STREAMS.keys()) await trim(deployment, stream, 0);
  await delay(500);
  deployment.resumeWriting();
  await delay(300);
}

async function trim(deployment: Deployment, stream: string, length: number): Promise<void> {
  const command = ['XTRIM', stream, 'MAXLEN', `${length}`];
  await deployment.truth.destroy([stream], [command], (history) => history.trimTo(length));
}

/** Its channel is told, the others on the same connection go on, and nothing is lost. */
async function replaced(deployment: Deployment): Promise<void> {
  const { truth, excuses } = deployment;
  const excuse = { reason: 'source-error', feed: 's:1', from: performance.now(), to: Number.POSITIVE_INFINITY };
  excuses.push(excuse);
  await truth.destroy(
    ['s:1'],
    [
      ['RENAME', 's:1', 'aside'],
      ['SET', 's:1', 'text'],
    ],
    () => undefined,
  );
  await delay(1_500);
  await truth.run(['DEL', 's:1'], ['RENAME', 'aside', 's:1']);
  excuse.to = performance.now() + 30_000;
}
