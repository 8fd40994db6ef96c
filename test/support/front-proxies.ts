/** Real proxies in front of the gateway, each run with what the documentation shows for it. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Child, startChild } from './child.ts';
import type { Owner } from './owner.ts';
import { findExecutable } from './prerequisites.ts';
import { adapted, sample } from './samples.ts';
import { freePort, scratchFolder } from './scratch.ts';
import { waitFor } from './wait.ts';

const PAGE = 'docs/proxies.md';

/** What a test needs to differ from the page: soon instead of in a while, so that it is seen. */
const SOONER = { 'retry: 5000': 'retry: 100' };

/** After how long a proxy with such a limit cuts an idle connection, where a test does not say. */
const IDLE = '1s';

/** nginx's own temporary files would lie where only root may write. */
const NGINX_FOLDERS = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];

/** What is shown for nginx to speak HTTP/1.1 to the gateway. */
const NGINX_HTTP_1_1 = '        proxy_http_version 1.1;\n        proxy_set_header Connection "";\n';

/**
 * Starts a proxy in front of the gateway at `gatewayPort`; settles with its address when it answers. `idle`: after how
 * long it cuts an idle connection, where it has such a limit; default: a second.
 */
export type StartFront = (owner: Owner, gatewayPort: number, idle?: string) => Promise<string>;

/** Every proxy that the documentation has a recipe for. */
export const FRONTS: Readonly<Record<string, StartFront>> = {
  'nginx with HTTP/1.1': (owner, port, idle = IDLE) => startNginx(owner, port, { '60s': idle }),
  'nginx with its default of HTTP/1.0': (owner, port, idle = IDLE) =>
    startNginx(owner, port, { '60s': idle, [NGINX_HTTP_1_1]: '' }),
  haproxy: startHaproxy,
  caddy: startCaddy,
};

async function startNginx(owner: Owner, gatewayPort: number, changes: Record<string, string>): Promise<string> {
  const [folder, port] = [await scratchFolder(owner), await freePort()];
  const server = adapted(sample(PAGE, 'nginx.conf'), {
    ...{ '127.0.0.1:8080': `127.0.0.1:${gatewayPort}`, 'listen 80;': `listen 127.0.0.1:${port};` },
    ...{ ...SOONER, ...changes },
  });
  const temporary = NGINX_FOLDERS.map((name) => `${name}_temp_path ${join(folder, name)};`).join(' ');
  const main = `daemon off; master_process off; pid ${join(folder, 'pid')}; error_log stderr; events {}`;
  const path = join(folder, 'nginx.conf');
  await writeFile(path, `${main} http { access_log off; ${temporary}\n${server} }`);
  return await start(owner, port, 'nginx', ['-e', 'stderr', '-c', path]);
}

async function startHaproxy(owner: Owner, gatewayPort: number, idle = IDLE): Promise<string> {
  const [folder, port] = [await scratchFolder(owner), await freePort()];
  const changes = {
    ...{ '127.0.0.1:8080': `127.0.0.1:${gatewayPort}`, 'bind :80': `bind 127.0.0.1:${port}` },
    ...{ ...SOONER, '60s': idle },
  };
  const path = join(folder, 'haproxy.cfg');
  await writeFile(path, adapted(sample(PAGE, 'haproxy.cfg'), changes));
  return await start(owner, port, 'haproxy', ['-db', '-f', path]);
}

/** With compression switched on, which must leave the stream alone. */
async function startCaddy(owner: Owner, gatewayPort: number): Promise<string> {
  const [folder, port] = [await scratchFolder(owner), await freePort()];
  const changes = {
    '127.0.0.1:8080': `127.0.0.1:${gatewayPort}`,
    'www.example.com {': `http://:${port} {\n    bind 127.0.0.1\n    encode gzip`,
    'retry: 5000': SOONER['retry: 5000'],
  };
  const path = join(folder, 'Caddyfile');
  const site = adapted(sample(PAGE, 'Caddyfile'), changes);
  await writeFile(path, `{\n    admin off\n    auto_https off\n}\n${site}`);
  const home = join(folder, 'home');
  await mkdir(home);
  return await start(owner, port, 'caddy', ['run', '--config', path, '--adapter', 'caddyfile'], home);
}

async function start(owner: Owner, port: number, name: string, args: string[], home = '/'): Promise<string> {
  const env = { PATH: process.env['PATH'] ?? '', HOME: home };
  // Debian keeps two of them where only root looks for programs.
  const child = startChild(owner, findExecutable(name) ?? `/usr/sbin/${name}`, args, { env });
  const url = `http://127.0.0.1:${port}`;
  await waitFor(
    () => `an answer of ${name}, which said:\n${child.stderr}${child.stdout}`,
    () => answers(child, url),
  );
  return url;
}

async function answers(child: Child, url: string): Promise<boolean> {
  if (child.process.exitCode !== null) throw new Error(`the proxy ended: ${child.stderr}${child.stdout}`);
  return await fetch(url).then(
    (response) => response.text().then(() => true),
    () => false, // not there yet
  );
}
