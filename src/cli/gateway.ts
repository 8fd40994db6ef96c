/** Which gateway a command talks to, and as whom. */
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { type KeyOwner, readLocalKey } from '../auth/local-key.ts';
import { DEFAULT_ADDRESS, type GatewayAddress, parseAddress, withBasePath } from '../client/address.ts';
import type { Gateway } from '../client/exchange.ts';
import type { Config } from '../config/config.ts';
import { UsageError } from '../errors.ts';
import type { GatewayFlags } from './flags.ts';
import { say } from './terminal.ts';

/**
 * The address by `--url`, `SSE_GATEWAY_URL`, the listen address in `--config` (`config` where it is loaded already), else
 * the default; the credential by `--token-file`, `--token`, `SSE_GATEWAY_TOKEN`, else the key that a `serve` of this user
 * left for exactly that address. Throws `UsageError` and `ConfigError`.
 */
export async function findGateway(flags: GatewayFlags, config?: Config): Promise<Gateway> {
  const address = await findAddress(flags, config);
  const token = givenToken(flags);
  return token === undefined ? withLocalKey(address, keyOwner()) : { address, token: () => token };
}

/** The user of this process, as far as the system knows one. */
export function keyOwner(): KeyOwner {
  const uid = process.getuid?.();
  const folders = [process.env['XDG_RUNTIME_DIR'], uid === undefined ? undefined : `/run/user/${uid}`];
  return { runtimeFolders: folders.filter((folder) => folder !== undefined), home: homeOf(), uid };
}

async function findAddress(flags: GatewayFlags, loaded: Config | undefined): Promise<GatewayAddress> {
  const url = flags.url ?? (process.env['SSE_GATEWAY_URL'] || undefined);
  if (url !== undefined) return parseAddress(url);
  if (flags.config === undefined) return parseAddress(DEFAULT_ADDRESS);
  const [{ loadConfig }, { describeListen }] = await Promise.all([
    import('../config/load.ts'),
    import('../config/listen.ts'),
  ]);
  const { server } = loaded ?? (await loadConfig({ file: flags.config, env: process.env }));
  return withBasePath(parseAddress(describeListen(server.listen)), server.base_path);
}

function givenToken(flags: GatewayFlags): string | undefined {
  if (flags.token !== undefined && flags.tokenFile !== undefined)
    throw new UsageError('--token and --token-file are given together');
  if (flags.tokenFile !== undefined) return checkToken(readTokenFile(flags.tokenFile), '--token-file');
  if (flags.token !== undefined) {
    say(
      'warning: others on this machine can read --token in the list of processes; use --token-file or SSE_GATEWAY_TOKEN',
    );
    return checkToken(flags.token, '--token');
  }
  const fromEnvironment = process.env['SSE_GATEWAY_TOKEN'];
  return fromEnvironment === undefined || fromEnvironment === ''
    ? undefined
    : checkToken(fromEnvironment, 'SSE_GATEWAY_TOKEN');
}

function readTokenFile(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsageError(`--token-file cannot be read: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}

/** What RFC 6750 allows as a token, without the line end that editors leave. The token itself is never shown. */
function checkToken(text: string, from: string): string {
  const token = text.trim();
  if (!/^[A-Za-z0-9._~+/-]+=*$/.test(token))
    throw new UsageError(`${from} holds no token: one word of letters, digits and ._~+/-= is wanted`);
  return token;
}

/**
 * `localhost` may be another's: where a key names a loopback address on the same port, that address itself is asked.
 */
function withLocalKey(address: GatewayAddress, owner: KeyOwner): Gateway {
  const withKeyOf = (asked: GatewayAddress): Gateway => ({
    address: asked,
    token: () => readLocalKey(owner, asked.authority),
  });
  const port = /^http:\/\/localhost:(\d+)$/.exec(address.origin)?.[1];
  if (port === undefined || address.socketPath !== undefined) return withKeyOf(address);
  const literals = ['127.0.0.1', '[::1]'].map((host) =>
    withBasePath(parseAddress(`${host}:${port}`), address.basePath),
  );
  return withKeyOf(literals.find(({ authority }) => readLocalKey(owner, authority) !== undefined) ?? address);
}

function homeOf(): string | undefined {
  try {
    return homedir();
  } catch {
    return undefined; // no HOME, and a user id that the system does not know
  }
}
