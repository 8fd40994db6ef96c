/** Streams, keys and logs on one connection, whatever Redis, its link, gateways and clients do: all that is due, or a true gap. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { KEY, MEMORY, type MixedAct, type MixedSetting, mixedActs, mixedSettings, STREAM } from './mixed-acts.ts';
import { MixedReaders } from './mixed-readers.ts';
import type { Place } from './mixed-witness.ts';

/** Also where it fails, and is made as small as it can be, it comes to an end. */
const BOUNDED = { interruptAfterTimeLimit: 20_000 };

/** Everything together, a stream with each of the others, and some alone. */
const ANY = [1, 2, 3, 4, 5, 8, 9, 12, 13, 15];

describe('any order of writing to Redis, reading from it, joining, leaving and coming back to either gateway', () => {
  test('gives clients of a stream all of it, tells them truly of what they lack, and resumes from every id', async () => {
    await check(mixedActs(60, [STREAM]), 200);
  });

  test('gives clients of a key every real change they can take, and never what they have', async () => {
    await check(mixedActs(80, [KEY]), 300);
  });

  test('holds for streams, keys and logs in memory on one connection', async () => {
    await check(mixedActs(80, ANY), 200);
  });

  test('holds where a log in memory overtakes those who wait for a stream or a key', async () => {
    await check(mixedActs(80, [STREAM + MEMORY, KEY + MEMORY], 4), 150);
  });
});

function check(acts: fc.Arbitrary<MixedAct[]>, numRuns: number): Promise<void> {
  return fc.assert(fc.asyncProperty(mixedSettings(), acts, holds), { numRuns, ...BOUNDED });
}

async function holds(setting: MixedSetting, happening: readonly MixedAct[]): Promise<void> {
  const readers = new MixedReaders(setting);
  for (const act of happening) await readers.perform(act);
  await readers.finish();
  const places = new Map<string, Place>();
  for (const { witness } of readers.all) {
    for (const place of witness.seen) places.set(JSON.stringify([place.names, place.id, [...place.standings]]), place);
  }
  let at = 0;
  for (const place of places.values()) {
    readers.join(place.names, at, place);
    at += 1;
  }
  await readers.finish();
  await readers.everybodyLeaves();
  nothingIsLeft(readers);
}

/** What was held for readers is let go with them. */
function nothingIsLeft({ gateways }: MixedReaders): void {
  for (const { core, source, memory } of gateways) {
    assert.equal(core.fanout.subscribers.size, 0);
    assert.deepEqual([...core.hub.live.keys()], ['m']);
    assert.equal(memory.log.readers.size, 0, 'an audience is left');
    assert.equal(core.keeping.context.held.window, 0);
    assert.deepEqual([source.followed, source.waiting], [[], 0]);
    assert.equal(core.clock.pending.length, 1, 'only histories age');
  }
}
