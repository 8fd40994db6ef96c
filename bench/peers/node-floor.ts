/** Node's own floor: a server that writes the same bytes to all, and nothing else. */
import { join } from 'node:path';
import { freePort } from '../../test/support/scratch.ts';
import { type Peer, startServer, untilListening } from './peer.ts';

const SERVER = join(import.meta.dirname, 'node-floor-server.ts');

export const nodeFloor: Peer = {
  name: 'node:http',
  needs: [],
  async start(owner, _load, placement) {
    const port = await freePort();
    const server = startServer(owner, placement, [process.execPath, SERVER, `${port}`]);
    await untilListening(port, server.ended);
    return {
      port,
      ...server,
      dialect: {
        subscribe: { path: '/events/{channel}', opened: ':\\n\\n' },
        publish: { path: '/publish/{channel}' },
      },
    };
  },
};
