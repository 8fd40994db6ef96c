/** The checker is believed because it catches a proxy that lies, whatever it lies about. */
import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { dice } from '../../support/random.ts';
import { waitFor } from '../../support/wait.ts';
import { startClient } from './client.ts';
import { type Deployment, deploy } from './deployment.ts';
import { describeFindings, type Finding } from './finding.ts';
import { History } from './history.ts';
import { Journal } from './journal.ts';
import { judge } from './judgement.ts';
import { LIES, Liar, type Lie, startLyingProxy } from './lying-proxy.ts';
import { keyOf, makePayload, randomBody } from './payload.ts';
import { startTruthfulServer } from './truthful-server.ts';

const SEEDS = Array.from({ length: 10 }, (_, index) => index + 1);

/** Which findings each lie may lead to: one of them must be there. */
const CAUGHT_AS: Readonly<Record<(typeof LIES)[number], readonly Finding['kind'][]>> = {
  drop: ['lost', 'unannounced'],
  repeat: ['duplicated'],
  swap: ['lost', 'unannounced', 'out-of-order'],
  alter: ['corrupt'],
  move: ['lost', 'unannounced', 'out-of-order'],
  'swap-ids': ['wrong-id'],
  'forge-gap': ['false-gap'],
  'hide-gap': ['unannounced'],
};

describe('a proxy between gateway and client', () => {
  test('that tells the truth is not called a liar on any seed', async (t) => {
    for (const { findings } of await onEverySeed(t, 'none')) {
      assert.deepEqual(findings, [], describeFindings(findings, 0));
    }
  });

  for (const lie of LIES) {
    test(`is caught on every seed: ${lie}`, async (t) => {
      for (const { seed, findings, told } of await onEverySeed(t, lie)) {
        assert.ok(told, `seed ${seed}: the proxy had nothing to lie about`);
        const kinds = findings.map(({ kind }) => kind);
        assert.ok(
          CAUGHT_AS[lie].some((kind) => kinds.includes(kind)),
          `seed ${seed}: found only ${JSON.stringify(findings)}`,
        );
      }
    });
  }

  test('is caught in front of the gateway itself, and nobody else is accused', async (t) => {
    const deployment = await deploy(t, {
      seed: 1,
      persistence: 'saved',
      gateways: 1,
      sentinel: false,
      rate: 200,
      patienceMs: 60_000,
    });
    const lies = LIES.filter((lie) => lie !== 'hide-gap');
    const lied = await Promise.all(lies.map((lie, index) => followThrough(t, deployment, lie, 5 + index)));
    await waitFor('all lies to be told', () => lied.every(({ told }) => told));
    const findings = await deployment.verdict();
    const accused = new Set(findings.map(({ who }) => who));
    assert.deepEqual([...accused].sort(), [...lies].sort(), describeFindings(findings, deployment.startedAt));
  });
});

function onEverySeed(t: TestContext, lie: Lie) {
  return Promise.all(SEEDS.map(async (seed) => ({ seed, ...(await listen(t, lie, seed)) })));
}

/** A client of the truthful server behind the proxy: it sees 40 entries, is cut, and comes back after a trim. */
async function listen(t: TestContext, lie: Lie, seed: number) {
  const chance = dice(seed);
  const journal = new Journal();
  const history = new History();
  const server = await startTruthfulServer(t);
  const liar = new Liar(lie, 1 + chance.below(15));
  const proxy = await startLyingProxy(t, server.port, () => liar);
  const client = startClient(t, {
    ...{ name: 'listener', habit: 'steady', channels: new Map([['s.1', 's:1']]), dice: chance },
    gateways: () => [proxy.url],
  });
  await waitFor('the client', () => client.isOpen);
  let seq = 0;
  const write = (count: number) => {
    for (let written = 0; written < count; written += 1) {
      seq += 1;
      const stamp = { feed: 's:1', producer: 'p', seq, type: 'message' };
      const payload = makePayload(stamp, randomBody(chance));
      const intent = journal.intend(keyOf(stamp), stamp, payload);
      const id = `${1_000 + seq}-0`;
      history.add(id, intent.key);
      journal.acknowledge(intent, id);
      server.add({ id, type: 'message', data: payload });
    }
  };
  write(20 + chance.below(10));
  const reached = () => waitFor('the end', () => client.received.has(`s:1 p ${seq}`)).catch(() => false);
  await reached();
  client.goAway();
  await waitFor('the client to be away', () => client.log.seen.at(-1)?.kind === 'closed');
  write(10);
  server.trimTo(5);
  history.trimTo(5);
  client.comeBack();
  await reached();
  await client.stop();
  const histories = new Map([['s:1', history]]);
  const findings = judge({
    logs: [client.log],
    journal,
    histories,
    excuses: [],
    disturbances: [],
    finished: true,
    forked: false,
  });
  return { findings, told: liar.told };
}

async function followThrough(t: TestContext, deployment: Deployment, lie: Lie, at: number): Promise<Liar> {
  const liar = new Liar(lie, at);
  const proxy = await startLyingProxy(t, deployment.site.port, () => liar);
  const channels = new Map([['s.1', 's:1']]);
  const client = startClient(t, { name: lie, habit: 'steady', channels, gateways: () => [proxy.url], dice: dice(at) });
  deployment.clients.push(client);
  return liar;
}
