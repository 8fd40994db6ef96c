/** How the bench speaks to each server. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { bodyMaker, type Dialect, GATEWAY, subscribePath } from '../../bench/generator/dialect.ts';
import { parseLoopDelay } from '../../bench/generator/loop-delay.ts';

const QUOTED: Dialect = {
  subscribe: { path: '/sub/{channel}', opened: '' },
  publish: { path: '/', before: '{"to":"{channel}","text":"', after: '"}', quoted: true },
};

describe('a dialect', () => {
  test('names the channels of a stream in its path', () => {
    assert.equal(subscribePath(GATEWAY, ['a']), '/events?channel=a');
    assert.equal(subscribePath(GATEWAY, ['a', 'b', 'c']), '/events?channel=a&channel=b&channel=c');
    assert.equal(subscribePath(QUOTED, ['a']), '/sub/a');
  });

  test('puts a payload into what is around it', () => {
    assert.equal(bodyMaker(GATEWAY, 'a')('{"n":1}'), '{"n":1}');
    assert.deepEqual(JSON.parse(bodyMaker(QUOTED, 'a')('{"n":1}')), { to: 'a', text: '{"n":1}' });
  });
});

describe('the loop delay of a gateway', () => {
  test('is read from its metrics in milliseconds', () => {
    const text = [0.99, 0.999, 1].map((q) => `sse_gateway_loop_delay_seconds{quantile="${q}"} ${q / 50}\n`).join('');
    assert.deepEqual(parseLoopDelay(text), { p999: 19.98, max: 20 });
  });

  test('is absent where it is not told', () => {
    assert.equal(parseLoopDelay('sse_gateway_subscribers 3\n'), undefined);
  });
});
