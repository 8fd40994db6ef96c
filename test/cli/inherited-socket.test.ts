/** LISTEN_FDS and LISTEN_PID: when they mean us, and that nobody sees them after us. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { takeInheritedSocket } from '../../src/cli/inherited-socket.ts';
import { ListenError } from '../../src/errors.ts';

test('variables that mean another process, or no socket, are none, and are taken out as well', () => {
  const cases = [
    {},
    { LISTEN_FDS: '1' },
    { LISTEN_FDS: '1', LISTEN_PID: '6' },
    { LISTEN_FDS: '1', LISTEN_PID: '' },
    { LISTEN_PID: '5' },
    { LISTEN_FDS: '0', LISTEN_PID: '5', LISTEN_FDNAMES: '' },
  ];
  for (const said of cases) {
    const env = { ...said, PATH: '/bin' };
    assert.equal(takeInheritedSocket(env, 5), undefined, JSON.stringify(said));
    assert.deepEqual(env, { PATH: '/bin' });
  }
});

test('what says nothing that can be served on is an error', () => {
  for (const count of ['2', '99', 'one', '-1', '1.5', '01']) {
    const env = { LISTEN_FDS: count, LISTEN_PID: '5' };
    assert.throws(() => takeInheritedSocket(env, 5), ListenError, count);
    assert.deepEqual(env, {});
  }
});
