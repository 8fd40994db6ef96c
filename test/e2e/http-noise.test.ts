/** Random and mutilated requests by the thousand: each is answered or cut off, and nobody else notices. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { startGateway } from '../support/gateway.ts';
import { connectPeer } from '../support/peer.ts';
import { type Dice, dice } from '../support/random.ts';
import { waitFor } from '../support/wait.ts';

const ROUNDS = 40;
const PEERS_AT_ONCE = 50;

/** What a peer may take to be refused; a request that the noise left half is cut off by its peer. */
const PATIENCE_MS = 300;

const SEEDS = [
  'GET /events/noise HTTP/1.1\r\nHost: HOST\r\nLast-Event-ID: abc-1\r\n\r\n',
  'GET /events?channel=noise&channel=b HTTP/1.1\r\nHost: HOST\r\nAccept: text/event-stream\r\n\r\n',
  'POST /events/noise?event=e&id=1 HTTP/1.1\r\nHost: HOST\r\nContent-Length: 3\r\n\r\nabc',
  'POST /events/noise HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n',
  'HEAD /events/noise HTTP/1.0\r\nHost: HOST\r\n\r\n',
  'OPTIONS * HTTP/1.1\r\nHost: HOST\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n',
];

describe('noise', () => {
  test('takes nothing down, shows nothing of the inside and leaves nothing behind', async (t) => {
    const gateway = await startGateway(t);
    const host = `127.0.0.1:${gateway.port}`;
    const witness = gateway.stream(t, '/events/witness');
    await witness.opened();
    await gateway.readiness();
    const idle = await gateway.connections();
    const chance = dice(7);
    for (let round = 0; round < ROUNDS; round += 1) {
      const peers = Array.from({ length: PEERS_AT_ONCE }, async () => {
        const peer = connectPeer(t, gateway.port);
        await peer.flushed(mutilated(chance, host));
        await peer.head(0, PATIENCE_MS).catch(() => undefined);
        for (const { head, body } of peer.responses) {
          assert.ok(head.status < 500 || [501, 505].includes(head.status), `${head.status} ${body}`);
          assert.doesNotMatch(body, /\bat .*\.(ts|js):\d+|node:internal/);
        }
        peer.destroy();
      });
      await Promise.all(peers);
    }
    await gateway.publish('witness', 'still here');
    assert.equal((await witness.next()).data, 'still here');
    await waitFor('every socket closed', async () => (await gateway.connections()) <= idle);
    assert.doesNotMatch(gateway.child.stderr, /TypeError|ReferenceError|Unhandled|^\s+at /m);
  });
});

/** One of the seeds with up to four bytes or pieces of it changed, removed, doubled or moved. */
function mutilated(chance: Dice, host: string): string {
  let text = (SEEDS[chance.below(SEEDS.length)] ?? '').replace('HOST', host);
  for (let count = chance.below(5); count > 0; count -= 1) {
    const at = chance.below(text.length);
    const end = Math.min(text.length, at + 1 + chance.below(12));
    const piece = text.slice(at, end);
    const noise = String.fromCharCode(chance.below(256));
    const changes = [noise, '', piece + piece, piece.toUpperCase(), '\r\n', '%00', noise.repeat(300)];
    text = text.slice(0, at) + (changes[chance.below(changes.length)] ?? '') + text.slice(end);
  }
  return text;
}
