/** What may happen around a core, drawn by fast-check: publishers, readers of every speed, and cursors of every kind. */

import fc from 'fast-check';
import type { View } from '../../src/fanout/batch.ts';
import type { Replay } from '../../src/position.ts';
import type { Form } from '../../src/sse/framing.ts';
import type { ClientOptions } from '../support/fake-client.ts';
import { UNBOUNDED } from '../support/fake-socket.ts';

/** With which cursor somebody comes: an id that somebody has seen, a number for each channel as a share of the head, or a text. */
export type Cursor =
  | { readonly kind: 'text'; readonly text: string | undefined }
  | { readonly kind: 'seen'; readonly index: number }
  | { readonly kind: 'made'; readonly shares: readonly number[] };

/** One thing that happens. Indexes are taken modulo what there is; `channels` is a set of bits. */
export type Act =
  | { readonly kind: 'publish'; readonly channel: number; readonly size: number; readonly count: number }
  | { readonly kind: 'end'; readonly channel: number }
  | ({ readonly kind: 'join'; readonly channels: number; readonly cursor: Cursor } & ClientOptions)
  | { readonly kind: 'read'; readonly reader: number; readonly bytes: number }
  | { readonly kind: 'return'; readonly reader: number; readonly room: number }
  | { readonly kind: 'leave'; readonly reader: number }
  | { readonly kind: 'lose' }
  | { readonly kind: 'confirm'; readonly channel: number }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'crowd'; readonly count: number; readonly slowEvery: number }
  | { readonly kind: 'turn' };

/** How much a core keeps, in bytes and events, and how many milliseconds pass at each look at its clock. */
export interface Setting {
  readonly events: number;
  readonly bytes: number;
  readonly window: number;
  readonly bufferedTotal: number;
  readonly hurry: number;
}

const oneTurn: Act = { kind: 'turn' };

const unbounded = fc.constant(UNBOUNDED);

/** At most `maxLength` acts whose sizes are around `scale` times a hundred bytes. */
export function acts(scale: number, maxLength: number, minLength = 10): fc.Arbitrary<Act[]> {
  const index = fc.nat(1000);
  const room = fc.oneof({ weight: 1, arbitrary: unbounded }, { weight: 3, arbitrary: fc.nat(500 * scale) });
  const bytes = fc.nat(500 * scale);
  const publish = { channel: index, size: fc.nat(120 * scale), count: fc.integer({ min: 1, max: 5 }) };
  const join = {
    channels: fc.integer({ min: 1, max: 7 }),
    cursor: cursors(),
    room,
    form: fc.constantFrom<Form>('chunked', 'chunked', 'plain'),
    view: fc.constantFrom<View>('shared', 'shared', 'enveloped'),
    replay: fc.constantFrom<Replay>({ kind: 'none' }, { kind: 'none' }, { kind: 'all' }, { kind: 'last', count: 2 }),
  };
  const act = fc.oneof(
    { weight: 8, arbitrary: fc.record({ kind: fc.constant('publish' as const), ...publish }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('end' as const), channel: index }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('join' as const), ...join }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('read' as const), reader: index, bytes }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('return' as const), reader: index, room }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('leave' as const), reader: index }) },
    { weight: 3, arbitrary: fc.constant(oneTurn) },
  );
  return fc.array(act, { minLength, maxLength, size: 'max' });
}

/** The same around a source whose link is lost at times, which takes its time to confirm, and which nobody may follow. */
export function sourceActs(maxLength: number): fc.Arbitrary<Act[]> {
  const happening: fc.Arbitrary<Act> = fc.oneof(
    { weight: 1, arbitrary: fc.constant({ kind: 'lose' } as const) },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('confirm' as const), channel: fc.nat(1000) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(1500) }) },
  );
  const mixed = fc.array(fc.tuple(acts(1, 4, 1), happening), { minLength: 5, maxLength, size: 'max' });
  return mixed.map((parts) => parts.flatMap(([some, one]) => [...some.filter(({ kind }) => kind !== 'end'), one]));
}

/**
 * So many who stand at the head of two channels that no visit of a sweep reaches all of them; then events, each with a
 * turn that sweeps a part, and what happens before the sweep goes on.
 */
export function crowded(): fc.Arbitrary<Act[]> {
  const crowd = fc.record({
    kind: fc.constant('crowd' as const),
    count: fc.integer({ min: 140, max: 280 }),
    slowEvery: fc.integer({ min: 2, max: 10 }),
  });
  const event: Act = { kind: 'publish', channel: 0, size: 100, count: 1 };
  const meanwhile = acts(1, 12, 1).map((happening) => [event, oneTurn, ...happening]);
  const rest = fc.array(meanwhile, { minLength: 3, maxLength: 6, size: 'max' });
  return fc.tuple(crowd, rest).map(([first, more]) => [first, ...more.flat()]);
}

/** Settings that go with `acts` of the same scale: from hardly anything to nearly everything kept. */
export function settings(scale: number): fc.Arbitrary<Setting> {
  return fc.record({
    events: fc.integer({ min: 1, max: 12 }),
    bytes: fc.integer({ min: 100, max: 1500 }).map((bytes) => bytes * scale),
    window: fc.oneof({ weight: 1, arbitrary: unbounded }, { weight: 4, arbitrary: fc.nat(200 * scale) }),
    bufferedTotal: fc.oneof(unbounded, fc.nat(400 * scale)),
    hurry: fc.constantFrom(0, 4, 11),
  });
}

function cursors(): fc.Arbitrary<Cursor> {
  const text = fc.constantFrom(undefined, undefined, 'else-3', 'here-999999', '1-0', 'no cursor');
  const shares = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 3 });
  return fc.oneof(
    fc.record({ kind: fc.constant('text' as const), text }),
    fc.record({ kind: fc.constant('seen' as const), index: fc.nat(1000) }),
    fc.record({ kind: fc.constant('made' as const), shares }),
  );
}
