/** nchan, a module of nginx: one worker, messages kept in memory, publishing and subscribing over HTTP. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort, scratchFolder } from '../../test/support/scratch.ts';
import { type Peer, startServer, untilAnswering } from './peer.ts';

const MODULE = '/usr/lib/nginx/modules/ngx_nchan_module.so';

/** nchan sends its head before the stream is in its channel; in milliseconds. */
const SETTLE = 500;

export const nchan: Peer = {
  name: 'nchan',
  needs: [
    { package: 'nginx-light', program: 'nginx' },
    { package: 'libnginx-mod-nchan', file: MODULE },
  ],
  async start(owner, _load, placement) {
    const [port, folder] = [await freePort(), await scratchFolder(owner)];
    const file = join(folder, 'nginx.conf');
    await writeFile(file, configOf(folder, port));
    const server = startServer(owner, placement, ['/usr/sbin/nginx', '-p', folder, '-e', 'stderr', '-c', file]);
    await untilAnswering(port, server.ended);
    return {
      port,
      ...server,
      dialect: {
        subscribe: { path: '/events/{channel}', opened: '', settle: SETTLE },
        publish: { path: '/publish/{channel}' },
      },
    };
  },
};

/** Enough messages are kept that nobody who reads loses one; nothing is logged. */
function configOf(folder: string, port: number): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  return `load_module ${MODULE};
daemon off;
${process.getuid?.() === 0 ? 'user root;' : ''}
worker_processes 1;
worker_rlimit_nofile 20000;
pid ${folder}/nginx.pid;
error_log stderr error;
events { worker_connections 19000; }
http {
  ${temporary.map((name) => `${name}_temp_path ${folder}/${name};`).join('\n  ')}
  access_log off;
  tcp_nodelay on;
  keepalive_timeout 3600s;
  keepalive_requests 1000000000;
  nchan_shared_memory_size 512M;
  nchan_message_buffer_length 4096;
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location ~ ^/events/(.+)$ {
      nchan_subscriber eventsource;
      nchan_channel_id $1;
      nchan_subscriber_first_message newest;
    }
    location ~ ^/publish/(.+)$ {
      nchan_publisher;
      nchan_channel_id $1;
    }
  }
}
`;
}
