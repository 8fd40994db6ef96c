/** How this program was called, so that the lines it prints can be pasted and work. */
import { accessSync, constants, readFileSync, realpathSync } from 'node:fs';
import { basename, delimiter, join, relative } from 'node:path';

/** What has to be known of the process. `script` is `process.argv[1]`; `bundled` for the single executable. */
export interface Process {
  readonly executable: string;
  readonly script: string | undefined;
  readonly bundled: boolean;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** The beginning of a command line, such as `sse-gateway`, `./dist/sse-gateway` or `npm run -s sse-gateway --`. */
export function invocation(process: Process): string {
  const program = process.bundled ? process.executable : process.script;
  if (program === undefined) return PROGRAM;
  if (inPath(PROGRAM, program, process.env)) return PROGRAM;
  if (process.bundled) return pathFrom(process.cwd, program);
  if (npmRuns(process.env)) return `npm run -s ${PROGRAM} --`;
  return basename(program) === PROGRAM
    ? pathFrom(process.cwd, program)
    : `${nodeOf(process)} ${quoted(relative(process.cwd, program))}`;
}

/** A word as a shell takes it. */
export function quoted(word: string): string {
  return /^[A-Za-z0-9_.:@%+=/,~-]+$/.test(word) && !word.startsWith('~') ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

const PROGRAM = 'sse-gateway';

/** The Node that runs this: by name, as npm has installed it here, or by its path. */
function nodeOf({ executable, cwd, env }: Process): string {
  if (inPath('node', executable, env)) return 'node';
  const installed = join(cwd, 'node_modules/.bin/node');
  return pathFrom(cwd, isSameFile(installed, executable) ? installed : executable);
}

function pathFrom(cwd: string, file: string): string {
  const path = relative(cwd, file);
  if (path.startsWith('..')) return quoted(file);
  return quoted(path.includes('/') ? path : `./${path}`);
}

/** npm puts folders of its own into PATH, which the user's shell does not have. */
function underNpm(env: Process['env']): boolean {
  return env['npm_lifecycle_event'] !== undefined;
}

function npmRuns(env: Process['env']): boolean {
  const manifest = env['npm_package_json'];
  if (!underNpm(env) || manifest === undefined) return false;
  try {
    const { scripts } = JSON.parse(readFileSync(manifest, 'utf8')) as { scripts?: Record<string, string> };
    return scripts?.[PROGRAM] !== undefined;
  } catch {
    return false; // not npm after all
  }
}

/** True where a shell that is told `name` runs `file`. */
function inPath(name: string, file: string, env: Process['env']): boolean {
  if (underNpm(env)) return false;
  const candidates = (env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, name));
  const found = candidates.find((candidate) => isExecutable(candidate));
  return found !== undefined && isSameFile(found, file);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false; // not there, or not ours to run
  }
}

function isSameFile(one: string, other: string): boolean {
  try {
    return realpathSync(one) === realpathSync(other);
  } catch {
    return false; // one of them is not there
  }
}
