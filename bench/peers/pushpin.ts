/** Pushpin: streams that a tiny backend asks it to hold, published to by its HTTP control port. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort, scratchFolder } from '../../test/support/scratch.ts';
import { type Peer, startServer, untilListening } from './peer.ts';

const BACKEND = join(import.meta.dirname, 'pushpin-backend.ts');

export const pushpin: Peer = {
  name: 'Pushpin',
  needs: [{ package: 'pushpin', program: 'pushpin' }],
  async start(owner, _load, placement) {
    const folder = await scratchFolder(owner);
    const [port, publishPort, backend] = [await freePort(), await freePort(), await freePort()];
    await mkdir(join(folder, 'log'));
    await writeFile(join(folder, 'routes'), `* 127.0.0.1:${backend}\n`);
    await writeFile(join(folder, 'zurl.conf'), zurlConfig(folder));
    await writeFile(join(folder, 'pushpin.conf'), config(folder, port, publishPort));
    // The backend is the application's part: it is asked once for each stream.
    const application = startServer(owner, placement, [process.execPath, BACKEND, `${backend}`], 'load');
    await untilListening(backend, application.ended);
    const client = startServer(owner, placement, ['/usr/bin/zurl', `--config=${folder}/zurl.conf`, '--loglevel=0']);
    const server = startServer(owner, placement, ['/usr/bin/pushpin', `--config=${folder}/pushpin.conf`]);
    await untilListening(port, server.ended);
    await untilListening(publishPort, server.ended);
    const open = '{"items":[{"channel":"{channel}","formats":{"http-stream":{"content":"data: ';
    return {
      port,
      publishPort,
      pids: () => [...server.pids(), ...client.pids()],
      ended: () => server.ended() ?? client.ended(),
      dialect: {
        subscribe: { path: '/events/{channel}', opened: ':\\n', settle: SETTLE, atOnce: AT_ONCE },
        publish: { path: '/publish/', before: open, after: '\\n\\n"}}}]}', quoted: true },
      },
    };
  },
};

/** It drops a few of a thousand streams that come at once; in milliseconds. */
const SETTLE = 500;

/** Its backend is asked for each stream, and what takes too long is answered with 502. */
const AT_ONCE = 8;

/** By default it delivers 2,500 messages a second. */
const NO_LIMIT = 100_000_000;

function config(folder: string, port: number, publishPort: number): string {
  return `[global]
include=/usr/lib/pushpin/internal.conf
rundir=${folder}
ipc_prefix=p-
port_offset=0

[runner]
services=condure,pushpin-proxy,pushpin-handler
http_port=127.0.0.1:${port}
logdir=${folder}/log
log_level=0
client_buffer_size=8192
client_maxconn=16000

[proxy]
routesfile=${folder}/routes
debug=false
updates_check=off
zurl_out_specs=ipc://${folder}/zurl-in
zurl_out_stream_specs=ipc://${folder}/zurl-in-stream
zurl_in_specs=ipc://${folder}/zurl-out

[handler]
push_in_spec=ipc://${folder}/push-in
push_in_sub_specs=ipc://${folder}/push-sub
push_in_http_addr=127.0.0.1
push_in_http_port=${publishPort}
push_in_http_max_body_size=1000000
stats_spec=ipc://${folder}/stats
command_spec=ipc://${folder}/command
stats_report_interval=0
message_rate=${NO_LIMIT}
message_hwm=${NO_LIMIT}
`;
}

/** What Pushpin asks its backend through. */
function zurlConfig(folder: string): string {
  return `[General]
in_spec=ipc://${folder}/zurl-in
in_stream_spec=ipc://${folder}/zurl-in-stream
out_spec=ipc://${folder}/zurl-out
in_req_spec=
defpolicy=allow
allow=
deny=
max_open_requests=2000
buffer_size=200000
timeout=600
in_hwm=16000
out_hwm=16000
`;
}
