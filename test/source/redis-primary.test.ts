/** Which server a link goes to where Sentinels know it: whose word counts, and when a link is given up for another. */
import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { SentinelAddress } from '../../src/config/redis-url.ts';
import { RedisLink } from '../../src/source/redis-link.ts';
import { FakeClock } from '../client/fake-clock.ts';
import { silent } from '../support/core.ts';
import { freePort } from '../support/scratch.ts';
import { type Answer, obliging, pushed, type ScriptedRedis, startScriptedRedis } from '../support/scripted-redis.ts';
import { Watch, waitFor } from '../support/wait.ts';

/** What a Sentinel says of the primary. */
interface Word {
  readonly port: number;
  /** Undefined where its state cannot be read. */
  readonly epoch: number | undefined;
}

const naming =
  ({ port, epoch }: Word): Answer =>
  (command, connection) => {
    if (command[0] !== 'sentinel') return obliging(command, connection);
    if (command[1] === 'get-master-addr-by-name') return pushed('127.0.0.1', `${port}`);
    if (epoch === undefined) return "-NOPERM this user has no permissions to run the 'sentinel|master' command\r\n";
    return pushed('name', `${command[2]}`, 'flags', 'master', 'config-epoch', `${epoch}`, 'quorum', '2');
  };

/** A server that says what it is. */
const being =
  (role: 'master' | 'slave'): Answer =>
  (command, connection) =>
    command[0] === 'role' ? pushed(role, 0, 'x') : obliging(command, connection);

const portOf = (redis: ScriptedRedis): number => redis.address.port;

/** A primary, another server, and Sentinels that name the first. */
async function stage(t: TestContext, count = 3) {
  const [first, second] = [await startScriptedRedis(t), await startScriptedRedis(t)];
  for (const server of [first, second]) server.answer = being('master');
  const sentinels: ScriptedRedis[] = [];
  for (let i = 0; i < count; i += 1) sentinels.push(await startScriptedRedis(t));
  for (const sentinel of sentinels) sentinel.answer = naming({ port: portOf(first), epoch: 1 });
  const nodes = sentinels.map(({ address: { host, port } }) => ({ host, port }));
  const address: SentinelAddress = {
    sentinel: { name: 'mymaster', nodes, password: 's2' },
    db: 0,
    tls: false,
    password: 's1',
  };
  return { first, second, sentinels, address, clock: new FakeClock() };
}

type Stage = Awaited<ReturnType<typeof stage>>;

function link(t: TestContext, { address, clock }: Pick<Stage, 'address' | 'clock'>) {
  const told: string[] = [];
  const watch = new Watch();
  const tell = (what: string): void => {
    told.push(what);
    watch.changed();
  };
  const user = { up: () => tell('up'), down: () => tell('down') };
  const link = new RedisLink({ address, purpose: 'test', clock, random: () => 0.5, logger: silent }, user);
  t.after(() => link.stop());
  link.start();
  const hears = (what: string, times = 1): Promise<boolean> =>
    watch.until(
      () => `"${what}" for the ${times}. time; told: ${told}; problem: ${link.problem}`,
      () => told.filter((each) => each === what).length >= times,
    );
  return { link, told, hears };
}

function sentinelOf({ sentinels }: Stage, index: number): ScriptedRedis {
  return sentinels[index] ?? assert.fail('there are not so many');
}

/** How often it was asked which server is the primary. */
const questions = (sentinel: ScriptedRedis | undefined): number =>
  sentinel?.commands.filter((command) => command.startsWith('sentinel get-master-addr')).length ?? 0;

/** Lets time pass in steps, so that what a timer begins can be answered, until something holds. */
async function passing(clock: FakeClock, what: string, probe: () => boolean): Promise<void> {
  await waitFor(what, () => {
    if (probe()) return true;
    clock.advance(100);
    return false;
  });
}

describe('a link with Sentinels', () => {
  test('goes to the server that they name, each with its own password', async (t) => {
    const scene = await stage(t);
    const { hears } = link(t, scene);
    await hears('up');
    assert.ok(scene.first.commands.includes('auth s1'));
    for (const sentinel of scene.sentinels) {
      assert.ok(sentinel.commands.includes('auth s2'));
      assert.ok(!sentinel.commands.includes('auth s1'));
    }
  });

  test('believes the newest fail-over, whoever else still names the old primary', async (t) => {
    const scene = await stage(t);
    sentinelOf(scene, 1).answer = naming({ port: portOf(scene.second), epoch: 2 });
    const { hears } = link(t, scene);
    await hears('up');
    assert.equal(scene.first.connections.length, 0);
  });

  test('believes most of them where the fail-over is the same, or cannot be read', async (t) => {
    for (const epoch of [1, undefined]) {
      const scene = await stage(t);
      const ports = [scene.first, scene.second, scene.second].map(portOf);
      for (const [i, sentinel] of scene.sentinels.entries()) sentinel.answer = naming({ port: ports[i] ?? 0, epoch });
      await link(t, scene).hears('up');
      assert.equal(scene.first.connections.length, 0);
    }
  });

  test('is there as long as one of them answers, however the others fail', async (t) => {
    const scene = await stage(t);
    const [one, two] = scene.sentinels;
    assert.ok(one !== undefined && two !== undefined);
    one.answer = () => undefined;
    two.answer = (command) => (command[0] === 'sentinel' ? '*-1\r\n' : '+OK\r\n');
    const nodes = [{ host: '127.0.0.1', port: await freePort() }, ...scene.address.sentinel.nodes];
    const { hears } = link(t, {
      ...scene,
      address: { ...scene.address, sentinel: { ...scene.address.sentinel, nodes } },
    });
    await one.until('the silent one to be asked', () => one.commands.length > 0);
    await waitFor('the last one to answer', () => questions(scene.sentinels[2]) > 0);
    await passing(scene.clock, 'the link', () => scene.first.connections.length > 0);
    await hears('up');
  });

  test('tries again, later and later, while nobody knows, and says why without an address or password', async (t) => {
    const cases: readonly (readonly [answer: Answer, problem: RegExp])[] = [
      [() => undefined, /^no Sentinel answers$/],
      [
        (command, connection) => (command[0] === 'sentinel' ? '*-1\r\n' : obliging(command, connection)),
        /^the Sentinels watch no primary/,
      ],
      [
        (command) =>
          command[0] === 'auth' ? '-WRONGPASS invalid password\r\n' : '-NOAUTH Authentication required.\r\n',
        /^(NOAUTH|WRONGPASS): the Sentinels refuse/,
      ],
    ];
    for (const [answer, problem] of cases) {
      const scene = await stage(t);
      for (const sentinel of scene.sentinels) sentinel.answer = answer;
      const { link: one, told } = link(t, scene);
      await passing(scene.clock, `the problem ${problem}`, () => problem.test(one.problem ?? ''));
      assert.doesNotMatch(one.problem ?? '', /s1|s2|127/);
      for (const sentinel of scene.sentinels) sentinel.answer = naming({ port: portOf(scene.first), epoch: 1 });
      await passing(scene.clock, 'the link', () => told.includes('up'));
    }
  });

  test('does not stand on a replica, and does where ROLE is not allowed', async (t) => {
    const scene = await stage(t);
    scene.first.answer = being('slave');
    const { link: one, told, hears } = link(t, scene);
    await waitFor('the replica to be found out', () => /replica/.test(one.problem ?? ''));
    assert.deepEqual(told, []);
    scene.first.answer = (command, connection) =>
      command[0] === 'role'
        ? "-NOPERM this user has no permissions to run the 'role' command\r\n"
        : obliging(command, connection);
    scene.clock.advance(1000);
    await hears('up');
  });
});

describe('a fail-over', () => {
  test('takes all links of the source along within 3 s, whether the old primary is up or silent', async (t) => {
    for (const old of [being('master'), () => undefined]) {
      const scene = await stage(t);
      const links = [link(t, scene), link(t, scene)];
      for (const { hears } of links) await hears('up');
      scene.first.answer = old;
      sentinelOf(scene, 2).answer = naming({ port: portOf(scene.second), epoch: 2 });
      const before = scene.clock.now();
      await passing(scene.clock, 'both links', () => links.every(({ told }) => told.length === 3));
      assert.ok(scene.clock.now() - before <= 3000);
      for (const { told } of links) assert.deepEqual(told, ['up', 'down', 'up']);
      await waitFor('the old connections to be closed', () => scene.first.connections.every(({ closed }) => closed));
      assert.equal(scene.second.connections.length, 2);
    }
  });

  test('is not undone when only those answer who have not heard of it', async (t) => {
    const scene = await stage(t);
    const [one] = scene.sentinels;
    assert.ok(one !== undefined);
    one.answer = naming({ port: portOf(scene.second), epoch: 2 });
    sentinelOf(scene, 1).answer = () => undefined;
    const { told } = link(t, scene);
    await passing(scene.clock, 'the link', () => told.includes('up'));
    one.answer = () => undefined;
    const asked = questions(scene.sentinels[2]);
    await passing(scene.clock, 'more questions', () => questions(scene.sentinels[2]) >= asked + 3);
    assert.deepEqual(told, ['up']);
  });

  test('to an older state counts where most Sentinels say it: they were set up anew', async (t) => {
    const scene = await stage(t);
    for (const sentinel of scene.sentinels) sentinel.answer = naming({ port: portOf(scene.first), epoch: 9 });
    const { told, hears } = link(t, scene);
    await hears('up');
    for (const sentinel of scene.sentinels) sentinel.answer = naming({ port: portOf(scene.second), epoch: 0 });
    await passing(scene.clock, 'the other server', () => told.length === 3);
    assert.equal(scene.second.connections.length, 1);
  });

  test('ends the pause of a link that cannot reach the old primary', async (t) => {
    const scene = await stage(t, 1);
    const [sentinel] = scene.sentinels;
    assert.ok(sentinel !== undefined);
    sentinel.answer = naming({ port: await freePort(), epoch: 1 });
    const { link: one, told } = link(t, scene);
    await passing(
      scene.clock,
      'some attempts',
      () => /ECONNREFUSED/.test(one.problem ?? '') && scene.clock.now() > 10_000,
    );
    sentinel.answer = naming({ port: portOf(scene.second), epoch: 2 });
    const before = scene.clock.now();
    await passing(scene.clock, 'the link', () => told.includes('up'));
    assert.ok(scene.clock.now() - before <= 3000);
  });
});

describe('asking', () => {
  test('is done once for all links of a source, on one connection to each Sentinel', async (t) => {
    const scene = await stage(t);
    const links = [link(t, scene), link(t, scene), link(t, scene)];
    for (const { hears } of links) await hears('up');
    const [sentinel] = scene.sentinels;
    const before = questions(sentinel);
    assert.equal(before, 1);
    await passing(scene.clock, 'three more questions', () => questions(sentinel) === before + 3);
    assert.ok(scene.clock.now() >= 3 * 1800, `${scene.clock.now()}`);
    assert.equal(sentinel?.connections.length, 1);
  });

  test('ends with the last link, and leaves no timer and no connection behind', async (t) => {
    const scene = await stage(t);
    const links = [link(t, scene), link(t, scene)];
    for (const { hears } of links) await hears('up');
    for (const { link: one } of links) one.stop();
    assert.deepEqual(scene.clock.pending, []);
    await waitFor('no connection', () =>
      scene.sentinels.every(({ connections }) => connections.every(({ closed }) => closed)),
    );
  });

  test('that begins when the link is stopped leaves nothing behind either', async (t) => {
    const scene = await stage(t);
    for (const sentinel of scene.sentinels) sentinel.answer = () => undefined;
    const { link: one, told } = link(t, scene);
    await waitFor('the questions', () => scene.sentinels.every(({ commands }) => commands.length > 0));
    one.stop();
    await waitFor('no connection', () =>
      scene.sentinels.every(({ connections }) => connections.every(({ closed }) => closed)),
    );
    await waitFor('no timer', () => scene.clock.pending.length === 0);
    assert.deepEqual(told, []);
  });

  test('does not disturb links that stand while no Sentinel answers', async (t) => {
    const scene = await stage(t);
    const { told, hears } = link(t, scene);
    await hears('up');
    for (const sentinel of scene.sentinels) sentinel.answer = () => undefined;
    await passing(scene.clock, 'some questions', () => scene.clock.now() > 12_000);
    assert.deepEqual(told, ['up']);
  });
});
