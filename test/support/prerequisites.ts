/** The programs that tests run besides Node: found on PATH, or installed where that is allowed. */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** What is needed besides Node: Debian's package, and how to tell that it is there. */
export interface Prerequisite {
  readonly package: string;
  /** A program on PATH or in `/usr/sbin`, a module of Debian's own Python, or a file. */
  readonly program?: string;
  readonly module?: string;
  readonly file?: string;
}

/** All that the tests start or import. */
export const PREREQUISITES: readonly Prerequisite[] = [
  { package: 'redis-server', program: 'redis-server' },
  { package: 'chromium', program: 'chromium' },
  { package: 'curl', program: 'curl' },
  { package: 'nginx-light', program: 'nginx' },
  { package: 'haproxy', program: 'haproxy' },
  { package: 'caddy', program: 'caddy' },
  { package: 'python3-requests', module: 'requests' },
  { package: 'python3-httpx', module: 'httpx' },
  { package: 'python3-aiohttp', module: 'aiohttp' },
];

/**
 * Makes sure that every prerequisite is installed: root on Debian gets them by apt-get, without starting services.
 * Throws an error that holds the exact command to run anywhere else, or where the installation failed.
 */
export function ensurePrerequisites(): void {
  provide(PREREQUISITES, 'This test run');
}

/** The same for what somebody else needs, whom the error names. */
export function provide(needed: readonly Prerequisite[], who: string): void {
  const missing = missingPackages(needed);
  if (missing.length === 0) return;
  if (!mayInstall()) throw new Error(`${who} needs ${missing.join(', ')}. Install with:\n  ${manualCommand(missing)}`);
  console.error(`installing ${missing.join(' ')} with apt-get`);
  aptGet(['update']);
  aptGet(['install', '-y', '--no-install-recommends', ...missing]);
  const still = missingPackages(needed);
  if (still.length > 0) throw new Error(`apt-get has run, but what ${still.join(' and ')} should bring is not there`);
}

/** The packages of those that are not there. */
export function missingPackages(needed: readonly Prerequisite[]): string[] {
  const missing = needed.filter(({ program, module, file }) => {
    if (file !== undefined) return !existsSync(file);
    if (program !== undefined) return (findExecutable(program) ?? executableIn('/usr/sbin', program)) === undefined;
    return module !== undefined && !isImportable(module);
  });
  return missing.map((each) => each.package);
}

function isImportable(module: string): boolean {
  return spawnSync('/usr/bin/python3', ['-c', `import ${module}`], { stdio: 'ignore' }).status === 0;
}

function executableIn(folder: string, name: string): string | undefined {
  const path = join(folder, name);
  return isExecutable(path) ? path : undefined;
}

/** The absolute path of a program on PATH; undefined where it is not installed. */
export function findExecutable(name: string): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false; // not there, or not ours to run: the same to a caller
  }
}

function mayInstall(): boolean {
  return process.getuid?.() === 0 && existsSync('/etc/debian_version') && findExecutable('apt-get') !== undefined;
}

function manualCommand(packages: readonly string[]): string {
  if (findExecutable('apt-get') === undefined) return `# your package manager: ${packages.join(' ')}`;
  return `sudo apt-get update && sudo apt-get install -y --no-install-recommends ${packages.join(' ')}`;
}

function aptGet(args: readonly string[]): void {
  // RUNLEVEL=1 keeps the package from starting a Redis of its own; output goes to stderr, stdout is for test results.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  const { status, error } = spawnSync('apt-get', args, { env, stdio: ['ignore', 2, 2] });
  if (status !== 0) throw new Error(`\`apt-get ${args.join(' ')}\` failed`, { cause: error });
}
