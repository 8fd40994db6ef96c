/** A source whose primary is watched by real Sentinels: what is read and written follows every fail-over. */
import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { systemClock } from '../../src/clock.ts';
import { OutcomeUnknownError, SourceDownError } from '../../src/errors.ts';
import { RedisSource } from '../../src/source/redis-source.ts';
import type { Feed } from '../../src/source/source.ts';
import { Hearing } from '../source/hearing.ts';
import { silent } from '../support/core.ts';
import { startGateway } from '../support/gateway.ts';
import { gapData } from '../support/gateway-events.ts';
import { heard } from '../support/heard.ts';
import type { RedisServer } from '../support/redis.ts';
import { startWatched, type Watched } from '../support/sentinel.ts';
import { waitFor } from '../support/wait.ts';

const A: Feed = { kind: 'pubsub', name: 'a' };
/** From the promotion of a server until the source must be there, in milliseconds: 10 s, and the rest is for a busy machine. */
const FOLLOWED_MS = 30_000;

/** Sentinels that were held up themselves do nothing for half a minute. */
const LONG = { timeout: 300_000 };

function start(t: TestContext, watched: Watched) {
  const source = new RedisSource({
    name: 'main',
    address: watched.address,
    prefix: '',
    valueLimit: 65_536,
    clock: systemClock,
    random: Math.random,
    logger: silent,
  });
  const hearing = new Hearing();
  source.start(hearing);
  t.after(() => source.stop());
  source.follow(A);
  return { source, hearing };
}

type Started = ReturnType<typeof start>;

/** Publishes until it is taken, and settles when it was heard; nothing is published twice. */
async function passes({ source, hearing }: Started, text: string): Promise<void> {
  await waitFor(
    () => `"${text}" to be published: ${source.status().detail}`,
    () =>
      source.publish(A, { data: Buffer.from(text) }).then(
        () => true,
        (error: unknown) => {
          assert.ok(error instanceof SourceDownError, String(error));
          return false;
        },
      ),
    FOLLOWED_MS,
  );
  await hearing.hears(`a ${text}`);
}

/** Settles when the feed is heard on a new link, soon enough after now. */
async function follows({ source, hearing }: Started, times: number): Promise<void> {
  const before = performance.now();
  await hearing.hears('confirmed a', times);
  await waitFor('all links to stand', () => source.status().up, FOLLOWED_MS);
  assert.ok(performance.now() - before < FOLLOWED_MS);
}

const payloadsOf = ({ hearing }: Started): string[] => hearing.told.filter((each) => /^a /.test(each));

/** Settles when no link of a source is connected to a server. */
async function isLeft(watched: Watched, server: RedisServer): Promise<void> {
  await waitFor('the server to be left', async () => {
    const client = watched.client(server);
    const list = await client.command('CLIENT', 'LIST').catch(() => undefined); // who is demoted closes all connections
    client.close();
    return list !== undefined && !String(list).includes('name=sse-gateway-');
  });
}

describe('a source with Sentinels', { concurrency: 4 }, () => {
  test('reads and writes at the primary, and follows an ordered fail-over there and back', LONG, async (t) => {
    const watched = await startWatched(t);
    const started = start(t, watched);
    await started.hearing.hears('confirmed a');
    await passes(started, 'one');
    for (const round of [2, 3]) {
      const old = await watched.primary();
      const primary = await watched.failOver();
      await follows(started, round);
      await passes(started, `round ${round}`);
      await watched.client(primary).publish('a', `from outside ${round}`);
      await started.hearing.hears(`a from outside ${round}`);
      await isLeft(watched, old);
      await watched.inSync(old);
    }
    const told = [1, 2, 3].flatMap((round) => (round === 1 ? ['confirmed a'] : ['lost a', 'confirmed a']));
    assert.deepEqual(
      started.hearing.told.filter((each) => !/^a /.test(each)),
      told,
    );
    assert.equal(new Set(payloadsOf(started)).size, payloadsOf(started).length);
  });

  test(
    'leaves a primary that is stopped for the promoted one; what was on its way is unknown and not sent again',
    LONG,
    async (t) => {
      const watched = await startWatched(t);
      const started = start(t, watched);
      await started.hearing.hears('confirmed a');
      await passes(started, 'before');
      const [old, replica] = watched.servers;
      old.freeze();
      const lost = started.source.publish(A, { data: Buffer.from('lost') });
      const judged = assert.rejects(lost, OutcomeUnknownError);
      await watched.promoted(replica);
      await follows(started, 2);
      await judged;
      await passes(started, 'after');
      old.thaw();
      await watched.inSync(old);
      await passes(started, 'healed');
      assert.deepEqual(payloadsOf(started), ['a before', 'a after', 'a healed']);
    },
  );

  test('leaves a primary that is killed, and comes to it again when it is promoted', LONG, async (t) => {
    const watched = await startWatched(t);
    const started = start(t, watched);
    await started.hearing.hears('confirmed a');
    const [first, second] = watched.servers;
    await first.kill();
    await watched.promoted(second);
    await follows(started, 2);
    await passes(started, 'second');
    await first.start();
    await watched.inSync(first);
    await second.kill();
    await watched.promoted(first);
    await follows(started, 3);
    await passes(started, 'first');
  });

  test('leaves a primary that is cut off from everybody else and still takes writes', LONG, async (t) => {
    const watched = await startWatched(t);
    const started = start(t, watched);
    await started.hearing.hears('confirmed a');
    const [old, replica] = watched.servers;
    await watched.isolate(old);
    await watched.promoted(replica);
    assert.deepEqual([await watched.client(old).command('ROLE')].flat()[0], 'master');
    await follows(started, 2);
    await isLeft(watched, old);
    await watched.client(old).publish('a', 'to the wrong side');
    await passes(started, 'to the right side');
    await watched.rejoin(old);
    await watched.inSync(old);
    await passes(started, 'healed');
    assert.deepEqual(payloadsOf(started), ['a to the right side', 'a healed']);
  });

  test('is what a gateway serves: a gap for pub/sub, none for streams, and nobody is cut off', LONG, async (t) => {
    const watched = await startWatched(t);
    const config = `sources: {main: {sentinel: ${watched.yaml}}}
allow: {subscribe: ["*"], publish: ["*"]}
channels: {news: {}, log: {stream: log, replay: all}}
`;
    const gateway = await startGateway(t, { config });
    await gateway.becomes(200);
    const news = await heard(t, gateway, '/events/news');
    const log = await heard(t, gateway, '/events/log');
    assert.equal((await gateway.post('log', '1')).status, 200);
    const replica = watched.client(await watched.replica());
    await waitFor('the replica to have it', async () => (await replica.command('XLEN', 'log')) === 1);
    const primary = await watched.failOver();
    assert.equal(gapData(await news.next()).reason, 'source-lost');
    await gateway.becomes(200);
    for (const channel of ['news', 'log']) assert.equal((await gateway.post(channel, '2')).status, 200);
    await watched.client(primary).command('XADD', 'log', '*', 'data', '3');
    const seen = [await log.next(), await log.next(), await log.next()].map(({ data }) => data);
    assert.deepEqual([(await news.next()).data, ...seen], ['2', '1', '2', '3']);
    assert.deepEqual([news.end, log.end], [undefined, undefined]);
    for (const { client } of watched.sentinels) {
      const connections = async () =>
        [...String(await client.command('CLIENT', 'LIST')).matchAll(/name=sse-gateway/g)].length;
      await waitFor('one connection to each Sentinel', async () => (await connections()) === 1);
    }
    assert.doesNotMatch(gateway.child.stderr, /pw\b|password/);
  });

  test('needs one Sentinel to begin with, whatever has become of the others', LONG, async (t) => {
    const watched = await startWatched(t);
    const [one, two] = watched.sentinels;
    await one?.kill();
    two?.freeze();
    const started = start(t, watched);
    await started.hearing.hears('confirmed a');
    await passes(started, 'heard');
  });

  test(
    'follows a fail-over also where a Sentinel was stopped meanwhile and names the old primary afterwards',
    LONG,
    async (t) => {
      const watched = await startWatched(t);
      const started = start(t, watched);
      await started.hearing.hears('confirmed a');
      const [one, two] = watched.sentinels;
      one?.freeze();
      const [old, replica] = watched.servers;
      await watched.isolate(old);
      await watched.promoted(replica);
      await follows(started, 2);
      two?.freeze();
      one?.thaw();
      await passes(started, 'still there');
      await isLeft(watched, old);
      assert.equal(started.hearing.told.filter((each) => each === 'lost a').length, 1);
    },
  );
});
