/** What the wire does when time passes: heartbeats and the end of a long connection. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { startGateway } from '../support/gateway.ts';
import { openData } from '../support/gateway-events.ts';

const OPEN_TO_ALL = 'allow: {subscribe: ["*"], publish: ["*"]}\nchannels: {"*": {memory: true}}\n';

describe('when time passes', { concurrency: 4 }, () => {
  test('an idle stream gets heartbeats, and nothing but heartbeats', async (t) => {
    const gateway = await startGateway(t, { config: `server: {heartbeat: 1s}\n${OPEN_TO_ALL}` });
    const stream = gateway.stream(t, '/events/idle');
    await stream.opened();
    const before = stream.comments;
    await stream.until('three heartbeats', () => stream.comments >= before + 3);
    assert.equal(stream.events.length, 1);
  });

  test('a connection that is old ends complete, and the client resumes without a gap', async (t) => {
    const gateway = await startGateway(t, {
      config: `server: {max_connection_age: 1s, heartbeat: 500ms}\nlimits: {client_stall: 500ms}\n${OPEN_TO_ALL}`,
    });
    const stream = gateway.stream(t, '/events/age');
    await stream.opened();
    assert.equal(await stream.ended(), 'complete');
    await gateway.publish('age', 'meanwhile');
    const again = gateway.stream(t, '/events/age', { lastEventId: stream.lastEventId });
    assert.equal(openData(await again.opened()).resumed, true);
    assert.equal((await again.next()).data, 'meanwhile');
  });
});
