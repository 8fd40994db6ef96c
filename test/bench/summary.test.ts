/** What the bench makes of several runs. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Figures } from '../../bench/generator/spec.ts';
import { median, mediansOf, ratiosOf } from '../../bench/summary.ts';

describe('the medians of several runs', () => {
  test('the median is the one in the middle, or lies between two', () => {
    assert.equal(median([9, 1, 3]), 3);
    assert.equal(median([4, 1, 3, 9]), 3.5);
  });

  test('one run that is not whole makes the whole case so', () => {
    assert.equal(mediansOf([figures(1), { ...figures(1), whole: false }]).whole, false);
  });

  test('a generator that took nearly all of its CPU was the limit, Redis counted with it', () => {
    const busy = { ...figures(1), share: { server: 0.5, generator: 0.7, redis: 0.27 } };
    assert.equal(mediansOf([busy]).generatorWasTheLimit, true);
    assert.equal(mediansOf([figures(1)]).generatorWasTheLimit, false);
  });

  test('two gateways are compared run by run', () => {
    const ratios = ratiosOf([figures(10), figures(30)], [figures(5), figures(10)]);
    assert.equal(ratios.messagesPerSecond, 2.5);
    assert.equal(ratios.bytesPerStream, undefined);
  });
});

function figures(messagesPerSecond: number): Figures {
  return {
    whole: true,
    faults: [],
    closed: 0,
    refused: 0,
    share: { server: 0.9, generator: 0.6, redis: 0.2 },
    noise: 0,
    flow: {
      published: 1,
      deliveries: 1,
      seconds: 1,
      deliveriesPerCpuSecond: 1,
      messagesPerSecond,
      p50: 1,
      p99: 1,
      max: 1,
    },
  };
}
