/** A client that goes away is gone from everywhere: sockets, Redis subscriptions, limits. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { startGateway } from '../support/gateway.ts';
import { channelsHeard, ordinaryConnections, startRedis } from '../support/redis.ts';
import { waitFor } from '../support/wait.ts';

const ROUNDS = 5;
const CLIENTS = 200;

describe('after clients have left', () => {
  test('sockets and subscriptions are back where they were, round after round', async (t) => {
    const redis = await startRedis(t);
    const gateway = await startGateway(t, {
      config: `redis: ${redis.url}\nserver: {retry: 100ms}\nchannels: {"r.{n}": {pubsub: "r.{n}", linger: 300ms}}\n`,
    });
    const client = redis.client();
    await gateway.becomes(200);
    const idle = await gateway.connections();
    const connections = await ordinaryConnections(client);
    for (let round = 0; round < ROUNDS; round += 1) {
      const streams = Array.from({ length: CLIENTS }, (_, index) =>
        gateway.stream(t, index % 2 === 0 ? `/events/r.${index}` : `/events?channel=r.${index}&channel=r.0`),
      );
      // Some leave before they were answered, some before gateway.open, most after it.
      for (const [index, stream] of streams.entries()) {
        if (index % 10 === 0) stream.cut();
        else if (index % 10 === 1) stream.cutAfter(5);
        else await stream.opened();
      }
      for (const stream of streams) stream.cut();
      await waitFor('every socket closed', async () => (await gateway.connections()) <= idle);
      await waitFor('every subscription ended', async () => (await channelsHeard(client)).length === 0);
    }
    assert.ok((await ordinaryConnections(client)) <= connections);
  });

  test('names that nobody follows any more make room for others', async (t) => {
    const redis = await startRedis(t);
    const gateway = await startGateway(t, {
      config: `redis: ${redis.url}\nserver: {retry: 100ms}\nlimits: {channels: 3}\nchannels: {"r.{n}": {pubsub: "r.{n}", linger: 300ms}}\n`,
    });
    const client = redis.client();
    await gateway.becomes(200);
    for (let round = 0; round < 3; round += 1) {
      const streams = [0, 1, 2].map((index) => gateway.stream(t, `/events/r.${round}-${index}`));
      await Promise.all(streams.map((stream) => stream.opened()));
      await waitFor('every subscription', async () => (await channelsHeard(client)).length === 3);
      for (const stream of streams) stream.cut();
      await waitFor('every subscription ended', async () => (await channelsHeard(client)).length === 0);
    }
  });

  test('refused requests leave nothing behind', async (t) => {
    const gateway = await startGateway(t, { config: 'channels: {news: {memory: true}}\nallow: {subscribe: ["*"]}\n' });
    await gateway.becomes(200);
    const idle = await gateway.connections();
    for (let index = 0; index < 300; index += 1) {
      const paths = ['/events/nobody', '/events/bad%20name', '/events?channel=', '/events/news?x=%'];
      const stream = gateway.stream(t, paths[index % 3] ?? '');
      await stream.ended();
    }
    await waitFor('every socket closed', async () => (await gateway.connections()) <= idle);
  });
});
