/** What a request's target names: routes below the base path, channels by their exact names. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { UsageError } from '../../src/errors.ts';
import { channelsOf, isEventsPath, lastOf, parseTarget } from '../../src/http/target.ts';
import { channelNames } from '../support/arbitrary.ts';

describe('a target', () => {
  const TABLE: readonly (readonly [url: string, base: string, path: string | undefined])[] = [
    ['/', '/', '/'],
    ['/events', '/', '/events'],
    ['/events/a', '/', '/events/a'],
    ['/events?channel=a', '/', '/events'],
    ['/events/a%2Fb', '/', '/events/a%2Fb'],
    ['//events', '/', '//events'],
    ['/../events', '/', '/../events'],
    ['/sse', '/sse', '/'],
    ['/sse/', '/sse/', '/'],
    ['/sse', '/sse/', '/'],
    ['/sse/events/a', '/sse', '/events/a'],
    ['/sse/events/a', '/sse/', '/events/a'],
    ['/sse?x', '/sse', '/'],
    ['/ssex', '/sse', undefined],
    ['/events', '/sse', undefined],
    ['/SSE/events', '/sse', undefined],
    ['/', '/sse', undefined],
    ['http://localhost:8080/events/a?b', '/', '/events/a'],
    ['http://localhost', '/', '/'],
    ['*', '/', undefined],
    ['events', '/', undefined],
    ['', '/sse', undefined],
  ];

  test('has the path below the base path, as it stands, and none where it is elsewhere', () => {
    for (const [url, base, path] of TABLE) assert.equal(parseTarget(url, base).path, path, `${url} below ${base}`);
  });

  test('has the parameters behind the first question mark, the last of a repeated one counting', () => {
    const { parameters } = parseTarget('/events?channel=a&x=1?2&channel=b&x=3', '/');
    assert.deepEqual(parameters.getAll('channel'), ['a', 'b']);
    assert.deepEqual([lastOf(parameters, 'x'), lastOf(parameters, 'y')], ['3', undefined]);
  });
});

describe('a path of events', () => {
  test('is /events or one segment below it', () => {
    const yes = ['/events', '/events/', '/events/a', '/events/a%2Fb'];
    const no = [undefined, '/', '/event', '/eventsx', '/events/a/b', '/x/events', '/EVENTS', '//events'];
    assert.deepEqual([...yes, ...no].map(isEventsPath), [...yes.map(() => true), ...no.map(() => false)]);
  });
});

describe('the channels of a request', () => {
  const ofQuery = (query: string): string[] => channelsOf('/events', new URLSearchParams(query));
  const ofPath = (segment: string): string[] => channelsOf(`/events/${segment}`, new URLSearchParams());

  test('come back from the path and from the query, whatever their names', () => {
    fc.assert(
      fc.property(fc.uniqueArray(channelNames(), { minLength: 1, maxLength: 5 }), (names) => {
        const [first = ''] = names;
        assert.deepEqual(ofPath(encodeURIComponent(first)), [first]);
        assert.deepEqual(
          channelsOf('/events', new URLSearchParams(names.map((name): [string, string] => ['channel', name]))),
          names,
        );
      }),
    );
  });

  test('are named once, however often they stand in the query', () => {
    assert.deepEqual(ofQuery('channel=a&channel=b&channel=a'), ['a', 'b']);
  });

  test('are not taken from the query where the path names one', () => {
    assert.deepEqual(channelsOf('/events/a', new URLSearchParams('channel=b')), ['a']);
  });

  test('are refused where there is none, or one is no name, with a sentence that shows it', () => {
    for (const query of ['', 'chanel=a', 'channel', 'channel=', 'channel=a&channel=', 'channel[]=a', 'channel=a b']) {
      assert.throws(() => ofQuery(query), UsageError, query);
    }
    const segments = [
      '',
      'a%2Fb',
      '%2e%2e%2f',
      'a%00',
      'a%0d%0ab',
      'a*',
      '%5B',
      '%E2%80%AE',
      '%EF%BB%BF',
      '%ED%A0%80',
      '%',
      '%zz',
      'gr\u00fcn',
    ];
    for (const segment of [...segments, 'x'.repeat(256)]) assert.throws(() => ofPath(segment), UsageError, segment);
    assert.throws(() => ofPath('a*'), /"a\*"/);
    assert.deepEqual(ofPath('x'.repeat(255)), ['x'.repeat(255)]);
  });

  test('of any text are names or refused, never another error', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: fc.constantFrom('%', '2', 'F', 'a', '/', '.') }),
    );
    fc.assert(
      fc.property(text, (segment) => {
        try {
          for (const name of ofPath(segment)) assert.match(name, /^[A-Za-z0-9_.:@~|+=-]{1,255}$/);
        } catch (error) {
          assert.ok(error instanceof UsageError, String(error));
        }
      }),
    );
  });
});
