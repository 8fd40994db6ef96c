/** SIGHUP: what a changed configuration does to a gateway that runs, and to those who are connected. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { addEntry, addNumbered, assertGap } from '../support/entries.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { isPublished, openData } from '../support/gateway-events.ts';
import { heard } from '../support/heard.ts';
import { INSPECTED, inspect } from '../support/inspector.ts';
import type { Owner } from '../support/owner.ts';
import { startRedis } from '../support/redis.ts';
import { scratchFolder } from '../support/scratch.ts';
import { waitFor } from '../support/wait.ts';

const TAKEN = 'the configuration was read again and is in effect';
const KEPT = 'the configuration could not be taken; the one before stays in effect';
const OPEN = 'allow: {subscribe: ["*"], publish: ["*"], admin: ["*"]}\n';

/** What may stay on the heap of 180 reloads, in bytes: code that was compiled meanwhile, and what the engine has learnt. */
const HEAP_GROWTH_BYTES = 16 * 2 ** 20;

/** A gateway whose file can be written anew. */
class Reloaded {
  readonly gateway: Gateway;
  readonly #file: string;

  constructor(gateway: Gateway, file: string) {
    this.gateway = gateway;
    this.#file = file;
  }

  /** Writes the file and signals; settles when the log says that it was taken, or not. */
  async with(text: string, outcome = TAKEN): Promise<void> {
    await writeFile(this.#file, text);
    await this.again(outcome);
  }

  async again(outcome = TAKEN): Promise<void> {
    const before = this.#count(outcome);
    this.gateway.child.signal('SIGHUP');
    await waitFor(`the log to say "${outcome}" once more`, () => this.#count(outcome) > before);
  }

  #count(text: string): number {
    return this.gateway.child.stderr.split(text).length - 1;
  }
}

async function start(owner: Owner, text: string, env: Readonly<Record<string, string>> = {}): Promise<Reloaded> {
  const folder = await scratchFolder(owner);
  const file = join(folder, 'changing.yaml');
  await writeFile(file, text);
  const gateway = await startGateway(owner, { args: ['--config', file], env });
  return new Reloaded(gateway, file);
}

describe('a configuration that is read again', () => {
  test('leaves streams alone whose channel is as before, and adds and removes others', async (t) => {
    const redis = await startRedis(t);
    const source = `redis: ${redis.url}\n`;
    const reloaded = await start(t, `${source}channels: {kept: {}, gone: {}, lobby: {memory: true}}\n${OPEN}`);
    const { gateway } = reloaded;
    const kept = await heard(t, gateway, '/events/kept');
    const gone = await heard(t, gateway, '/events/gone');
    const both = await heard(t, gateway, '/events?channel=gone&channel=lobby');
    await reloaded.with(`${source}channels: {kept: {replay: 5}, lobby: {memory: true}, come: {}}\n${OPEN}`);
    assert.deepEqual(JSON.parse((await gone.next()).data), { channel: 'gone', reason: 'removed' });
    assert.equal(await gone.ended(), 'complete');
    assert.equal((await both.next()).type, 'gateway.end');
    await gateway.publish('lobby', 'still here');
    assert.equal((await both.next()).data, 'still here');
    await redis.client().publish('kept', 'one');
    assert.equal((await kept.next()).data, 'one');
    assert.equal((await gateway.get('/events/gone')).status, 404);
    await gateway.stream(t, '/events/come').opened();
    const late = gateway.stream(t, '/events/kept');
    await late.opened();
    assert.equal((await late.next()).data, 'one', 'the new replay');
  });

  test('tells clients of a channel that reads something else now, at the place where it does', async (t) => {
    const redis = await startRedis(t);
    const source = `redis: ${redis.url}\n`;
    const reloaded = await start(t, `${source}channels: {news: {pubsub: old}}\n${OPEN}`);
    const stream = await heard(t, reloaded.gateway, '/events/news');
    await redis.client().publish('old', 'before');
    const { id } = await stream.next();
    await reloaded.with(`${source}channels: {news: {pubsub: new}}\n${OPEN}`);
    assert.equal(await stream.ended(), 'complete');
    const back = await heard(t, reloaded.gateway, '/events/news', { lastEventId: id ?? '' });
    assertGap(await back.next(), 'news', 'reset');
    await redis.client().publish('old', 'unheard');
    await redis.client().publish('new', 'after');
    assert.equal((await back.next()).data, 'after');
  });

  test('tells clients of a stream channel that reads another stream, whose positions look like their own', async (t) => {
    const redis = await startRedis(t);
    const client = redis.client();
    await addNumbered(client, 'old:a', 1, 4);
    for (let number = 1; number <= 6; number += 1) await addEntry(client, 'new:a', `new ${number}`, `${number}-0`);
    const text = (name: string) =>
      `redis: ${redis.url}\nchannels: {"s.{n}": {stream: "${name}:{n}"}, ps: {pubsub: ${name}}, lobby: {memory: true}}\n${OPEN}`;
    const reloaded = await start(t, text('old'));
    const { gateway } = reloaded;
    const paths = ['/events/s.a', '/events?channel=s.a&channel=lobby', '/events?channel=s.a&channel=ps'];
    const streams = await Promise.all(paths.map((path) => heard(t, gateway, path)));
    await addNumbered(client, 'old:a', 5, 5);
    for (const stream of streams) assert.equal((await stream.next()).data, '5');
    await reloaded.with(text('new'));
    for (const [index, stream] of streams.entries()) {
      const gap = await stream.next();
      assert.equal(assertGap(gap, 's.a', 'reset').after, '5-0');
      assert.equal(await stream.ended(), 'complete');
      const back = await heard(t, gateway, paths[index] ?? '', { lastEventId: gap.id });
      assert.equal(openData(await back.opened()).resumed, true);
      await back.until('all of it', () => back.events.filter(isPublished).length === 6);
      assert.deepEqual(
        back.events.filter(isPublished).map(({ data }) => data),
        [1, 2, 3, 4, 5, 6].map((number) => `new ${number}`),
      );
    }
  });

  test('takes rights away from who is connected, and gives new ones at once', async (t) => {
    const channels = 'channels: {a: {memory: true}, b: {memory: true}}\n';
    const reloaded = await start(t, `${channels}allow: {subscribe: [a]}\n`);
    const { gateway } = reloaded;
    const stream = gateway.stream(t, '/events/a');
    await stream.opened();
    assert.equal((await gateway.get('/events/b')).status, 401);
    await reloaded.with(`${channels}allow: {subscribe: [b], publish: [b]}\n`);
    assert.equal(await stream.ended(), 'complete');
    assert.equal((await gateway.get('/events/a')).status, 401);
    await gateway.stream(t, '/events/b').opened();
    assert.equal((await gateway.post('b', 'x')).status, 200);
  });

  test('that is broken, missing or half-written changes nothing and says why with its line', async (t) => {
    const good = `channels: {news: {memory: true}}\n${OPEN}`;
    const reloaded = await start(t, good);
    const { gateway } = reloaded;
    const stream = gateway.stream(t, '/events/news');
    await stream.opened();
    for (const text of ['channels: {news: {memory: true}\n', 'channels: {news: {memry: true}}\n', '']) {
      await reloaded.with(text, KEPT);
    }
    assert.match(gateway.child.stderr, /changing\.yaml:1:\d+: channels\.news\.memry/);
    await gateway.publish('news', 'goes on');
    assert.equal((await stream.next()).data, 'goes on');
    assert.match(await (await gateway.get('/metrics')).text(), /config_reload_failed_total 3\n/);
    await reloaded.with(good);
    await gateway.publish('news', 'and on');
    assert.equal((await stream.next()).data, 'and on');
  });

  test('loses nothing under load, and hundreds of them leave nothing behind', async (t) => {
    const redis = await startRedis(t);
    const texts = [5, 6].map(
      (events) =>
        `redis: ${redis.url}\nserver: {heartbeat: ${events}s}\nchannels: {kept: {history: {events: ${events}}}, "s.{n}": {stream: "s:{n}"}}\n${OPEN}`,
    );
    const reloaded = await start(t, texts[0] ?? '', INSPECTED);
    const { gateway } = reloaded;
    const inspector = await inspect(t, gateway.child);
    const streams = [
      await heard(t, gateway, '/events/kept'),
      await heard(t, gateway, '/events?channel=s.1&channel=kept'),
    ];
    const client = redis.client();
    let sent = 0;
    const round = async (): Promise<void> => {
      for (let left = 10; left > 0; left -= 1) await client.publish('kept', `${sent++}`);
      await reloaded.with(texts[(sent / 10) % 2] ?? '');
    };
    for (let i = 0; i < 20; i += 1) await round();
    const [connections, heap] = [await gateway.connections(), await inspector.heapBytes()];
    for (let i = 0; i < 180; i += 1) await round();
    for (const stream of streams) {
      const events = await stream.take(sent);
      assert.deepEqual(
        events.map(({ data }) => Number(data)),
        Array.from({ length: sent }, (_, index) => index),
      );
    }
    assert.ok((await gateway.connections()) <= connections, 'connections');
    const grown = (await inspector.heapBytes()) - heap;
    assert.ok(grown < HEAP_GROWTH_BYTES, `${Math.round(grown / 1024)} KiB more on the heap`);
  });
});
