/** The verdict by itself: what it calls wrong, and what it does not. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Beginning, ClientLog, Seen } from './client-log.ts';
import { History } from './history.ts';
import { Journal } from './journal.ts';
import { keyOf, makePayload } from './payload.ts';
import { judgeMessages } from './pubsub-verdict.ts';
import { type Excuse, judgeStream } from './verdict.ts';

const LATER = Number.POSITIVE_INFINITY;

describe('the verdict on a stream', () => {
  test('finds nothing where each entry came once and in order, over any number of connections', () => {
    const { see, open, findings } = stream(5);
    see(open('0-0'), ...events(1, 2), connect('2-0'), open('2-0'), ...events(3, 4, 5));
    assert.deepEqual(findings(), []);
  });

  test('tells a loss, a repetition and an exchange', () => {
    assert.deepEqual(kindsOf(5, events(1, 2, 4, 5)), ['lost']);
    assert.deepEqual(kindsOf(5, events(1, 2, 2, 3, 4, 5)), ['duplicated']);
    assert.deepEqual(kindsOf(5, events(1, 2, 4, 3, 5)), ['lost', 'out-of-order']);
    assert.deepEqual(kindsOf(5, events(1, 2, 3)), ['stuck']);
  });

  test('tells an entry under the id of another, and one that nobody wrote', () => {
    assert.deepEqual(kindsOf(3, [event(1), { ...event(2), id: '3-0' }, { ...event(3), id: '2-0' }]).slice(0, 2), [
      'wrong-id',
      'wrong-id',
    ]);
    assert.deepEqual(kindsOf(1, events(1, 7)), ['foreign']);
    const altered = { ...event(1), type: 'other' };
    assert.deepEqual(kindsOf(1, [altered]).slice(0, 1), ['corrupt']);
  });

  test('takes a gap where what is missing was trimmed, with the right number or none', () => {
    for (const lost of [2, null]) {
      assert.deepEqual(kindsOf(5, [...events(1), gap('trimmed', lost), ...events(4, 5)], trimTo(2)), []);
    }
    assert.deepEqual(kindsOf(5, [...events(1), gap('trimmed', 3), ...events(4, 5)], trimTo(2)), ['wrong-gap']);
    assert.deepEqual(kindsOf(5, [...events(1), gap('reset', null), ...events(4, 5)], trimTo(2)), ['wrong-gap']);
  });

  test('tells a trimmed entry that no gap was told of, and a gap at another place', () => {
    assert.deepEqual(kindsOf(5, events(1, 4, 5), trimTo(2)), ['unannounced']);
    const early = [gap('trimmed', 2), ...events(1, 4, 5)];
    assert.deepEqual(kindsOf(5, early, trimTo(2)), ['false-gap', 'unannounced']);
    const late = [...events(1, 4), gap('trimmed', 2), ...events(5)];
    assert.deepEqual(kindsOf(5, late, trimTo(2)), ['unannounced', 'false-gap']);
  });

  test('tells a gap that passes over what is kept', () => {
    assert.deepEqual(kindsOf(5, [...events(1), gap('trimmed', null), ...events(5)], trimTo(2)), ['lost']);
  });

  test('tells a gap where nothing is missing, unless there is an excuse for its reason', () => {
    const seen = [...events(1, 2), gap('source-error', null), ...events(3)];
    assert.deepEqual(kindsOf(3, seen), ['false-gap']);
    assert.deepEqual(kindsOf(3, seen, undefined, [{ reason: 'source-error', from: 0, to: LATER }]), []);
    assert.deepEqual(kindsOf(3, seen, undefined, [{ reason: 'reset', from: 0, to: LATER }]), ['false-gap']);
  });

  test('wants a gap after a deletion, and then everything from the first entry on', () => {
    const again = (history: History) => {
      history.breakAt(0, 0);
      history.add('1-1', key(4));
      history.add('1-2', key(5));
    };
    const new4 = { ...event(4), id: '1-1' };
    const new5 = { ...event(5), id: '1-2' };
    assert.deepEqual(kindsOf(3, [...events(1, 2), gap('reset', null), new4, new5], again), []);
    assert.deepEqual(kindsOf(3, [...events(1, 2, 3), gap('reset', null), new4, new5], again), []);
    assert.deepEqual(kindsOf(3, [...events(1, 2), new4, new5], again), ['unannounced']);
    assert.deepEqual(kindsOf(3, [...events(1, 2), gap('reset', null), new5], again), ['lost']);
    assert.deepEqual(kindsOf(3, [...events(1, 2), gap('reset', null), new4, new5, event(3)], again), ['out-of-order']);
  });

  test('wants a gap after a roll-back from those who have seen what is gone, and goes on after the fork', () => {
    const back = (history: History) => {
      history.breakAt(2, 0);
      history.add('9-0', key(4));
    };
    const new4 = { ...event(4), id: '9-0' };
    assert.deepEqual(kindsOf(3, [...events(1, 2, 3), gap('rolled-back', null), new4], back), []);
    assert.deepEqual(kindsOf(3, [...events(1, 2), new4], back), []);
    assert.deepEqual(kindsOf(3, [...events(1, 2, 3), new4], back), ['unannounced']);
    assert.deepEqual(kindsOf(3, [...events(1), new4], back), ['lost']);
    assert.deepEqual(kindsOf(3, [...events(1, 2, 3), gap('rolled-back', null), event(2), new4], back), ['duplicated']);
  });

  test('holds that nothing is missed after gateway.open, and nothing sent that was not asked for', () => {
    const { journal, see, open, findings } = stream(3);
    see(open('0-0'), ...events(1, 2, 3));
    for (const intent of journal.intents.values()) intent.acknowledgedAt = -10_000;
    assert.deepEqual(findings(), ['foreign']);
    const late = stream(3, { kind: 'start' });
    late.see(late.open('1-0'), ...events(2, 3));
    assert.deepEqual(late.findings(), ['lost']);
    const resumed = stream(3, { kind: 'cursor', cursor: '1-0' });
    resumed.see(resumed.open('1-0'), ...events(2, 3));
    assert.deepEqual(resumed.findings(), []);
  });

  test('holds that a position does not move by itself', () => {
    const { see, open, findings } = stream(3);
    see(open('0-0'), ...events(1), connect('1-0'), open('2-0'), ...events(2, 3));
    assert.deepEqual(findings(), ['wrong-id']);
  });
});

describe('the verdict on a pub/sub channel', () => {
  const disturbed = [{ from: 0, to: LATER }];

  test('takes order without loss, and loss at a gap while something is in the way', () => {
    assert.deepEqual(messages([1, 2, 3, 4, 5]), []);
    assert.deepEqual(messages([1, 2, 'gap', 5], disturbed), []);
    assert.deepEqual(messages([1, 2, 'gap', 3, 4, 5], disturbed), []);
  });

  test('tells loss without a gap, repetition, exchange, and a gap for nothing', () => {
    assert.deepEqual(messages([1, 2, 4, 5], disturbed), ['unannounced']);
    assert.deepEqual(messages([1, 2, 2, 3, 4, 5]), ['duplicated']);
    assert.deepEqual(messages([1, 3, 2, 4, 5]), ['unannounced', 'out-of-order']);
    assert.deepEqual(messages([1, 2, 'gap', 3, 4, 5]), ['false-gap']);
    assert.deepEqual(messages([1, 2, 3]), ['stuck']);
  });
});

/** What is found of the entries 1 to `count` in a client that starts before the first and sees this. */
function kindsOf(
  count: number,
  seen: readonly Seen[],
  change?: (history: History) => void,
  excuses: readonly Excuse[] = [],
): string[] {
  const { history, see, open, findings } = stream(count, undefined, excuses);
  change?.(history);
  see(open('0-0'), ...seen);
  return findings();
}

function stream(count: number, beginning: Beginning = { kind: 'live' }, excuses: readonly Excuse[] = []) {
  const history = new History();
  const journal = writtenTo('s:1', 6);
  for (let number = 1; number <= count; number += 1) history.add(`${number}-0`, key(number));
  const log: ClientLog = { name: 'client', channels: new Map([['s.1', 's:1']]), beginning, seen: [connect()] };
  const evidence = { feed: 's:1', history, intents: journal.intents, excuses, disturbances: [] };
  return {
    ...{ history, journal },
    see: (...seen: readonly Seen[]) => void log.seen.push(...seen),
    open: (id: string): Seen => ({ kind: 'open', at: LATER, pending: [], resumed: true, id }),
    findings: () => judgeStream(log, 's.1', evidence, true).map(({ kind }) => kind),
  };
}

function messages(
  seen: readonly (number | 'gap')[],
  disturbances: readonly { from: number; to: number }[] = [],
): string[] {
  const journal = writtenTo('ps', 5);
  const log: ClientLog = { name: 'client', channels: new Map([['ps', 'ps']]), beginning: { kind: 'live' }, seen: [] };
  log.seen.push(connect(), { kind: 'open', at: 0, pending: [], resumed: true, id: 'E-0' });
  for (const each of seen)
    log.seen.push(each === 'gap' ? { ...gap('source-lost', null), channel: 'ps' } : event(each, 'ps'));
  return judgeMessages(log, 'ps', { feed: 'ps', intents: journal.of('ps'), disturbances }, true).map(
    ({ kind }) => kind,
  );
}

function writtenTo(feed: string, count: number): Journal {
  const journal = new Journal();
  for (let seq = 1; seq <= count; seq += 1) {
    const stamp = { feed, producer: 'p', seq, type: 'message' };
    journal.acknowledge(journal.intend(key(seq, feed), stamp, makePayload(stamp, 'body')));
  }
  return journal;
}

function key(seq: number, feed = 's:1'): string {
  return keyOf({ feed, producer: 'p', seq });
}

function events(...numbers: readonly number[]): Extract<Seen, { kind: 'event' }>[] {
  return numbers.map((number) => event(number));
}

function event(seq: number, feed = 's:1'): Extract<Seen, { kind: 'event' }> {
  const data = makePayload({ feed, producer: 'p', seq, type: 'message' }, 'body');
  return { kind: 'event', at: 1, type: 'message', data, id: `${seq}-0` };
}

function gap(reason: string, lost: number | null): Extract<Seen, { kind: 'gap' }> {
  return { kind: 'gap', at: 1, channel: 's.1', reason, after: null, lost, id: undefined };
}

function connect(cursor?: string): Seen {
  return { kind: 'connect', at: 0, url: '', cursor };
}

function trimTo(length: number): (history: History) => void {
  return (history) => history.trimTo(length);
}
