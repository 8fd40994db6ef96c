/** The channel of an event: known from the request, or read out of the envelope. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { channelEvent } from '../../src/client/envelope.ts';

describe('the channel of an event', () => {
  test('is the only one that was asked for, and its data is as it is', () => {
    const event = { type: 'message', data: '{"channel":"b","data":"x"}', lastEventId: 'k-1' };
    assert.deepEqual(channelEvent(event, 'a'), { ...event, channel: 'a' });
  });

  test('is in the envelope where there are several', () => {
    const data = JSON.stringify({ channel: 'b', event: 'tick', id: '7', data: 'x\n"y"' });
    assert.deepEqual(channelEvent({ type: 'tick', data, lastEventId: 'k-1' }, undefined), {
      channel: 'b',
      type: 'tick',
      data: 'x\n"y"',
      lastEventId: 'k-1',
    });
  });

  test('is in what the gateway says about one of several', () => {
    const of = (type: string, data: string, only?: string) =>
      channelEvent({ type, data, lastEventId: '' }, only).channel;
    assert.equal(of('gateway.gap', '{"channel":"b","reason":"trimmed"}'), 'b');
    assert.equal(of('gateway.open', '{"channels":["a","b"]}'), undefined);
    assert.equal(of('gateway.open', '{"channels":["a"]}', 'a'), 'a');
  });

  for (const data of [
    '',
    'x',
    '{}',
    '[1]',
    '{"channel":"a"}',
    '{"channel":1,"data":"x"}',
    '{"channel":"a","data":1}',
  ]) {
    test(`is not known where the data is no envelope, which is left as it is: ${data}`, () => {
      const event = { type: 'message', data, lastEventId: '' };
      assert.deepEqual(channelEvent(event, undefined), { ...event, channel: undefined });
    });
  }
});
