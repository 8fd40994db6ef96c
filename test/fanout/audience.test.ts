/** An audience while it is swept: who joins, leaves or falls behind in the middle is put where it belongs at the end. */
import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { Audience } from '../../src/fanout/audience.ts';
import { Collector } from '../../src/fanout/batch.ts';
import { Subscriber } from '../../src/fanout/subscriber.ts';
import { Core } from '../support/core.ts';
import { Client } from '../support/fake-client.ts';
import { UNBOUNDED } from '../support/fake-socket.ts';

let core: Core;
let audience: Audience;
/** How often the audience has asked to be swept. */
let woken: number;
beforeEach(() => {
  core = new Core();
  woken = 0;
  audience = new Audience(
    'key',
    [core.follow('a').log],
    { form: 'chunked', view: 'shared' },
    {
      numbering: core.numbering,
      collector: new Collector(core.numbering),
      woken: () => {
        woken += 1;
      },
      want: () => false,
    },
  );
  audience.open();
});

/** A subscriber that has entered at the head, with room for so many bytes. */
function join(room = UNBOUNDED): { subscriber: Subscriber; client: Client } {
  const client = new Client([core.channel('a')], { room: 0 });
  client.catchUp();
  client.socket.give(room);
  const owner = { drained: () => undefined, closed: () => undefined };
  const subscriber = new Subscriber(client.outlet, client.channels, { now: 0, endsAt: 1, owner });
  subscriber.cursor = core.numbering.last;
  audience.enter(subscriber);
  audience.serve(subscriber, 0);
  return { subscriber, client };
}

describe('a sweep', () => {
  test('goes on where it was, and takes what came meanwhile in the next one', () => {
    const joined = Array.from({ length: 5 }, () => join());
    core.publish('a', '1');
    assert.deepEqual([audience.sweep(2, 0).visited, audience.sweep(2, 0).visited], [2, 2]);
    core.publish('a', '2');
    assert.deepEqual(
      joined.map(({ client }) => client.data),
      [['1'], ['1'], ['1'], ['1'], []],
    );
    assert.equal(audience.sweep(2, 0).visited, 1);
    assert.deepEqual(
      joined.map(({ client }) => client.data),
      Array(5).fill(['1']),
    );
    assert.equal(audience.sweep(9, 0).visited, 5);
    assert.deepEqual(
      joined.map(({ client }) => client.data),
      Array(5).fill(['1', '2']),
    );
    assert.deepEqual(audience.sweep(9, 0), { visited: 0, more: false, joining: [], gaps: 0 });
  });

  test('does not visit who has left, neither in the same sweep nor in a later one', () => {
    const [first, second, third] = [join(), join(), join()];
    core.publish('a', '1');
    audience.sweep(1, 0);
    audience.leave(first.subscriber);
    audience.leave(third.subscriber);
    audience.sweep(9, 0);
    core.publish('a', '2');
    assert.equal(audience.sweep(9, 0).visited, 1);
    assert.deepEqual(
      [first, second, third].map(({ client }) => client.data),
      [['1'], ['1', '2'], []],
    );
  });

  test('lets who comes in the middle wait for its end, and takes it in then', () => {
    join();
    join();
    core.publish('a', '1');
    audience.sweep(1, 0);
    const late = join();
    assert.equal(late.subscriber.place, 'behind');
    const { joining } = audience.sweep(9, 0);
    assert.deepEqual(joining, [late.subscriber]);
    assert.equal(audience.serve(late.subscriber, 0).served, 'joined');
    core.publish('a', '2');
    assert.equal(audience.sweep(9, 0).visited, 3);
    assert.deepEqual(late.client.data, ['2']);
  });

  test('is asked for once until it is under way', () => {
    join();
    core.publish('a', '1');
    assert.equal(woken, 1);
    audience.queued = true;
    core.publish('a', '2');
    assert.equal(woken, 1);
  });
});

describe('members of several channels that one of them has overtaken', () => {
  test('are served alone from then on, with ids that say where they stand in each', () => {
    core = new Core({ history: { events: 1 } });
    const logs = ['a', 'b'].map((name) => core.follow(name).log);
    audience = new Audience(
      'key',
      logs,
      { form: 'chunked', view: 'shared' },
      {
        numbering: core.numbering,
        collector: new Collector(core.numbering),
        woken: () => undefined,
        want: () => false,
      },
    );
    audience.open();
    const { subscriber, client } = join(0);
    for (const name of ['a', 'b', 'a', 'b', 'a']) {
      core.publish(name, name);
      if (core.numbering.last === 1) audience.sweep(9, 0);
    }
    logs[0]?.overtake(0, false);
    assert.deepEqual(audience.sweep(9, 0).joining, [subscriber]);
    client.socket.give(10_000);
    while (audience.serve(subscriber, 0).served === 'more');
    audience.sweep(9, 0);
    assert.deepEqual(
      client.body.events.map(({ type, id }) => [type, id]),
      [
        ['message', 'here-1'],
        ['message', 'here-2,a=here-1'],
        ['gateway.gap', 'here-3'],
        ['message', 'here-4'],
        ['message', 'here-5'],
      ],
    );
    assert.equal(subscriber.place, 'head');
  });
});

describe('what an audience needs of its log', () => {
  test('is nothing without members, and what its slowest member has not passed otherwise', () => {
    assert.equal(audience.floor(), Number.POSITIVE_INFINITY);
    const { subscriber } = join();
    core.publish('a', '1');
    assert.equal(audience.floor(), 0);
    audience.sweep(9, 0);
    assert.equal(audience.floor(), 1);
    audience.leave(subscriber);
    assert.equal(audience.floor(), Number.POSITIVE_INFINITY);
  });
});
