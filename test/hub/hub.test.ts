/** The hub: from names to live channels; what is followed, for how long, how often, and how many at most. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Log } from '../../src/channel/log.ts';
import { LimitError } from '../../src/errors.ts';
import { Core } from '../support/core.ts';
import { FakeSource } from '../support/fake-source.ts';

/** A core that hears from a source whose feeds have other names than the channels. */
function sourceCore(options: ConstructorParameters<typeof Core>[0] = {}): { core: Core; source: FakeSource } {
  const source = new FakeSource();
  return { core: new Core({ source, ...options }), source };
}

const feed = (name: string) => ({ feed: { kind: 'pubsub' as const, name } });

describe('a feed', () => {
  test('is followed for the first listener and given back a while after the last has left', () => {
    const { core, source } = sourceCore();
    const [first, second] = [core.follow('a'), core.follow('a')];
    assert.equal(first, second);
    assert.deepEqual(source.asked, ['follow a']);
    core.hub.release(first);
    core.hub.release(second);
    core.clock.advance(59_999);
    assert.deepEqual(source.asked, ['follow a']);
    core.clock.advance(1);
    assert.deepEqual(source.asked, ['follow a', 'unfollow a']);
    assert.equal(core.hub.live.size, 0);
  });

  test('goes on being read for who comes back in that while, and the while begins anew', () => {
    const { core, source } = sourceCore();
    const before = core.follow('a');
    core.hub.release(before);
    core.clock.advance(59_000);
    source.hear('a', 'meanwhile');
    const after = core.follow('a');
    assert.equal(after, before);
    assert.equal(after.log.size, 1);
    core.hub.release(after);
    core.clock.advance(59_000);
    assert.deepEqual(source.asked, ['follow a']);
    core.clock.advance(1000);
    assert.deepEqual(source.asked, ['follow a', 'unfollow a']);
  });

  test('that was given back is followed anew, and its new log proves nothing of before', () => {
    const { core, source } = sourceCore();
    core.hub.release(core.follow('a'));
    source.hear('a', 'x');
    const head = core.numbering.last;
    core.clock.advance(60_000);
    const { log } = core.follow('a');
    assert.deepEqual(source.asked, ['follow a', 'unfollow a', 'follow a']);
    assert.ok(log.base > head);
    assert.equal(log.size, 0);
    assert.equal(core.keeping.floor, 0, 'a log that can be heard again elsewhere says nothing about others');
  });

  test('that two channels read is followed once, told to both, and kept until both are gone', () => {
    const { core, source } = sourceCore({ plan: () => feed('shared') });
    const [a, b] = [core.follow('a'), core.follow('b')];
    assert.deepEqual(source.asked, ['follow shared']);
    assert.deepEqual([a.confirmed, b.confirmed], [true, true]);
    source.hear('shared', 'x');
    assert.deepEqual([a.log.size, b.log.size], [1, 1]);
    core.hub.release(a);
    core.clock.advance(60_000);
    assert.deepEqual(source.asked, ['follow shared']);
    source.hear('shared', 'y');
    assert.equal(b.log.size, 2);
    core.hub.release(b);
    core.clock.advance(60_000);
    assert.deepEqual(source.asked, ['follow shared', 'unfollow shared']);
  });

  test('that another channel reads already is not taken for heard before it is', () => {
    const source = new FakeSource(false);
    const core = new Core({ source, plan: () => feed('shared') });
    const [a, b] = [core.follow('a'), core.follow('b')];
    assert.deepEqual([a.confirmed, b.confirmed], [false, false]);
    source.confirm('shared');
    assert.deepEqual([a.confirmed, b.confirmed], [true, true]);
  });

  test('is one of its source and kind: the same name elsewhere is another', () => {
    const { core, source } = sourceCore({
      plan: (name) => (name === 'b' ? { feed: { kind: 'pattern', name: 'a' } } : feed('a')),
    });
    core.follow('a');
    core.follow('b');
    assert.deepEqual(source.asked, ['follow a', 'follow a']);
  });
});

describe('a channel of a source', () => {
  test('has a base of its own from where it is heard: no cursor of before proves anything', () => {
    const { core } = sourceCore();
    const before = core.numbering.last;
    assert.ok(core.follow('a').log.base > before);
  });

  test('has one gap for each link that was lost, before the first message of the next', () => {
    const { core, source } = sourceCore();
    const { log } = core.follow('a');
    source.hear('a', '1');
    for (let link = 0; link < 2; link += 1) {
      source.lose();
      source.lose();
      source.confirm('a');
      source.confirm('a');
      source.hear('a', 'after');
    }
    const kept = entriesOf(log);
    assert.deepEqual(
      kept.map(({ kind }) => kind),
      ['event', 'gap', 'event', 'gap', 'event'],
    );
    const reasons = kept
      .filter(({ kind }) => kind === 'gap')
      .map(({ text }) => /"reason":"(.*?)","after":"(.*?)"/.exec(text));
    assert.deepEqual(
      reasons.map((match) => match?.slice(1)),
      [
        ['source-lost', core.numbering.text(kept[0]?.number ?? 0)],
        ['source-lost', core.numbering.text(kept[2]?.number ?? 0)],
      ],
    );
  });

  test('that was never heard on a lost link, nor opened without one, has no gap', () => {
    const source = new FakeSource(false);
    const core = new Core({ source });
    const { log } = core.follow('a');
    source.lose();
    source.confirm('a');
    assert.deepEqual(entriesOf(log), []);
  });

  test('goes on with other channels when one link of many feeds is lost', () => {
    const { core, source } = sourceCore();
    const logs = ['a', 'b', 'c'].map((name) => core.follow(name).log);
    source.lose();
    for (const name of ['c', 'a', 'b']) source.confirm(name);
    assert.deepEqual(
      logs.map((log) => entriesOf(log).length),
      [1, 1, 1],
    );
  });

  test('that may not be read has a gap for that once, and another when it can be', () => {
    const { core, source } = sourceCore();
    const { log } = core.follow('a');
    source.lose();
    for (let round = 0; round < 2; round += 1) {
      source.refuse('a');
      source.refuse('a');
      source.confirm('a');
    }
    const reasons = entriesOf(log).map(({ text }) => /"reason":"(.*?)"/.exec(text)?.[1]);
    assert.deepEqual(reasons, ['source-error', 'source-lost', 'source-error', 'source-lost']);
  });

  test('has a gap of one in place of a message that is too large', () => {
    const { core, source } = sourceCore({ maxEventSize: 3 });
    const { log } = core.follow('a');
    source.hear('a', 'abc');
    source.hear('a', 'abcd');
    const [event, gap] = entriesOf(log);
    assert.equal(event?.kind, 'event');
    assert.match(gap?.text ?? '', /"reason":"too-large","after":"here-\d+","lost":1/);
    assert.equal(core.metrics.read('messages_too_large'), 1);
  });
});

describe('a memory channel', () => {
  test('lives without listeners until its history has aged out, and raises what can be proved of others', () => {
    const core = new Core({ history: { age: 5000 } });
    core.publish('a', 'x');
    const head = core.numbering.last;
    core.clock.advance(4000);
    assert.equal(core.hub.live.size, 1);
    core.clock.advance(3000);
    assert.equal(core.hub.live.size, 0);
    const again = core.follow('a').log;
    assert.equal(again.base, head);
    assert.equal(core.keeping.context.held.history, 0);
  });

  test('lives as long as somebody listens and a while longer, however old its history is', () => {
    const core = new Core({ history: { age: 5000 } });
    const channel = core.follow('a');
    core.publish('a', 'x');
    core.clock.advance(60_000);
    core.hub.release(channel);
    core.clock.advance(59_999);
    assert.equal(core.hub.live.get('a'), channel);
    core.clock.advance(1);
    assert.equal(core.hub.live.size, 0);
  });

  test('that nobody ever wrote to proves as much after it was dropped as before', () => {
    const core = new Core();
    core.publish('b', 'x');
    core.hub.release(core.follow('a'));
    core.clock.advance(60_000);
    assert.deepEqual([...core.hub.live.keys()], ['b']);
    assert.equal(core.follow('a').log.base, 0);
  });
});

describe('limits.channels', () => {
  test('bounds live names, histories in memory included', () => {
    const { core, source } = sourceCore({ maxChannels: 2 });
    for (const name of ['a', 'b']) core.follow(name);
    assert.throws(() => core.follow('c'), LimitError);
    assert.deepEqual(source.asked, ['follow a', 'follow b']);
    const memory = new Core({ maxChannels: 1 });
    memory.publish('a', 'x');
    assert.throws(() => memory.follow('b'), LimitError);
    assert.throws(() => memory.publish('b', 'x'), LimitError);
  });

  test('lets a new name in for the one that nobody has followed for longest', () => {
    const { core, source } = sourceCore({ maxChannels: 3 });
    const channels = ['a', 'b', 'c'].map((name) => core.follow(name));
    for (const channel of channels.slice(0, 2)) core.hub.release(channel);
    core.follow('d');
    assert.deepEqual([...core.hub.live.keys()], ['b', 'c', 'd']);
    assert.deepEqual(source.followed, ['b', 'c', 'd']);
    core.follow('b');
    assert.throws(() => core.follow('e'), LimitError);
    core.clock.advance(60_000);
    assert.deepEqual(source.followed, ['b', 'c', 'd']);
  });

  test('does not count what is only published to a source', async () => {
    const { core, source } = sourceCore({ maxChannels: 0 });
    await assert.rejects(core.hub.publish(core.plan('a'), { data: Buffer.from('x') }));
    assert.deepEqual(source.asked, ['publish a x']);
  });
});

describe('a name', () => {
  test('that nothing in the configuration names has no plan', () => {
    assert.equal(new Core().hub.plan('unknown'), undefined);
  });

  test('keeps its plan while it is live', () => {
    let linger = 1000;
    const { core } = sourceCore({ plan: () => ({ linger }) });
    core.follow('a');
    linger = 2000;
    assert.deepEqual([core.plan('a').linger, core.plan('b').linger], [1000, 2000]);
  });
});

describe('a hub that stops', () => {
  test('leaves no timer behind and hears nothing more', () => {
    const { core, source } = sourceCore();
    core.hub.release(core.follow('a'));
    core.hub.stop();
    assert.deepEqual(core.clock.pending, []);
    source.hear('a', 'late');
    assert.equal(core.channel('a').log.size, 0);
  });
});

/** What a log keeps, oldest first. */
function entriesOf(log: Log): { number: number; kind: string; text: string }[] {
  const entries: { number: number; kind: string; text: string }[] = [];
  for (let index = log.indexAfter(0); ; index += 1) {
    const entry = log.at(index);
    if (entry === undefined) return entries;
    entries.push({
      number: entry.number,
      kind: entry.kind,
      text: entry.bytes.toString('utf8', entry.start, entry.end),
    });
  }
}
