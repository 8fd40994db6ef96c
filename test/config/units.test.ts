/** Durations and sizes have units, and are written as they are read. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  formatDuration,
  formatSize,
  guessDuration,
  guessSize,
  MAX_DURATION_MS,
  parseDuration,
  parseSize,
} from '../../src/config/units.ts';

describe('a duration', () => {
  test('is a number with a unit, or 0', () => {
    assert.deepEqual(
      ['0', '500ms', '15s', '1.5m', '2h', '0.5s'].map(parseDuration),
      [0, 500, 15_000, 90_000, 7_200_000, 500],
    );
  });

  test('is nothing else', () => {
    const bad = [
      '',
      ' ',
      '15',
      '-1s',
      '+1s',
      '1e3s',
      '1e99s',
      '.5s',
      '5.s',
      '1_000ms',
      '15 s',
      '15S',
      '1d',
      '0x10s',
      's',
      '1s ',
      '1h30m',
      '0.0001ms',
      '1:30',
      'NaNs',
      `${'9'.repeat(15)}h`,
    ];
    for (const text of bad) assert.equal(parseDuration(text), undefined, JSON.stringify(text));
  });

  test('in other words is guessed', () => {
    assert.deepEqual(['15', '15 sec', '15S', '2 minutes', '1d', '5 parsecs', '-1s'].map(guessDuration), [
      ['15s', '15ms'],
      ['15s'],
      ['15s'],
      ['2m'],
      ['24h'],
      [],
      [],
    ]);
  });

  test('is written as it can be read', () => {
    fc.assert(fc.property(fc.nat(MAX_DURATION_MS), (ms) => assert.equal(parseDuration(formatDuration(ms)), ms)));
    assert.deepEqual([0, 1500, 60_000, 90_000, 7_200_000].map(formatDuration), ['0', '1500ms', '1m', '90s', '2h']);
  });

  test('is at most what a timer holds', () => {
    assert.ok(MAX_DURATION_MS < 2 ** 31);
  });
});

describe('a size', () => {
  test('is a number with a binary unit, or 0', () => {
    assert.deepEqual(['0', '512B', '64KiB', '1.5MiB', '2GiB'].map(parseSize), [0, 512, 65_536, 1_572_864, 2 ** 31]);
  });

  test('is nothing else', () => {
    for (const text of ['', '10', '10MB', '10mib', '10 MiB', '-1B', '1e3B', '0.1B', 'MiB', '10K']) {
      assert.equal(parseSize(text), undefined, text);
    }
  });

  test('in other words is guessed', () => {
    assert.deepEqual(['10MB', '10mib', '1048576', '64k', '10 bytes', 'big'].map(guessSize), [
      ['10MiB'],
      ['10MiB'],
      ['1MiB'],
      ['64KiB'],
      ['10B'],
      [],
    ]);
  });

  test('is written as it can be read', () => {
    fc.assert(fc.property(fc.nat(), (bytes) => assert.equal(parseSize(formatSize(bytes)), bytes)));
  });
});
