/** Whatever readers and publishers do: everybody gets what is due, once and in order, or is told of a gap at that place. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ENTRY_BYTES } from '../../src/channel/entries.ts';
import { FakeSource } from '../support/fake-source.ts';
import { quiet, turnUntil } from '../support/turns.ts';
import type { Seen } from '../support/witness.ts';
import { type Act, acts, crowded, type Setting, settings, sourceActs } from './acts.ts';
import { CHANNELS, Readers } from './readers.ts';

/** Also where it fails, and is made as small as it can be, it comes to an end. */
const BOUNDED = { interruptAfterTimeLimit: 20_000 };

describe('any order of publishing, joining, reading, leaving and coming back', () => {
  test('gives every reader what is due, tells it truly what is missing, and from every id that anybody saw gives exactly the rest', async () => {
    await fc.assert(fc.asyncProperty(settings(1), acts(1, 80), inMemory), { numRuns: 300, ...BOUNDED });
  });

  test('holds for events so large that no write takes all that is due', async () => {
    await fc.assert(fc.asyncProperty(settings(300), acts(300, 60), inMemory), { numRuns: 100, ...BOUNDED });
  });

  test('holds for channels of a source whose link is lost, which is late, and which is followed at times only', async () => {
    await fc.assert(fc.asyncProperty(settings(1), sourceActs(20), fromSource), { numRuns: 200, ...BOUNDED });
  });

  test('keeps no more for slow readers than it may', async () => {
    await fc.assert(fc.asyncProperty(settings(1), acts(1, 80), boundsHold), { numRuns: 100, ...BOUNDED });
  });

  test('holds while a crowd is swept in slices', async () => {
    await fc.assert(fc.asyncProperty(settings(1), crowded(), inMemory), { numRuns: 30, ...BOUNDED });
  });
});

async function boundsHold(setting: Setting, happening: readonly Act[]): Promise<void> {
  const readers = new Readers(setting);
  const { context } = readers.core.keeping;
  for (const act of happening) await readers.perform(act);
  await quiet(500);
  for (const name of CHANNELS) assert.ok(readers.core.channel(name).log.windowBytes <= setting.window, name);
  assert.ok(context.held.window <= setting.bufferedTotal, 'all of them together');
}

function inMemory(setting: Setting, happening: readonly Act[]): Promise<void> {
  return holds(new Readers(setting), happening);
}

function fromSource(setting: Setting, happening: readonly Act[]): Promise<void> {
  return holds(new Readers(setting, new FakeSource(false)), happening);
}

async function holds(readers: Readers, happening: readonly Act[]): Promise<void> {
  for (const act of happening) await readers.perform(act);
  await readers.finish();
  const places = new Map<string, { names: readonly string[]; seen: Seen }>();
  for (const { names, witness } of readers.all) {
    for (const seen of witness.seen) places.set(`${names} ${seen.id} ${seen.owed}`, { names, seen });
  }
  for (const { names, seen } of places.values()) readers.join(names, seen);
  await readers.finish();
  for (const { fast, witness } of readers.all)
    if (fast) assert.ok(witness.gaps.every(({ reason }) => reason === 'source-lost'));
  await everythingGoes(readers);
}

/** What was held for readers is let go with them. */
async function everythingGoes(readers: Readers): Promise<void> {
  const { core } = readers;
  for (const reader of [...readers.open]) readers.leave(reader);
  await turnUntil('every stream is forgotten', () => core.fanout.subscribers.size === 0);
  assert.equal(core.metrics.read('streams_ended'), readers.all.length);
  const logs = [...core.hub.live.values()].map(({ log }) => log);
  for (const log of logs) log.trim();
  const { held } = core.keeping.context;
  assert.equal(held.window, 0);
  assert.equal(
    held.history,
    logs.reduce((sum, log) => sum + log.bytes + log.size * ENTRY_BYTES, 0),
  );
}
