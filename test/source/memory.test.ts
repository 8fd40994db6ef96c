/** The memory source: what is published is heard before the answer, and a repeat is known by its key. */
import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { ConflictError, SourceDownError } from '../../src/errors.ts';
import { MemorySource } from '../../src/source/memory.ts';
import type { Feed } from '../../src/source/source.ts';
import { FakeClock } from '../client/fake-clock.ts';
import { Hearing } from './hearing.ts';

const FEED: Feed = { kind: 'memory', name: 'a' };
const once = (key: string, fingerprint = 'same') => ({ key, fingerprint, keep: 1000 });
const message = (text: string) => ({ data: Buffer.from(text) });

let clock: FakeClock;
let source: MemorySource;
let hearing: Hearing;
beforeEach(() => {
  clock = new FakeClock();
  source = new MemorySource('memory', () => clock.now());
  hearing = new Hearing();
  source.start(hearing);
});

describe('the memory source', () => {
  test('hears a message whole before the publisher is answered, and answers with its number', async () => {
    const whole = { data: Buffer.from([0, 255, 13, 10]), type: 'tick', id: 'mine', end: true };
    const answer = source.publish(FEED, whole);
    assert.deepEqual(hearing.messages, [{ feed: FEED, message: whole }]);
    assert.deepEqual(await answer, { kind: 'event', number: 1 });
  });

  test('hears every feed from the moment it is followed, and is never down', () => {
    source.follow(FEED);
    assert.deepEqual([hearing.told, source.status()], [['confirmed a'], { up: true, detail: undefined }]);
  });

  test('refuses where nobody takes what it hears', async () => {
    hearing.deaf = true;
    await assert.rejects(source.publish(FEED, message('x')), SourceDownError);
    source.stop();
    await assert.rejects(source.publish(FEED, message('x')), SourceDownError);
  });
});

describe('a publish with a key', () => {
  test('that is repeated is answered as the first was, and writes nothing', async () => {
    await source.publish(FEED, message('x'), { once: once('k') });
    assert.deepEqual(await source.publish(FEED, message('x'), { once: once('k') }), {
      kind: 'event',
      number: 1,
      duplicate: true,
    });
    assert.equal(hearing.messages.length, 1);
  });

  test('that was used for something else is a conflict', async () => {
    await source.publish(FEED, message('x'), { once: once('k') });
    await assert.rejects(source.publish(FEED, message('y'), { once: once('k', 'other') }), ConflictError);
    assert.equal(hearing.messages.length, 1);
  });

  test('is another one on another feed, with another key, and after its time', async () => {
    await source.publish(FEED, message('x'), { once: once('k') });
    await source.publish({ kind: 'memory', name: 'b' }, message('x'), { once: once('k') });
    await source.publish(FEED, message('x'), { once: once('l') });
    clock.advance(1000);
    await source.publish(FEED, message('x'), { once: once('k') });
    assert.equal(hearing.messages.length, 4);
  });

  test('that was refused may be tried again', async () => {
    hearing.deaf = true;
    await assert.rejects(source.publish(FEED, message('x'), { once: once('k') }), SourceDownError);
    hearing.deaf = false;
    assert.deepEqual(await source.publish(FEED, message('x'), { once: once('k') }), { kind: 'event', number: 1 });
  });
});
