/** The log of a channel, held against one that is written without thinking of speed. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { Held, type HistoryLimits } from '../../src/channel/history.ts';
import { Log } from '../../src/channel/log.ts';
import { Numbering } from '../../src/position.ts';
import { encodeEvent } from '../../src/sse/encode.ts';
import { assertHeld, assertSame, type Pair, Reader, World } from './log-pair.ts';

/** Does something to one of the two logs and its model. */
function command(
  which: fc.Arbitrary<0 | 1>,
  name: string,
  most: number,
  run: (pair: Pair, n: number, world: World) => void,
) {
  return fc.tuple(which, fc.nat(most)).map(
    ([index, n]): fc.Command<World, World> => ({
      check: () => true,
      run: (_, world) => {
        run(world.pairs[index], n, world);
        for (const pair of world.pairs) assertSame(pair, world, n);
        assertHeld(world);
      },
      toString: () => `${name}(${index}, ${n})`,
    }),
  );
}

const which = fc.constantFrom<0 | 1>(0, 1);
const anywhere = (n: number, world: World): number => n % (world.numbering.last + 1);
const commands = [
  command(which, 'append', 120, (pair, n) => pair.append(n, n % 3 === 0 ? `id${n % 9}` : undefined)),
  command(which, 'append', 2000, (pair, n) => pair.append(n, undefined)),
  command(which, 'gap', 9, (pair) => pair.appendGap()),
  command(which, 'end', 9, (pair) => pair.end()),
  command(
    which,
    'join',
    999,
    ({ real }, n, world) => void real.readers.add(new Reader(Math.max(real.base, anywhere(n, world)))),
  ),
  command(which, 'read', 999, ({ readers }, n, world) => {
    const reader = readers[n % readers.length];
    if (reader !== undefined) reader.at = Math.max(reader.at, anywhere(n * 7, world));
  }),
  command(which, 'leave', 99, ({ real, readers }, n) => {
    const reader = readers[n % readers.length];
    if (reader !== undefined) real.readers.delete(reader);
  }),
  command(which, 'trim', 9, ({ real, naive, floors }, _, { clock }) => {
    real.trim();
    naive.trim(clock.now(), floors);
  }),
  command(which, 'sleep', 99, ({ readers }, n) => {
    const reader = readers[n % readers.length];
    if (reader !== undefined) reader.keen = !reader.keen;
  }),
  command(which, 'overtake', 1500, ({ real, naive, floors }, n, { clock }) => {
    real.overtake(n, false);
    naive.trim(clock.now(), floors);
    naive.overtake(n, Number.POSITIVE_INFINITY);
  }),
  command(which, 'overtake sparing', 1500, ({ real, naive, floors, readers }, n, { clock }) => {
    real.overtake(n, true);
    naive.trim(clock.now(), floors);
    naive.overtake(n, Math.min(...readers.map((reader) => reader.keenFloor())));
  }),
  command(which, 'rest', 9, ({ real }) => real.rest()),
  command(which, 'forget', 9, ({ real, naive, floors }, _, { clock }) => {
    real.forget();
    naive.forget(clock.now(), floors);
  }),
  command(which, 'wait', 400, (_, n, { clock }) => clock.advance(n)),
];

const limits = fc.record({
  events: fc.integer({ min: 1, max: 100 }),
  age: fc.integer({ min: 1, max: 2000 }),
  bytes: fc.integer({ min: 1, max: 4000 }),
});

describe('a log', () => {
  test('keeps, drops and counts like one that is simple enough to be seen right', () => {
    fc.assert(
      fc.property(limits, fc.commands(commands, { maxCommands: 100, size: 'max' }), (given, happening) => {
        const world = new World(given);
        fc.modelRun(() => ({ model: world, real: world }), happening);
        for (const { real } of world.pairs) {
          real.readers.clear();
          real.forget();
        }
        assert.deepEqual({ ...world.held }, { history: 0, window: 0 });
      }),
      { numRuns: 300 },
    );
  });

  test('keeps exactly as many events and bytes, and for exactly as long, as it may', () => {
    const size = encodeEvent({ data: Buffer.alloc(10), id: 'k3-1' }).length;
    const cases: readonly HistoryLimits[] = [
      { events: 3, age: 1000, bytes: 1000 },
      { events: 100, age: 1000, bytes: 3 * size },
      { events: 100, age: 2, bytes: 1000 },
    ];
    for (const given of cases) {
      const { clock, pairs } = new World(given);
      for (let i = 0; i < 9; i += 1) {
        pairs[0].append(10, undefined);
        assert.equal(pairs[0].real.size, Math.min(3, i + 1), JSON.stringify(given));
        clock.advance(1);
      }
    }
  });

  test('that is new proves what comes after its base and says of a gap that nothing came before it', () => {
    const numbering = new Numbering('k3');
    const log = new Log('a', { events: 9, age: 9, bytes: 999 }, 7, { numbering, held: new Held(), now: () => 0 });
    assert.deepEqual([log.base, log.head, log.dropped, log.size], [7, 7, 0, 0]);
    log.beginAt(12);
    assert.deepEqual([log.base, log.head], [12, 12]);
    log.appendGap('source-lost', null);
    assert.match(log.at(log.indexAfter(0))?.bytes.toString() ?? '', /"after":null/);
    log.beginAt(20);
    assert.equal(log.base, 12);
  });
});
