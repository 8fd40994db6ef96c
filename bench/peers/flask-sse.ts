/** What flask-sse does, under gunicorn with gevent: a connection to Redis for each stream. */
import { join } from 'node:path';
import { freePort } from '../../test/support/scratch.ts';
import { startRedis } from '../redis.ts';
import { type Peer, startServer, untilAnswering } from './peer.ts';

export const flaskSse: Peer = {
  name: 'as flask-sse',
  needs: [
    { package: 'redis-server', program: 'redis-server' },
    { package: 'python3-flask', module: 'flask' },
    { package: 'python3-redis', module: 'redis' },
    { package: 'python3-gevent', module: 'gevent' },
    { package: 'gunicorn', module: 'gunicorn' },
  ],
  async start(owner, _load, placement) {
    const redis = await startRedis(owner, placement);
    const port = await freePort();
    const gunicorn = ['/usr/bin/python3', '-m', 'gunicorn', '--worker-class', 'gevent', '--workers', '1'] as const;
    const server = startServer(owner, placement, [
      ...gunicorn,
      ...['--worker-connections', '16000', '--backlog', '4096', '--timeout', '0', '--keep-alive', '3600'],
      ...['--bind', `127.0.0.1:${port}`, '--log-level', 'error', '--chdir', join(import.meta.dirname)],
      `flask_sse_app:create(${redis.port})`,
    ]);
    await untilAnswering(port, server.ended);
    return {
      port,
      redis,
      ...server,
      dialect: {
        subscribe: { path: '/events/{channel}', opened: ':\\n\\n' },
        publish: { path: '/publish/{channel}' },
      },
    };
  },
};
