/** What flask-sse puts into Redis reaches clients as flask-sse would send it, and better where flask-sse is wrong. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { startGateway } from '../support/gateway.ts';
import { heard } from '../support/heard.ts';
import { once } from '../support/once.ts';
import { type Owner, suiteOwner } from '../support/owner.ts';
import { startRedis } from '../support/redis.ts';
import type { ReceivedEvent } from '../support/sse-reader.ts';
import type { SseStream } from '../support/sse-stream.ts';

interface FlaskCase {
  readonly redis_channel: string;
  readonly redis_message: string;
  readonly client_sees: readonly Readonly<{ type: string; data: string; id: string | null }>[];
}

/** Recorded with flask-sse 1.0.0; `publish` is the call, the rest what became of it. */
const { cases } = JSON.parse(readFileSync(new URL('cases/flask-cases.json', import.meta.url), 'utf8')) as {
  cases: readonly FlaskCase[];
};

/** What clients of flask-sse see wrongly: nothing at all, less, other line ends, and a second event that nobody published. */
const BETTER: Readonly<Record<string, { type: string; data: string; id: string | null }>> = {
  '{"data": ""}': { type: 'message', data: '', id: null },
  '{"data": "trailing\\n"}': { type: 'message', data: 'trailing\n', id: null },
  '{"data": "\\u00e9\\u2603 \\u2028 sep"}': { type: 'message', data: 'é☃ \u2028 sep', id: null },
  '{"data": "inject", "id": "1\\n\\ndata: pwned", "type": "a\\ndata: pwned"}': {
    type: 'message',
    data: 'inject',
    id: null,
  },
};

/** What stands in the place of an id that nobody gave. */
const CURSOR = /^[a-z][a-z0-9]+-[0-9]+$/;

const config = (redis: string) => `
redis: ${redis}
channels:
  "*": {format: envelope}
  by-their-ids.sse: {pubsub: sse, format: envelope, ids: publisher}
  by-their-ids.users.social: {pubsub: users.social, format: envelope, ids: publisher}
`;

describe('what flask-sse publishes', () => {
  const owner = suiteOwner();
  const received = once(() => publishAll(owner));

  test('is one event for each message, with the type and data that were meant', async () => {
    const { events } = await received();
    assert.deepEqual(
      events.map(({ type, data }) => ({ type, data })),
      cases.map(expected).map(({ type, data }) => ({ type, data })),
    );
  });

  test('has the ids that it was published with where the channel says so', async () => {
    const { byTheirIds } = await received();
    assert.deepEqual(
      byTheirIds.map(({ id }) => (CURSOR.test(id ?? '') ? null : id)),
      cases.map(expected).map(({ id }) => id),
    );
  });

  test('does not change how soon clients come back', async () => {
    const { retryBefore, retryAfter } = await received();
    assert.deepEqual(retryAfter, retryBefore);
  });

  test('is otherwise what a client of flask-sse sees', () => {
    const different = cases.filter(
      (each) => each.client_sees.length !== 1 || !sameAs(each.client_sees[0], expected(each)),
    );
    assert.deepEqual(
      different.map(({ redis_message }) => redis_message),
      Object.keys(BETTER),
    );
  });
});

/** Publishes every case; settles with what each became, in the order of the cases. */
async function publishAll(owner: Owner) {
  const redis = await startRedis(owner);
  const gateway = await startGateway(owner, { config: config(redis.url) });
  const channels = [...new Set(cases.map(({ redis_channel }) => redis_channel))];
  const streams = new Map<string, SseStream>();
  const theirs = new Map<string, SseStream>();
  for (const channel of channels) {
    streams.set(channel, await heard(owner, gateway, `/events/${channel}`));
    theirs.set(channel, await heard(owner, gateway, `/events/by-their-ids.${channel}`));
  }
  const client = redis.client();
  const retry = () => [...streams.values()].map((stream) => stream.retry);
  const retryBefore = retry();
  const events: ReceivedEvent[] = [];
  const byTheirIds: ReceivedEvent[] = [];
  for (const { redis_channel, redis_message } of cases) {
    await client.publish(redis_channel, redis_message);
    for (const [from, into] of [
      [streams, events],
      [theirs, byTheirIds],
    ] as const) {
      const event = await from.get(redis_channel)?.next();
      if (event !== undefined) into.push(event);
    }
  }
  return { events, byTheirIds, retryBefore, retryAfter: retry() };
}

function expected({ redis_message, client_sees }: FlaskCase): { type: string; data: string; id: string | null } {
  const [seen] = client_sees;
  const better = BETTER[redis_message] ?? seen;
  assert.ok(better !== undefined, redis_message);
  return better;
}

function sameAs(seen: FlaskCase['client_sees'][number] | undefined, wanted: { type: string; data: string }): boolean {
  return seen?.type === wanted.type && seen.data === wanted.data;
}
