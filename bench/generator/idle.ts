/** Measures what streams cost the server to which nothing is sent. */
import { Scanner } from '../../src/load/scanner.ts';
import { linesOf } from './lines.ts';
import { settledBytes } from './settled.ts';
import { Shares } from './shares.ts';
import type { Figures, Spec } from './spec.ts';
import { Subscribers } from './subscribers.ts';

/** Opens the streams and compares the memory of the server before and after. */
export async function measureIdle(spec: Spec): Promise<Figures> {
  const { load, port, pids, dialect } = spec;
  const { channelsOf } = linesOf(load);
  const before = await settledBytes(pids);
  const streams = new Subscribers({
    count: load.streams,
    port,
    dialect,
    channelsOf,
    scanner: () => new Scanner(load.size, ignored),
    before: ignored,
    after: ignored,
  });
  const shares = new Shares(spec);
  await streams.open();
  const bytesPerStream = ((await settledBytes(pids)) - before) / load.streams;
  const { closed } = streams;
  const { share, noise } = shares.since();
  streams.close();
  return { whole: closed === 0, faults: [], closed, refused: 0, share, noise, bytesPerStream };
}

function ignored(): void {
  // Heartbeats are all that an idle stream reads.
}
