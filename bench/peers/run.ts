/** `npm run bench:peers`: this gateway beside other servers, in turn, as ratios of one run. */
import { missingPackages, provide } from '../../test/support/prerequisites.ts';
import { runCampaign } from '../campaign.ts';
import { PEER_CASES } from '../cases.ts';
import { executable, sources } from '../gateway.ts';
import type { Bench, Options } from '../options.ts';
import type { Subject } from '../subject.ts';
import { flaskSse } from './flask-sse.ts';
import { nchan } from './nchan.ts';
import { nodeFloor } from './node-floor.ts';
import type { Peer } from './peer.ts';
import { pushpin } from './pushpin.ts';

const PEERS: readonly Peer[] = [nchan, pushpin, flaskSse, nodeFloor];

const BENCH: Bench = {
  script: 'bench:peers',
  summary:
    'Loads this gateway and other servers in turn and prints what they do, and how many times as much the gateway.',
  cases: PEER_CASES,
  peers: PEERS.map(({ name }) => name),
};

/** Those that can run here, once it is known. */
let available: readonly Peer[] | undefined;

process.exitCode = await runCampaign({ series: 'peers', bench: BENCH, subjectsOf }, process.argv.slice(2));

function subjectsOf(_case: unknown, options: Options): readonly Subject[] {
  const { executable: file, peers = BENCH.peers ?? [] } = options;
  available ??= PEERS.filter(({ name }) => peers.includes(name)).filter(isAvailable);
  return [file === undefined ? sources('sse-gateway') : executable('sse-gateway', file), ...available];
}

/** Installs what a peer needs where that is allowed; says why it is left out otherwise. */
function isAvailable({ name, needs }: Peer): boolean {
  try {
    if (missingPackages(needs).length > 0) provide(needs, name);
    return true;
  } catch (error) {
    console.error(`left out: ${error instanceof Error ? error.message : error}`);
    return false;
  }
}
