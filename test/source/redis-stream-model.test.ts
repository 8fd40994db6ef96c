/** Any stream that is added to, trimmed, deleted from and made anew: nothing is lost in silence, no gap is invented. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { BEGINNING } from '../../src/position.ts';
import { after } from '../../src/source/redis-stream-id.ts';
import type { StreamLook } from '../../src/source/redis-stream-look.ts';
import type { Place } from '../../src/source/redis-stream-proof.ts';
import { type Part, partingIn, type Read, readIn } from '../../src/source/redis-stream-read.ts';
import type { Break } from '../../src/source/source.ts';

/** What happens to a stream, and when its reader reads how many entries at most. */
type Step =
  | { readonly kind: 'add'; readonly count: number }
  | { readonly kind: 'trim'; readonly count: number }
  | { readonly kind: 'delete'; readonly index: number }
  | { readonly kind: 'anew' }
  | { readonly kind: 'read'; readonly count: number };

const adding = fc.record({ kind: fc.constant('add' as const), count: fc.integer({ min: 1, max: 6 }) });
const trimming = fc.record({ kind: fc.constant('trim' as const), count: fc.integer({ min: 1, max: 8 }) });
const deleting = fc.record({ kind: fc.constant('delete' as const), index: fc.nat(5) });
const reading = fc.record({ kind: fc.constant('read' as const), count: fc.integer({ min: 1, max: 4 }) });
const remaking = fc.constant({ kind: 'anew' as const });

/** A stream as Redis keeps it; ids are `N-0`, and grow over all that had its name. */
class Model {
  readonly holds: number[] = [];
  readonly ever: number[] = [];
  readonly deleted = new Set<number>();
  #next = 1;
  #added = 0;
  #last = 0;
  #mostDeleted = 0;

  add(count: number): void {
    for (let i = 0; i < count; i += 1) {
      this.#last = this.#next;
      this.#next += 1;
      this.#added += 1;
      this.holds.push(this.#last);
      this.ever.push(this.#last);
    }
  }

  trim(count: number): void {
    this.holds.splice(0, count);
  }

  delete(index: number): void {
    const [id] = this.holds.splice(index, 1);
    if (id === undefined) return;
    this.deleted.add(id);
    this.#mostDeleted = Math.max(this.#mostDeleted, id);
  }

  anew(): void {
    this.holds.length = 0;
    [this.#added, this.#last, this.#mostDeleted] = [0, 0, 0];
    this.add(1);
  }

  look(from: string, asked: number): StreamLook {
    const ids = this.holds.filter((id) => id >= numberOf(from)).slice(0, asked);
    return {
      kind: 'stream',
      last: `${this.#last}-0`,
      length: this.holds.length,
      added: this.#added,
      deleted: `${this.#mostDeleted}-0`,
      first: this.holds[0] === undefined ? undefined : `${this.holds[0]}-0`,
      entries: ids.map((id) => ({ id: `${id}-0`, fields: [] })),
    };
  }
}

/** Reads a model as the live reader does, from where that stands now, and remembers so many of the last entries. */
class ModelReader {
  readonly told: number[] = [];
  /** Each gap behind how many told entries. */
  readonly gaps: (Break & { readonly behind: number })[] = [];
  readonly began: number;
  readonly #memory: number;
  #place: Place;

  constructor(model: Model, memory: number) {
    const { last, added, length } = model.look('1-0', 0);
    this.began = numberOf(last);
    this.#memory = memory;
    this.#place = { at: after(length === 0 && added === 0 ? BEGINNING : last), added };
  }

  /** Whether there was nothing new. */
  read(model: Model, count: number): boolean {
    const asked = count + 1;
    const look = model.look(this.#place.at.id, asked);
    const read = readIn(look, this.#place, { reader: 'live', asked });
    assert.ok(read.kind !== 'unreadable');
    if (read.kind === 'fork') return this.#rejoin(model, read);
    return this.#tell(read);
  }

  readAll(model: Model): void {
    for (let i = 0; i < 200; i += 1) if (this.read(model, 4)) return;
    assert.fail('a reader that never comes to the end');
  }

  #rejoin(model: Model, { otherwise, onwards }: Extract<Read, { kind: 'fork' }>): boolean {
    const upTo = model.holds.filter((id) => id <= numberOf(this.#place.at.id));
    const entries = upTo.reverse().map((id) => ({ id: `${id}-0`, fields: [] }));
    const remembered = this.told.slice(-this.#memory);
    const oldest = this.told.length > this.#memory ? (remembered[0] ?? 0) : this.began;
    const knows = (id: number): boolean | undefined =>
      id < oldest ? undefined : id === this.began || remembered.includes(id);
    const fork = partingIn(entries, ({ id }) => knows(numberOf(id)));
    if (onwards !== undefined && fork?.unknown === 0) return this.#tell(onwards);
    const shared = fork?.known === true;
    this.#place = shared ? { at: after(fork.id), added: undefined } : otherwise;
    const reason = shared ? 'rolled-back' : 'reset';
    this.gaps.push({ reason, lost: null, at: this.#place.at, behind: this.told.length });
    return false;
  }

  #tell({ gap, entries, place }: Part): boolean {
    if (gap !== undefined) this.gaps.push({ ...gap, behind: this.told.length });
    this.told.push(...entries.map(({ id }) => numberOf(id)));
    this.#place = place;
    return gap === undefined && entries.length === 0;
  }
}

function numberOf(id: string): number {
  return Number(id.split('-')[0]);
}

/** What a reader does that begins after some `earlier` steps; `memory`: entries that it remembers. */
interface Story {
  readonly steps: readonly Step[];
  readonly earlier?: readonly Step[];
  readonly memory?: number;
}

function run({ steps, earlier = [], memory = 1000 }: Story): { model: Model; reader: ModelReader; remade: number } {
  const model = new Model();
  for (const step of earlier) {
    if (step.kind === 'delete') model.delete(step.index);
    else if (step.kind === 'add' || step.kind === 'trim') model[step.kind](step.count);
  }
  const reader = new ModelReader(model, memory);
  let remade = 0;
  model.add(1);
  for (const step of steps) {
    if (step.kind === 'read') reader.read(model, step.count);
    else if (step.kind === 'anew') {
      // Nobody can see what was deleted together with the stream, nor count what was trimmed before it was seen.
      reader.readAll(model);
      model.anew();
      reader.read(model, 1);
      remade += 1;
    } else if (step.kind === 'delete') model.delete(step.index);
    else model[step.kind](step.count);
  }
  reader.readAll(model);
  return { model, reader, remade };
}

/** Entries that were never told, whether their owner deleted them or not. */
function untold(model: Model, reader: ModelReader): number[] {
  const told = new Set(reader.told);
  return model.ever.filter((id) => id > reader.began && !told.has(id));
}

function assertNothingLostInSilence(model: Model, reader: ModelReader): void {
  assert.deepEqual(
    reader.told,
    [...new Set(reader.told)].sort((a, b) => a - b),
  );
  for (const id of untold(model, reader)) {
    if (model.deleted.has(id)) continue;
    const behind = reader.told.filter((each) => each < id).length;
    assert.ok(
      reader.gaps.some((gap) => gap.behind === behind),
      `${id} was lost behind ${behind} entries, gaps are ${JSON.stringify(reader.gaps)}`,
    );
  }
}

describe('the reader of a stream', () => {
  test('that is added to and trimmed hears every entry, or how many it did not', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(adding, trimming, reading), { maxLength: 40, size: 'max' }), (steps) => {
        const { model, reader } = run({ steps });
        assertNothingLostInSilence(model, reader);
        const lost = reader.gaps.reduce((sum, gap) => sum + (gap.lost ?? Number.NaN), 0);
        assert.equal(lost, untold(model, reader).length);
        assert.ok(reader.gaps.every(({ reason, lost }) => reason === 'trimmed' && lost !== 0));
      }),
      { numRuns: 1000 },
    );
  });

  test('from which entries are deleted too hears of no more losses than there are', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(adding, trimming, deleting, reading), { maxLength: 40, size: 'max' }), (steps) => {
        const { model, reader } = run({ steps });
        assertNothingLostInSilence(model, reader);
        const lost = reader.gaps.reduce((sum, gap) => sum + (gap.lost ?? Number.NaN), 0);
        assert.ok(lost <= untold(model, reader).length, `${lost} are said to be lost`);
      }),
      { numRuns: 1000 },
    );
  });

  test('that began late or remembers little is given nothing twice, and is told of no other stream', () => {
    const steps = fc.array(fc.oneof(adding, trimming, deleting, reading), { maxLength: 40, size: 'max' });
    const earlier = fc.array(fc.oneof(adding, trimming, deleting), { maxLength: 10 });
    fc.assert(
      fc.property(fc.record({ steps, earlier, memory: fc.integer({ min: 1, max: 5 }) }), (story) => {
        const { model, reader } = run(story);
        assertNothingLostInSilence(model, reader);
        const lost = reader.gaps.reduce((sum, gap) => sum + (gap.lost ?? Number.NaN), 0);
        assert.ok(lost <= untold(model, reader).length, `${lost} are said to be lost: ${JSON.stringify(reader.gaps)}`);
      }),
      { numRuns: 2000 },
    );
  });

  test('that is made anew begins anew with it, each time', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(adding, trimming, reading, remaking), { maxLength: 40, size: 'max' }), (steps) => {
        const { model, reader, remade } = run({ steps });
        assertNothingLostInSilence(model, reader);
        assert.equal(reader.gaps.filter(({ reason }) => reason !== 'trimmed').length, remade);
      }),
      { numRuns: 1000 },
    );
  });
});
