/** What happens to gateways. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Deployment } from './deployment.ts';
import type { Fault, Length } from './fault.ts';

export const GATEWAY_FAULTS: readonly Fault[] = [
  { name: 'one of two gateways is killed and its clients go on with the other', gateways: 2, run: oneKilled },
  { name: 'the gateway is killed while it writes and comes back at the same port', run: restarted },
];

async function oneKilled(deployment: Deployment, length: Length): Promise<void> {
  await deployment.disturb(async () => {
    for (const site of deployment.sites) {
      await deployment.killSite(site);
      await delay(length === 'short' ? 1_500 : 5_000);
      await deployment.startSite(site);
      await delay(300);
    }
  });
}

async function restarted(deployment: Deployment, length: Length): Promise<void> {
  await deployment.disturb(async () => {
    for (let time = 0; time < (length === 'short' ? 2 : 10); time += 1) {
      await deployment.killSite(deployment.site);
      await deployment.startSite(deployment.site);
      await delay(500);
    }
  });
}
