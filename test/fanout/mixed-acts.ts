/** What may happen around streams, keys and logs on one connection, drawn by fast-check. */

import fc from 'fast-check';
import type { View } from '../../src/fanout/batch.ts';
import type { Replay } from '../../src/position.ts';
import type { Form } from '../../src/sse/framing.ts';
import { UNBOUNDED } from '../support/fake-socket.ts';

/** One thing that happens. Indexes are taken modulo what there is; `channels` is a set of bits, `at` one of the gateways. */
export type MixedAct =
  | {
      readonly kind: 'add';
      readonly stream: number;
      readonly count: number;
      readonly size: number;
      readonly low: boolean;
    }
  | { readonly kind: 'trim'; readonly stream: number; readonly keep: number }
  | { readonly kind: 'take-out'; readonly stream: number; readonly index: number }
  | { readonly kind: 'drop'; readonly stream: number }
  | { readonly kind: 'undo'; readonly stream: number; readonly count: number }
  | { readonly kind: 'set'; readonly value: number | undefined }
  | { readonly kind: 'publish'; readonly at: number; readonly count: number; readonly size: number }
  | { readonly kind: 'read-on'; readonly at: number; readonly feed: number; readonly count: number }
  | { readonly kind: 'answer'; readonly at: number; readonly index: number; readonly count: number }
  | { readonly kind: 'link'; readonly at: number; readonly up: boolean }
  | ({ readonly kind: 'join'; readonly at: number; readonly channels: number; readonly from: From } & Asking)
  | { readonly kind: 'take'; readonly reader: number; readonly bytes: number }
  | { readonly kind: 'return'; readonly reader: number; readonly at: number; readonly room: number }
  | { readonly kind: 'leave'; readonly reader: number }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'turn' };

/** What somebody comes with: nothing, an id that somebody has seen, or one that was made up. */
export type From =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'seen'; readonly index: number }
  | { readonly kind: 'text'; readonly text: string };

/** How somebody asks. */
export interface Asking {
  readonly room: number;
  readonly form: Form;
  readonly view: View;
  readonly replay: Replay;
}

/** How gateways differ: what they keep, and whether what is new is read, and what is asked answered, at once. */
export interface MixedSetting {
  readonly events: number;
  readonly window: number;
  readonly hurry: number;
  readonly eager: boolean;
  readonly prompt: boolean;
}

export function mixedSettings(): fc.Arbitrary<MixedSetting> {
  return fc.record({
    events: fc.integer({ min: 2, max: 6 }),
    window: fc.oneof({ weight: 1, arbitrary: fc.constant(UNBOUNDED) }, { weight: 4, arbitrary: fc.nat(800) }),
    hurry: fc.constantFrom(0, 0, 4, 11),
    eager: fc.constantFrom(true, true, true, false),
    prompt: fc.boolean(),
  });
}

/** The bits of channels in a set of them. */
export const [STREAM, OTHER_STREAM, KEY, MEMORY] = [1, 2, 4, 8] as const;

/**
 * Some who join, then at most `maxLength` acts around clients of these sets of channels, each a sum of bits. `crowding`: how many times more is
 * written than else, and less is read.
 */
export function mixedActs(maxLength: number, sets: readonly number[], crowding = 1): fc.Arbitrary<MixedAct[]> {
  const index = fc.nat(1000);
  const at = fc.constantFrom(0, 0, 1);
  const stream = fc.constantFrom(0, 0, 0, 1);
  const size = fc.oneof(
    { weight: 3, arbitrary: fc.nat(100) },
    { weight: 1, arbitrary: fc.integer({ min: 9000, max: 40_000 }) },
  );
  const room = fc.oneof(
    { weight: 2, arbitrary: fc.constant(UNBOUNDED) },
    { weight: 3, arbitrary: fc.nat(Math.ceil(1500 / crowding)) },
  );
  const replay = fc.constantFrom<Replay>(
    { kind: 'none' },
    { kind: 'all' },
    { kind: 'all' },
    { kind: 'last', count: 2 },
    { kind: 'since', since: 300 },
  );
  const text = fc.constantFrom('no cursor', '0-0', '5-5', '^50000000-9', '99999999-9', 'else-3', '~0', ',k=~x');
  const from = fc.oneof<{ weight: number; arbitrary: fc.Arbitrary<From> }[]>(
    { weight: 4, arbitrary: fc.constant({ kind: 'nothing' } as const) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('seen' as const), index }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('text' as const), text }) },
  );
  const form = fc.constantFrom<Form>('chunked', 'chunked', 'plain');
  const view = fc.constantFrom<View>('shared', 'shared', 'enveloped');
  const record = <T extends MixedAct>(weight: number, model: { [K in keyof T]: fc.Arbitrary<T[K]> }) => {
    return { weight, arbitrary: fc.record(model) as fc.Arbitrary<MixedAct> };
  };
  const kind = <K extends MixedAct['kind']>(name: K): fc.Arbitrary<K> => fc.constant(name);
  const few = fc.integer({ min: 1, max: 5 });
  type Of<K extends MixedAct['kind']> = Extract<MixedAct, { kind: K }>;
  const channels = fc.constantFrom(...sets);
  const value = fc.oneof({ weight: 1, arbitrary: fc.constant(undefined) }, { weight: 4, arbitrary: fc.nat(3) });
  const keep = fc.nat(4);
  const count = fc.integer({ min: 1, max: 6 });
  const has = (...bits: number[]): boolean => sets.some((set) => bits.some((bit) => (set & bit) !== 0));
  const ofStreams = [
    record<Of<'add'>>(10 * crowding, { kind: kind('add'), stream, count, size, low: fc.boolean() }),
    record<Of<'trim'>>(2, { kind: kind('trim'), stream, keep }),
    record<Of<'take-out'>>(2, { kind: kind('take-out'), stream, index }),
    record<Of<'drop'>>(1, { kind: kind('drop'), stream }),
    record<Of<'undo'>>(1, { kind: kind('undo'), stream, count: few }),
    record<Of<'answer'>>(14, { kind: kind('answer'), at, index, count: few }),
  ];
  const join = record<Of<'join'>>(6, { kind: kind('join'), at, channels, from, room, form, view, replay });
  const act = fc.oneof(
    ...(has(STREAM, OTHER_STREAM) ? ofStreams : []),
    ...(has(KEY) ? [record<Of<'set'>>(6 * crowding, { kind: kind('set'), value })] : []),
    ...(has(MEMORY) ? [record<Of<'publish'>>(6 * crowding, { kind: kind('publish'), at, count, size })] : []),
    record<Of<'read-on'>>(14, { kind: kind('read-on'), at, feed: index, count: fc.integer({ min: 1, max: 8 }) }),
    record<Of<'link'>>(2, { kind: kind('link'), at, up: fc.constantFrom(true, true, false) }),
    join,
    record<Of<'take'>>(8, { kind: kind('take'), reader: index, bytes: fc.nat(Math.ceil(2000 / crowding)) }),
    record<Of<'return'>>(4, { kind: kind('return'), reader: index, at, room }),
    record<Of<'leave'>>(1, { kind: kind('leave'), reader: index }),
    record<Of<'wait'>>(2, { kind: kind('wait'), ms: fc.nat(1500) }),
    record<Of<'turn'>>(8, { kind: kind('turn') }),
  );
  const first = fc.array(join.arbitrary, { minLength: 2, maxLength: 4 });
  const rest = fc.array(act, { minLength: 10, maxLength, size: 'max' });
  return fc.tuple(first, rest).map(([joins, more]) => [...joins, ...more]);
}
